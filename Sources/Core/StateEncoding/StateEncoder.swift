/// Writes the state of learners, steps, metrics and detectors as bytes.
///
/// Little-endian, without padding; each type opens a section with its name and format version.
/// Encoding what was decoded gives the same bytes again. Arrays of numbers are copied whole.
package struct StateEncoder: Sendable {
    @usableFromInline
    var written: [UInt8] = []

    /// Everything written so far.
    package var bytes: [UInt8] { written }

    /// - Parameter capacity: The bytes that are expected, so that memory is reserved once.
    package init(capacity: Int = 0) {
        written.reserveCapacity(capacity)
    }

    /// Gives the bytes out without copying them.
    package consuming func finish() -> [UInt8] { written }

    /// Opens a section: the name and format version of the type that follows.
    package mutating func section(_ name: String, version: Int) {
        write(name)
        write(UInt16(version))
    }

    @inlinable
    package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        // Safety: the bytes of one integer, read while it stands.
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe written.append(contentsOf: $0) }
    }

    @inlinable
    package mutating func write(_ value: Double) {
        write(value.bitPattern)
    }

    @inlinable
    package mutating func write(_ value: Bool) {
        written.append(value ? 1 : 0)
    }

    package mutating func write(_ value: String) {
        write(value.utf8.count)
        written.append(contentsOf: value.utf8)
    }

    package mutating func write(_ value: [UInt8]) {
        write(value.count)
        written.append(contentsOf: value)
    }

    package mutating func write(_ values: [Double]) {
        write(values.count)
        copy(values)
    }

    package mutating func write(_ values: [Lanes]) {
        write(values.count)
        copy(values)
    }

    @inlinable
    package mutating func write<Value: FixedWidthInteger>(_ values: [Value]) {
        write(values.count)
        if MemoryLayout<Value>.stride * 8 == Value.bitWidth {
            copy(values)
        } else {
            for value in values { write(value) }
        }
    }

    package mutating func write(_ values: [String]) {
        write(values.count)
        for value in values { write(value) }
    }

    /// A value that may be absent, behind one byte that says so.
    package mutating func write<Value>(
        optional value: Value?, _ body: (inout StateEncoder, Value) -> Void
    ) {
        write(value != nil)
        if let value { body(&self, value) }
    }

    /// Numbers (nothing else) as they stand in memory, which is their encoding on a little-endian machine.
    @usableFromInline
    mutating func copy<Value>(_ values: [Value]) {
        // Safety: the elements are numbers or vectors of them, without padding.
        unsafe values.withUnsafeBytes { unsafe written.append(contentsOf: $0) }
    }
}

#if _endian(big)
    #error("state is encoded by copying memory, which needs a little-endian machine")
#endif
