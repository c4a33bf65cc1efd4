/// Writes the state of learners, steps, metrics and detectors as bytes.
///
/// Little-endian, without padding; each type opens a section with its name and format version.
/// Encoding what was decoded gives the same bytes again.
package struct StateEncoder: Sendable {
    /// Everything written so far.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Opens a section: the name and format version of the type that follows.
    package mutating func section(_ name: String, version: Int) {
        write(name)
        write(UInt16(version))
    }

    package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = Value.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    package mutating func write(_ value: Double) {
        write(value.bitPattern)
    }

    package mutating func write(_ value: Bool) {
        write(value ? 1 as UInt8 : 0)
    }

    package mutating func write(_ value: String) {
        write(Array(value.utf8))
    }

    package mutating func write(_ value: [UInt8]) {
        write(value.count)
        bytes.append(contentsOf: value)
    }

    package mutating func write(_ values: [Double]) {
        write(values.count)
        for value in values { write(value.bitPattern) }
    }

    package mutating func write(_ values: [Lanes]) {
        write(values.count)
        for value in values {
            for lane in 0..<laneCount { write(value[lane].bitPattern) }
        }
    }

    package mutating func write<Value: FixedWidthInteger>(_ values: [Value]) {
        write(values.count)
        for value in values { write(value) }
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
}
