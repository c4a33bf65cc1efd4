package import Core

/// Drift detection by the error rate: signals when it leaves its lowest confidence interval.
///
/// With the error rate p of *n* values and s = √(p(1 − p)/n), it remembers where p + s was lowest
/// and warns above p_min + `warning_level` · s_min, signals above p_min + `drift_level` · s_min.
/// Made for errors of 0 and 1: a rate outside of [0, 1] has spread 0. After a signal it starts
/// afresh with the next value. Values that are not finite are skipped.
///
/// - Complexity: O(1) time and memory per value.
/// - Note: Gama, Medas, Castillo, Rodrigues, *Learning with Drift Detection*, 2004.
package struct DDM: DriftDetector {
    /// The error rate since the last signal; 0 before the first value.
    package private(set) var estimation = 0.0

    private let minimumFrom: Int
    private let driftFrom: Int
    private let warningLevel: Double
    private let driftLevel: Double

    private var count = 0
    private var lowestRate = Double.infinity
    private var lowestSpread = Double.infinity
    private var lowest = Double.infinity
    private var restartsBeforeNext = false

    /// - Parameter settings: Those of ``declaration``.
    package init(_ settings: Settings) {
        minimumFrom = settings.integer("minimum_from")
        driftFrom = settings.integer("drift_from")
        warningLevel = settings.number("warning_level")
        driftLevel = settings.number("drift_level")
    }

    package mutating func update(_ values: Span<Double>, into signals: inout MutableSpan<UInt8>) {
        // A copy, so that the numbers stay in registers from value to value.
        var state = self
        for index in values.indices { signals[index] = state.update(values[index]).rawValue }
        self = state
    }

    @inline(__always)
    package mutating func update(_ value: Double) -> DriftSignal {
        guard value.isFinite else { return .none }
        if restartsBeforeNext { reset() }
        count &+= 1
        estimation += (value - estimation) / Double(count)
        guard count >= minimumFrom else { return .none }
        let spread = max(0, estimation * (1 - estimation) / Double(count)).squareRoot()
        let level = estimation + spread
        if level <= lowest {
            lowestRate = estimation
            lowestSpread = spread
            lowest = level
        }
        if count >= driftFrom, level > lowestRate + driftLevel * lowestSpread {
            restartsBeforeNext = true
            return .drift
        }
        return level > lowestRate + warningLevel * lowestSpread ? .warning : .none
    }

    package mutating func reset() {
        count = 0
        estimation = 0
        lowestRate = .infinity
        lowestSpread = .infinity
        lowest = .infinity
        restartsBeforeNext = false
    }

    package var stateBytes: Int { MemoryLayout<Self>.size }
}

extension DDM {
    package static let declaration = ComponentDeclaration(
        name: "ddm",
        summary: "Error-rate control chart for classification: warns, then signals a drift.",
        source: "Gama, Medas, Castillo and Rodrigues, 2004",
        settings: [
            SettingDeclaration(
                "minimum_from", .integer(1...1_000_000_000), default: .integer(30),
                unit: "records", "The value from which minima are kept and warnings can come."),
            SettingDeclaration(
                "drift_from", .integer(1...1_000_000_000), default: .integer(30),
                unit: "records", "The value from which a drift can be signalled."),
            SettingDeclaration(
                "warning_level", .number(0...1000), default: .number(2),
                "The number of spreads above the lowest rate at which it warns."),
            SettingDeclaration(
                "drift_level", .number(0...1000), default: .number(3),
                "The number of spreads above the lowest rate at which it signals a drift."),
        ],
        presets: [
            .init("moa", [("minimum_from", .integer(29)), ("drift_from", .integer(30))]),
            .init("river", [("minimum_from", .integer(31)), ("drift_from", .integer(31))]),
        ])

    package func encode(to encoder: inout StateEncoder) {
        encoder.section("ddm", version: 1)
        for value in [minimumFrom, driftFrom, count] { encoder.write(value) }
        for value in [warningLevel, driftLevel] { encoder.write(value) }
        for value in [estimation, lowestRate, lowestSpread, lowest] { encoder.write(value) }
        encoder.write(restartsBeforeNext)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("ddm", through: 1)
        minimumFrom = try decoder.readInt()
        driftFrom = try decoder.readInt()
        count = try decoder.readInt()
        warningLevel = try decoder.readDouble()
        driftLevel = try decoder.readDouble()
        estimation = try decoder.readDouble()
        lowestRate = try decoder.readDouble()
        lowestSpread = try decoder.readDouble()
        lowest = try decoder.readDouble()
        restartsBeforeNext = try decoder.readBool()
    }
}
