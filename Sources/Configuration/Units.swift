package import Core

/// Values with their unit, from text and back.
package enum Units {
    /// Why a text with a unit was not understood.
    package enum Failure: Error, Equatable {
        /// No number stands at the beginning.
        case noNumber
        /// A number without a unit.
        case noUnit
        case unknownUnit(String)
        /// Negative, not a whole number of the smallest unit, or too large.
        case outOfRange
    }

    /// Milliseconds of each unit of time.
    private static let times: [(name: String, factor: Int64)] = [
        ("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("days", 86_400_000),
        ("day", 86_400_000),
    ]
    private static let sizes: [(name: String, factor: Int64)] = [
        ("bytes", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("byte", 1),
    ]
    package static let timeNames = ["ms", "s", "min", "h", "days"]
    package static let sizeNames = ["bytes", "KiB", "MiB", "GiB"]

    /// A duration such as `100 ms` or `1.5 h`, in milliseconds.
    package static func duration(_ text: String) throws(Failure) -> Int64 {
        try parse(text, times).value
    }

    /// A size such as `64 MiB`, in bytes.
    package static func byteSize(_ text: String) throws(Failure) -> Int {
        Int(try parse(text, sizes).value)
    }

    /// Records, or a span of event time: `1000 records`, `1 h`.
    package static func extent(_ text: String) throws(Failure) -> Extent {
        let (value, unit) = try parse(text, times + [("records", 1), ("record", 1)])
        return unit.hasPrefix("record") ? .records(Int(value)) : .time(value)
    }

    private static func parse(
        _ text: String, _ units: [(name: String, factor: Int64)]
    ) throws(Failure) -> (value: Int64, unit: String) {
        let trimmed = text.drop { $0 == " " }
        let number = trimmed.prefix { $0.isASCII && ($0.isNumber || ".+-".contains($0)) }
        var unit = trimmed.dropFirst(number.count).drop { $0 == " " }
        while unit.last == " " { unit = unit.dropLast() }
        guard !number.isEmpty, let value = Double(number), value.isFinite else { throw .noNumber }
        guard !unit.isEmpty else { throw .noUnit }
        guard let known = units.first(where: { $0.name == unit }) else {
            throw .unknownUnit(String(unit))
        }
        let scaled = value * Double(known.factor)
        guard scaled >= 0, scaled <= 9e15, scaled == scaled.rounded() else { throw .outOfRange }
        return (Int64(scaled), known.name)
    }

    /// In the largest unit that gives a whole number: `90 s`, `2 h`.
    package static func text(duration: Int64) -> String {
        for (name, factor) in times.dropLast().reversed()
        where duration != 0 && duration % factor == 0 {
            return "\(duration / factor) \(name)"
        }
        return "\(duration) ms"
    }

    /// In the largest unit that gives a whole number: `64 MiB`.
    package static func text(byteSize: Int) -> String {
        for (name, factor) in sizes.dropLast().reversed()
        where byteSize != 0 && byteSize % Int(factor) == 0 {
            return "\(byteSize / Int(factor)) \(name)"
        }
        return "\(byteSize) bytes"
    }

    package static func text(extent: Extent) -> String {
        switch extent {
        case .records(let count): "\(count) records"
        case .time(let milliseconds): text(duration: milliseconds)
        }
    }
}
