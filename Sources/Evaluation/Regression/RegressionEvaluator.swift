import Core

/// Measures the predictions of a regressor and its two baselines, from the start and over windows.
///
/// A prediction of NaN is `null` and not measured; errors are clipped at 1e100, so that a model
/// that diverges shows as such and does not spoil the sums of what comes after.
struct RegressionEvaluator: Sendable, Equatable {
    private(set) var clock: EvaluationClock
    private let tracked: [String]
    private var windows: WindowSet
    private var sums: [ErrorSums]
    /// By slot: label, weight, and the predictions of model and baselines.
    private var records: [SIMD8<Double>]

    init(_ settings: EvaluationSettings) {
        clock = EvaluationClock(every: settings.every)
        tracked = settings.tracked
        windows = WindowSet(settings.windows)
        sums = [ErrorSums](repeating: ErrorSums(), count: settings.windows.count + 1)
        records = [SIMD8<Double>](repeating: .zero, count: windows.slotCount)
    }

    mutating func update(
        _ rows: borrowing Rows, _ range: Range<Int>, _ predictions: borrowing Predictions,
        mean: borrowing Predictions, noChange: borrowing Predictions
    ) -> Int {
        let times = rows.eventTimes
        let targets = rows.targets
        let weights = rows.weights
        let predicted = predictions.values
        let firstBaseline = mean.values
        let secondBaseline = noChange.values
        for row in range {
            clock.see(times[row])
            let target = targets[row]
            if target.isNaN {
                clock.unlabelled &+= 1
            } else {
                let record = SIMD8(
                    clampedMagnitude(target), min(weights[row], 1e100), predicted[row],
                    firstBaseline[row], secondBaseline[row], 0, 0, 0)
                add(record, times[row])
                if predicted[row].isNaN { clock.unpredicted &+= 1 }
                clock.countEvaluated()
            }
            if clock.isReportDue { return row &+ 1 }
        }
        return range.upperBound
    }

    @inline(__always)
    private mutating func add(_ record: SIMD8<Double>, _ time: Int64) {
        settle(makesRoom: true)
        if windows.isFull { makeRoom() }
        records[windows.append(time, highest: clock.highestTime)] = record
        sums[0].add(record, sign: 1)
        for window in 0..<windows.count
        where windows.admits(window, time, highest: clock.highestTime) {
            sums[window &+ 1].add(record, sign: 1)
        }
    }

    @inline(__always)
    private mutating func settle(makesRoom: Bool) {
        let highest = clock.highestTime
        for window in 0..<windows.count {
            while true {
                let slot = windows.nextExpired(window, highest: highest, makesRoom: makesRoom)
                if slot < 0 { break }
                sums[window &+ 1].add(records[slot], sign: -1)
            }
        }
    }

    private mutating func makeRoom() {
        windows.release()
        guard windows.isFull else { return }
        if windows.isAtLimit {
            for window in windows.extents.indices {
                let slot = windows.nextForced(window, highest: clock.highestTime)
                if slot >= 0 { sums[window + 1].add(records[slot], sign: -1) }
            }
            windows.release()
        } else {
            let (start, end) = (windows.start, windows.end)
            windows.grow()
            records = WindowSet.regrown(records, from: start, to: end, fill: .zero)
        }
    }

    mutating func makeReport() -> MetricsReport {
        settle(makesRoom: false)
        clock.reported()
        let scopes = sums.indices.map { scope in
            MetricsScope(
                extent: scope > 0 ? windows.extents[scope - 1] : nil,
                count: scope > 0 ? windows.counts[scope - 1] : clock.evaluated,
                truncated: scope > 0 ? windows.truncated[scope - 1] : 0,
                series: ["model", "mean", "no_change"].enumerated().map { index, name in
                    MetricsSeries(
                        name: name, sums: .regression(sums[scope].sums(index)), tracked: tracked,
                        positiveClass: nil)
                })
        }
        return MetricsReport(
            task: .regression, tracked: tracked, records: clock.records,
            evaluated: clock.evaluated, unlabelled: clock.unlabelled,
            unpredicted: clock.unpredicted,
            highestEventTime: clock.records > 0 ? clock.highestTime : nil, classes: [],
            positiveClass: nil, scopes: scopes)
    }

