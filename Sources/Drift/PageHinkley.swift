package import Core

/// A cumulative test: signals when values stay away from their mean.
///
/// With dev = x − mean, it keeps the faded sums U ← α·U + dev − δ (rises) and
/// D ← α·D + dev + δ (falls) and signals when U − min U, or max D − D, exceeds the threshold.
/// Without `subtract_extremum` it tests U and −D themselves, as MOA does. After a signal it starts
/// afresh with the next value. Takes any finite numbers; others are skipped.
///
/// - Complexity: O(1) time and memory per value.
/// - Note: Page, *Continuous Inspection Schemes*, 1954; Hinkley, 1971.
package struct PageHinkley: DriftDetector {
    /// The mean of the values since the last signal; 0 before the first.
    package private(set) var estimation = 0.0

    private let minInstances: Int
    private let delta: Double
    private let threshold: Double
    private let alpha: Double
    private let direction: Direction
    private let subtractsExtremum: Bool

    private var count = 0
    private var rise = 0.0
    private var fall = 0.0
    private var riseMin = Double.infinity
    private var fallMax = -Double.infinity
    private var restartsBeforeNext = false

    /// - Parameter settings: Those of ``declaration``.
    package init(_ settings: Settings) {
        minInstances = settings.integer("min_instances")
        delta = settings.number("delta")
        threshold = settings.number("threshold")
        alpha = settings.number("alpha")
        direction = Direction(settings.text("direction"))
        subtractsExtremum = settings.boolean("subtract_extremum")
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
        let distance = value - estimation
        rise = alpha * rise + distance - delta
        fall = alpha * fall + distance + delta
        riseMin = min(riseMin, rise)
        fallMax = max(fallMax, fall)
        guard count >= minInstances, statistic > threshold else { return .none }
        restartsBeforeNext = true
        return .drift
    }

    private var statistic: Double {
        let up = subtractsExtremum ? rise - riseMin : rise
        let down = subtractsExtremum ? fallMax - fall : -fall
        return switch direction {
        case .up: up
        case .down: down
        case .both: max(up, down)
        }
    }

    package mutating func reset() {
        count = 0
        estimation = 0
        rise = 0
        fall = 0
        riseMin = .infinity
        fallMax = -.infinity
        restartsBeforeNext = false
    }

    package var stateBytes: Int { MemoryLayout<Self>.size }
}

extension PageHinkley {
    package static let declaration = ComponentDeclaration(
        name: "page_hinkley",
        summary: "Cumulative test on the error: signals when it stays above its mean.",
        source: "Page, 1954; Hinkley, 1971; the faded sums as in River and MOA",
        settings: [
            SettingDeclaration(
                "min_instances", .integer(1...1_000_000_000), default: .integer(30),
                unit: "records", "The number of values before the first signal can come."),
            SettingDeclaration(
                "delta", .number(0...1e12), default: .number(0.005),
                "The distance from the mean that is tolerated, in units of the error."),
            SettingDeclaration(
                "threshold", .number(0...1e12), default: .number(50),
                "The sum of distances that signals, in units of the error."),
            SettingDeclaration(
                "alpha", .number(0...1, excludingLower: true), default: .number(0.9999),
                "The share of the sums that is kept at each value."),
            SettingDeclaration(
                "direction", .choice(Direction.words), default: .text("up"),
                "Whether rises of the mean are signalled, falls, or both."),
            SettingDeclaration(
                "subtract_extremum", .boolean, default: .boolean(true),
                "Whether the sums are measured from their extremum (the published test)."),
        ],
        presets: [
            // MOA counts one value ahead: its 30 lets the 29th value signal.
            .init(
                "moa",
                [
                    ("min_instances", .integer(29)),
                    ("direction", .text("up")),
                    ("subtract_extremum", .boolean(false)),
                ]),
            .init(
                "river",
                [
                    ("min_instances", .integer(30)),
                    ("direction", .text("both")),
                    ("subtract_extremum", .boolean(true)),
                ]),
        ])

    package func encode(to encoder: inout StateEncoder) {
        encoder.section("page_hinkley", version: 1)
        encoder.write(minInstances)
        for value in [delta, threshold, alpha] { encoder.write(value) }
        encoder.write(direction.rawValue)
        encoder.write(subtractsExtremum)
        encoder.write(count)
        for value in [estimation, rise, fall, riseMin, fallMax] { encoder.write(value) }
        encoder.write(restartsBeforeNext)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("page_hinkley", through: 1)
        minInstances = try decoder.readInt()
        delta = try decoder.readDouble()
        threshold = try decoder.readDouble()
        alpha = try decoder.readDouble()
        direction = try Direction(from: &decoder)
        subtractsExtremum = try decoder.readBool()
        count = try decoder.readInt()
        estimation = try decoder.readDouble()
        rise = try decoder.readDouble()
        fall = try decoder.readDouble()
        riseMin = try decoder.readDouble()
        fallMax = try decoder.readDouble()
        restartsBeforeNext = try decoder.readBool()
    }
}
