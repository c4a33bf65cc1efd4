package import Core

/// Writes one JSON document after another into bytes: metrics, drift events, dead letters.
///
/// Members stand in the order in which they are written, without white space, so that equal content
/// gives equal bytes. For reports, not for records.
package struct JSONWriter: ~Copyable {
    /// Everything written so far.
    package private(set) var content: ByteBuffer
    /// Whether the next value is the first of its object or list.
    private var isFirst = true
    private var depth = 0

    package init(capacity: Int = 4096) {
        content = ByteBuffer(capacity: capacity)
    }

    /// The bytes written.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { content.bytes }
    }

    /// The text written; for messages and tests.
    package var text: String {
        let bytes = content.bytes
        return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    /// Forgets what was written and keeps the memory.
    package mutating func clear() {
        precondition(depth == 0, "an object or list is still open")
        content.clear()
        isFirst = true
    }

    // MARK: - Structure

    /// Writes an object; `body` writes its members with ``key(_:)`` and a value each.
    package mutating func object<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        try enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a list; `body` writes its values.
    package mutating func list<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        try enclose(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes a member's name; its value comes next.
    package mutating func key(_ name: String) {
        separate()
        write(quoting: name)
        content.append(UInt8(ascii: ":"))
        isFirst = true
    }

    private mutating func enclose<Failure: Error>(
        _ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        separate()
        content.append(open)
        isFirst = true
        depth += 1
        try body(&self)
        depth -= 1
        content.append(close)
        isFirst = false
    }

    private mutating func separate() {
        if isFirst {
            isFirst = false
        } else {
            content.append(depth == 0 ? UInt8(ascii: "\n") : UInt8(ascii: ","))
        }
    }

    // MARK: - Values

    package mutating func value(_ value: String) {
        separate()
        write(quoting: value)
    }

    /// UTF-8 as a text.
    package mutating func value(utf8 value: Span<UInt8>) {
        separate()
        content.appendJSON(text: value)
    }

    /// JSON that stands as it is, such as an identity of a ``DecodedBatch``.
    package mutating func value(literal value: Span<UInt8>) {
        separate()
        content.append(value)
    }

    package mutating func value<Value: FixedWidthInteger>(_ value: Value) {
        separate()
        content.append(decimal: value)
    }

    /// In shortest round-trip form.
    ///
    /// - Precondition: `value` is finite; an undefined number is left out by the caller.
    package mutating func value(_ value: Double) {
        separate()
        content.append(shortest: value)
    }

    package mutating func value(_ value: Bool) {
        separate()
        content.append(value ? "true" as StaticString : "false" as StaticString)
    }

    package mutating func null() {
        separate()
        content.append("null" as StaticString)
    }

    private mutating func write(quoting text: String) {
        let bytes = Array(text.utf8)
        content.appendJSON(text: bytes.span)
    }
}

// MARK: - Members

extension JSONWriter {
    package mutating func member(_ name: String, _ value: String) {
        key(name)
        self.value(value)
    }

    package mutating func member<Value: FixedWidthInteger>(_ name: String, _ value: Value) {
        key(name)
        self.value(value)
    }

    /// - Precondition: `value` is finite.
    package mutating func member(_ name: String, _ value: Double) {
        key(name)
        self.value(value)
    }

    package mutating func member(_ name: String, _ value: Bool) {
        key(name)
        self.value(value)
    }

    /// Writes nothing for a number that is not defined.
    package mutating func member(_ name: String, ifPresent value: Double?) {
        if let value, value.isFinite { member(name, value) }
    }

    package mutating func object(
        _ name: String, _ body: (inout JSONWriter) -> Void
    ) {
        key(name)
        object(body)
    }

    package mutating func list(
        _ name: String, _ body: (inout JSONWriter) -> Void
    ) {
        key(name)
        list(body)
    }
}