    var stateBytes: Int { 192 * sums.count + windows.slotCount * (64 + 9) }
}

/// The weighted sums of three series' errors and of the labels.
private struct ErrorSums: Sendable, Equatable {
    /// Lanes 0–2: the weight of each series' predictions; lane 3: of the labels.
    private var weights = CompensatedSum()
    /// Lanes 0–2: weight · |error|; lane 3: weight · label.
    private var first = CompensatedSum()
    /// Lanes 0–2: weight · error²; lane 3: weight · label².
    private var second = CompensatedSum()

    init() {}

    /// - Parameter sign: 1 to add the record, −1 to take it out.
    @inline(__always)
    mutating func add(_ record: SIMD8<Double>, sign: Double) {
        let target = record[0]
        let weight = sign * record[1]
        let model = Self.distance(record[2], target)
        let baseline = Self.distance(record[3], target)
        let noChange = Self.distance(record[4], target)
        let shares = SIMD4(
            model < 0 ? 0 : weight, baseline < 0 ? 0 : weight, noChange < 0 ? 0 : weight, weight)
        let errors = SIMD4(max(0, model), max(0, baseline), max(0, noChange), target)
        let square = DoubleDouble.product(target, target)
        weights.add(shares)
        first.add(shares * errors)
        second.add(shares * errors * errors)
        second.addLow(SIMD4(0, 0, 0, square.low * weight))
    }

    /// How far a prediction lies from the label; −1 if there is none.
    @inline(__always)
    private static func distance(_ prediction: Double, _ target: Double) -> Double {
        prediction.isNaN ? -1 : min(abs(prediction - target), 1e100)
    }

    func sums(_ series: Int) -> RegressionSums {
        let weight = weights.value[3]
        let targets = DoubleDouble(first.high[3], first.low[3])
        var deviation = 0.0
        if weight > 0 {
            // Σw(y − ȳ)² = Σwy² − 2m Σwy + m² Σw − (Σwy − m Σw)² / Σw for the rounded mean m.
            let mean = targets.value / weight
            let squares = DoubleDouble(second.high[3], second.low[3])
            let cross = targets * (-2 * mean)
            let constant = DoubleDouble.product(mean, mean) * weight
            let rest = (targets + DoubleDouble.product(-mean, weight)).value
            deviation = max(0, ((squares + cross) + constant).value - rest * rest / weight)
        }
        return RegressionSums(
            weight: weights.value[series], absoluteError: first.value[series],
            squaredError: second.value[series], targetWeight: weight, target: targets.value,
            targetDeviation: deviation)
    }

    func encode(to encoder: inout StateEncoder) {
        for sum in [weights, first, second] { sum.encode(to: &encoder) }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        weights = try CompensatedSum(from: &decoder)
        first = try CompensatedSum(from: &decoder)
        second = try CompensatedSum(from: &decoder)
    }
}

// MARK: - State

extension RegressionEvaluator {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("regression_evaluator", version: 1)
        clock.encode(to: &encoder)
        windows.encode(to: &encoder)
        for sum in sums { sum.encode(to: &encoder) }
        for sequence in windows.start..<windows.end {
            for lane in 0..<5 { encoder.write(records[windows.slot(sequence)][lane]) }
        }
    }

    init(_ settings: EvaluationSettings, from decoder: inout StateDecoder) throws(StateError) {
        self.init(settings)
        _ = try decoder.section("regression_evaluator", through: 1)
        try clock.decode(from: &decoder)
        windows = try WindowSet(settings.windows, from: &decoder)
        for scope in sums.indices { sums[scope] = try ErrorSums(from: &decoder) }
        records = [SIMD8<Double>](repeating: .zero, count: windows.slotCount)
        for sequence in windows.start..<windows.end {
            let slot = windows.slot(sequence)
            for lane in 0..<5 { records[slot][lane] = try decoder.readDouble() }
        }
    }
}
