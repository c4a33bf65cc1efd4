/// Gives the values of a categorical feature, or the classes of a label, their codes.
///
/// Declared values take the first codes in their order, others follow on first sight, up to a
/// limit. Part of the state. Looking up does not allocate; adding a value may.
///
/// - Complexity: O(length of the value) time for a look-up, expected.
package struct ValueDictionary: Sendable {
    /// The most values that get a code.
    package let limit: Int
    /// The number of values that were declared; they have the first codes.
    package private(set) var declaredCount = 0
    /// The texts one after another, each as first seen.
    private var storage: [UInt8] = []
    /// Where each text begins, and the end of the last.
    private var starts: [Int] = [0]
    /// Open addressing: a code + 1, or 0 for a free slot. Its order is never iterated.
    private var slots: [Int32]

    /// - Precondition: `declared` holds distinct values, at most `limit` of them.
    package init(declared: [String] = [], limit: Int) {
        precondition(limit > 0, "limit must be positive, got \(limit)")
        precondition(declared.count <= limit, "more declared values than the limit of \(limit)")
        self.limit = limit
        slots = [Int32](repeating: 0, count: 16)
        for (expected, value) in declared.enumerated() {
            let bytes = Array(value.utf8)
            let code = code(of: bytes.span, adding: true)
            precondition(code == expected, "\(value) is declared twice")
        }
        declaredCount = declared.count
    }

    /// The same dictionary, whose first values count as declared: that is not part of the state.
    package func declaring(_ count: Int) -> ValueDictionary {
        precondition(count <= self.count, "\(count) of \(self.count) values cannot be declared")
        var result = self
        result.declaredCount = count
        return result
    }

    /// The number of values with a code.
    package var count: Int { starts.count - 1 }

    /// Where the bytes of a code's text stand in ``textBytes``.
    package func textRange(_ code: Int) -> Range<Int> {
        starts[code]..<starts[code + 1]
    }

    /// The bytes of all texts; see ``textRange(_:)``.
    package var textBytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { storage.span }
    }

    /// The text of a code, as first seen.
    package func text(_ code: Int) -> String {
        String(decoding: storage[textRange(code)], as: UTF8.self)
    }

    /// The code of a value; `nil` if it has none and none can be given.
    ///
    /// - Parameter adding: Whether a new value gets the next code, if the limit allows.
    package mutating func code(of value: Span<UInt8>, adding: Bool) -> Int? {
        var slot = Int(truncatingIfNeeded: hash(value)) & (slots.count - 1)
        while slots[slot] != 0 {
            let code = Int(slots[slot]) - 1
            if matches(code, value) { return code }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard adding, count < limit else { return nil }
        for index in value.indices { storage.append(value[index]) }
        starts.append(storage.count)
        slots[slot] = Int32(count)
        if count * 2 > slots.count { rebuild() }
        return count - 1
    }

    private func hash(_ value: Span<UInt8>) -> UInt64 {
        var hash = ContentHash()
        hash.combine(value)
        return hash.value
    }

    private func matches(_ code: Int, _ value: Span<UInt8>) -> Bool {
        let start = starts[code]
        guard starts[code + 1] - start == value.count else { return false }
        for index in value.indices where storage[start + index] != value[index] { return false }
        return true
    }

    private mutating func rebuild() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        for code in 0..<count {
            let text = Array(storage[textRange(code)])
            var slot = Int(truncatingIfNeeded: hash(text.span)) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(code + 1)
        }
    }
}

extension ValueDictionary {
    package func encode(to encoder: inout StateEncoder) {
        encoder.section("dictionary", version: 1)
        encoder.write(limit)
        encoder.write(count)
        for code in 0..<count { encoder.write(Array(storage[textRange(code)])) }
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("dictionary", through: 1)
        let limit = try decoder.readInt(in: 1...Int(Int32.max), "a dictionary's limit")
        let expected = try decoder.readInt(in: 0...limit, "a dictionary's count")
        self.init(limit: limit)
        for code in 0..<expected {
            let value = try decoder.readBytes()
            guard self.code(of: value.span, adding: true) == code else {
                throw .invalidValue("a dictionary holds a value twice")
            }
        }
    }
}
