import Glibc

/// Finds where the records of a text end: at line ends, in CSV at those outside quotes.
///
/// A quote opens a quoted field only at the field's beginning, as RFC 4180 has it; elsewhere it is
/// an ordinary character.
///
/// - Complexity: O(bytes); without quotes the speed of `memchr`.
package struct RecordScanner: Sendable {
    package enum Layout: Sendable, Equatable {
        /// One record a line.
        case lines
        /// Comma-separated values with this delimiter.
        case csv(delimiter: UInt8, quote: UInt8)
    }

    private enum Position {
        case fieldStart
        case plain
        case quoted
        /// After a quote inside a quoted field: a second one stands for the character.
        case afterQuote
    }

    private static let newline: UInt8 = 0x0A

    private let layout: Layout
    private var position = Position.fieldStart

    package init(layout: Layout) {
        self.layout = layout
    }

    /// Begins a new record.
    package mutating func reset() {
        position = .fieldStart
    }

    /// Goes on through the open record.
    ///
    /// - Parameter isWholeLine: No matter the quotes, the record ends with the line; to find the
    ///   way back after a record that is too large.
    /// - Returns: The index of the line end that closes the record, or `nil` if it goes on past
    ///   the bytes.
    package mutating func findEnd(_ bytes: Span<UInt8>, isWholeLine: Bool = false) -> Int? {
        guard case .csv(let delimiter, let quote) = layout, !isWholeLine else {
            return Self.first(Self.newline, bytes)
        }
        if position != .quoted, position != .afterQuote {
            let end = Self.first(Self.newline, bytes)
            let line = bytes.extracting(0..<(end ?? bytes.count))
            if Self.first(quote, line) == nil {
                if end != nil {
                    position = .fieldStart
                } else if !bytes.isEmpty {
                    position = bytes[bytes.count - 1] == delimiter ? .fieldStart : .plain
                }
                return end
            }
        }
        return scan(bytes, delimiter: delimiter, quote: quote)
    }

    private mutating func scan(_ bytes: Span<UInt8>, delimiter: UInt8, quote: UInt8) -> Int? {
        for index in bytes.indices {
            let byte = bytes[index]
            switch position {
            case .quoted:
                if byte == quote { position = .afterQuote }
            case .fieldStart, .plain, .afterQuote:
                if byte == Self.newline {
                    position = .fieldStart
                    return index
                } else if byte == delimiter {
                    position = .fieldStart
                } else if byte == quote, position != .plain {
                    position = .quoted
                } else {
                    position = .plain
                }
            }
        }
        return nil
    }

    private static func first(_ byte: UInt8, _ bytes: Span<UInt8>) -> Int? {
        guard !bytes.isEmpty else { return nil }
        // Safety: memchr reads the span's bytes only, while it is borrowed.
        return unsafe bytes.withUnsafeBufferPointer { buffer -> Int? in
            guard let start = buffer.baseAddress,
                let found = unsafe memchr(start, Int32(byte), buffer.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(start)
        }
    }
}
