/// Reads what ``StateEncoder`` wrote, and refuses anything else with a ``StateError``.
///
/// Takes any bytes: lengths are checked before memory is reserved.
package struct StateDecoder: Sendable {
    @usableFromInline
    let bytes: [UInt8]
    @usableFromInline
    var place = 0

    /// The number of bytes read so far.
    package var position: Int { place }

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The number of bytes not yet read.
    @inlinable
    package var remaining: Int { bytes.count - place }

    /// Checks that a section of this name follows and returns its format version.
    package mutating func section(
        _ name: String, through newest: Int
    ) throws(StateError) -> Int {
        let found = try readString()
        guard found == name else {
            throw .unexpectedSection(expected: name, found: String(found.prefix(64)))
        }
        let version = Int(try readInteger(UInt16.self))
        guard version >= 1, version <= newest else {
            throw .unsupportedVersion(section: name, version: version)
        }
        return version
    }

    /// Checks that nothing follows.
    package func finish() throws(StateError) {
        if remaining != 0 { throw .trailingBytes(remaining) }
    }

    @inlinable
    package mutating func readInteger<Value: FixedWidthInteger>(
        _ type: Value.Type
    ) throws(StateError) -> Value {
        let size = Value.bitWidth / 8
        guard remaining >= size else { throw .truncated }
        var value: Value = 0
        let start = place
        // Safety: `size` bytes follow `start`, and `value` has as many.
        unsafe withUnsafeMutableBytes(of: &value) { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe target.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[start..<start + size]))
            }
        }
        place += size
        return Value(littleEndian: value)
    }

    @inlinable
    package mutating func readInt() throws(StateError) -> Int { try readInteger(Int.self) }
    @inlinable
    package mutating func readInt64() throws(StateError) -> Int64 { try readInteger(Int64.self) }
    @inlinable
    package mutating func readUInt64() throws(StateError) -> UInt64 { try readInteger(UInt64.self) }

    /// An `Int` that must lie in a range: the guard against sizes that make no sense.
    package mutating func readInt(
        in range: ClosedRange<Int>, _ what: String
    ) throws(StateError) -> Int {
        let value = try readInt()
        guard range.contains(value) else { throw .invalidValue("\(what) is \(value)") }
        return value
    }

    @inlinable
    package mutating func readDouble() throws(StateError) -> Double {
        Double(bitPattern: try readUInt64())
    }

    package mutating func readBool() throws(StateError) -> Bool {
        switch try readInteger(UInt8.self) {
        case 0: return false
        case 1: return true
        case let other: throw .invalidValue("a boolean is \(other)")
        }
    }

    package mutating func readString() throws(StateError) -> String {
        let raw = try readBytes()
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw .invalidValue("a text is not UTF-8")
        }
        return text
    }

    package mutating func readBytes() throws(StateError) -> [UInt8] {
        try readValues(of: UInt8.self)
    }

    package mutating func readDoubles() throws(StateError) -> [Double] {
        try readValues(of: Double.self)
    }

    package mutating func readLanes() throws(StateError) -> [Lanes] {
        try readValues(of: Lanes.self)
    }

    @inlinable
    package mutating func readIntegers<Value: FixedWidthInteger>(
        _ type: Value.Type
    ) throws(StateError) -> [Value] {
        if MemoryLayout<Value>.stride * 8 == Value.bitWidth {
            return try readValues(of: type)
        }
        let count = try readCount(elementSize: Value.bitWidth / 8)
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try readInteger(type)) }
        return values
    }

    package mutating func readStrings() throws(StateError) -> [String] {
        let count = try readCount(elementSize: 8)
        var values: [String] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try readString()) }
        return values
    }

    package mutating func readOptional<Value>(
        _ body: (inout StateDecoder) throws(StateError) -> Value
    ) throws(StateError) -> Value? {
        try readBool() ? try body(&self) : nil
    }

    /// A count and as many numbers (nothing else), copied whole.
    @usableFromInline
    mutating func readValues<Value>(
        of type: Value.Type
    ) throws(StateError) -> [Value] {
        let size = MemoryLayout<Value>.stride
        let count = try readCount(elementSize: size)
        let start = place
        place += count * size
        guard count > 0 else { return [] }
        // Safety: `count` elements without padding follow `start`; every bit pattern is a number.
        return unsafe [Value](unsafeUninitializedCapacity: count) { target, filled in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(target).copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: source[start..<start + count * size]))
            }
            filled = count
        }
    }

    /// A count of elements that the remaining bytes can hold.
    @usableFromInline
    mutating func readCount(elementSize: Int) throws(StateError) -> Int {
        let count = try readInt()
        guard count >= 0, count <= remaining / elementSize else { throw .truncated }
        return count
    }
}
