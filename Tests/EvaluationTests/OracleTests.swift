// Method: seeded random streams; every metric of every window at every report is computed again
// from the records that the window must hold, by its definition.
import Core
import Evaluation
import TestSupport
import Testing

@Suite("Metrics against a naive oracle")
struct OracleTests {
    static let windows: [Extent] = [
        .records(1), .records(37), .time(10_000), .records(150), .time(1),
    ]

    @Test(
        "classification",
        arguments: [(1, 1, [1.0]), (2, 2, [1, 0.1, 2.7]), (3, 3, [1]), (4, 6, [0, 1, 0.3])])
    func classification(seed: Int, classes: Int, weights: [Double]) {
        let stream = RandomStreams.classified(
            seed: UInt64(seed), count: 600, classes: classes, weights: weights)
        let settings = EvaluationSettings(
            task: .classification, positiveClass: 0, windows: Self.windows, every: .records(1))
        var evaluator = Evaluator(settings)
        var evaluated: [(record: ClassifiedRecord, repeats: Bool)] = []
        var highest = Int64.min
        var previous: Int?
        var known = 0
        for (index, record) in stream.enumerated() {
            highest = max(highest, record.time)
            let reports = evaluator.run([record])
            guard record.label >= 0 else {
                #expect(reports.isEmpty)
                continue
            }
            let repeats =
                previous.map { $0 == record.label }
                ?? (record.label == 0 && !record.probabilities.isEmpty)
            previous = record.label
            evaluated.append((record, repeats))
            known = max(known, record.label + 1, record.prediction + 1)
            guard index % 23 == 0 || index < 30 else { continue }
            #expect(reports.count == 1)
            #expect(reports[0].evaluated == evaluated.count)
            #expect(reports[0].records == index + 1)
            for extent in [nil] + Self.windows.map(Optional.init) {
                let members =
                    switch extent {
                    case nil: evaluated
                    case .records(let count): Array(evaluated.suffix(count))
                    case .time(let span): evaluated.filter { $0.record.time > highest - span }
                    }
                let naive = NaiveMetrics(
                    records: members.map(\.record), repeats: members.map(\.repeats),
                    classCount: known)
                let scope = reports[0].scopes.first { $0.extent == extent }
                #expect(scope?.count == members.count, "\(String(describing: extent)) at \(index)")
                for name in settings.tracked where !name.hasSuffix("_per_class") {
                    if name == "roc_auc", extent == nil { continue }
                    let value = scope?.series[0].value(name)
                    let wanted = naive.value(name, positive: 0)
                    let isEqual =
                        value == nil && wanted == nil
                        || isClose(value ?? .nan, wanted ?? .infinity, tolerance: 1e-11)
                    #expect(
                        isEqual,
                        "\(name) over \(String(describing: extent)) at \(index), seed \(seed): \(String(describing: value)), not \(String(describing: wanted))"
                    )
                }
            }
        }
    }

    @Test("the cumulative ROC AUC is exact to a bin", arguments: [2, 3, 5])
    func binnedArea(classes: Int) throws {
        let stream = RandomStreams.classified(seed: 9, count: 900, classes: classes, weights: [1])
        var evaluator = Evaluator(
            EvaluationSettings(task: .classification, windows: [.records(900)]))
        _ = evaluator.run(stream)
        let report = evaluator.makeReport()
        let binned = try #require(report.value("roc_auc"))
        let exact = try #require(report.value("roc_auc", over: .records(900)))
        #expect(abs(binned - exact) < 2e-3, "\(binned), \(exact)")
    }

    @Test("regression", arguments: [(1, [1.0]), (2, [0.1, 3, 0])])
    func regression(seed: Int, weights: [Double]) {
        let stream = RandomStreams.regressed(seed: UInt64(seed), count: 600, weights: weights)
        var evaluator = Evaluator(
            EvaluationSettings(task: .regression, windows: Self.windows, every: .records(1)))
        var evaluated: [RegressedRecord] = []
        var highest = Int64.min
        for (index, record) in stream.enumerated() {
            highest = max(highest, record.time)
            let reports = evaluator.run([record])
            guard !record.target.isNaN else { continue }
            evaluated.append(record)
            guard index % 11 == 0 else { continue }
            for extent in [nil] + Self.windows.map(Optional.init) {
                let members =
                    switch extent {
                    case nil: evaluated
                    case .records(let count): Array(evaluated.suffix(count))
                    case .time(let span): evaluated.filter { $0.time > highest - span }
                    }
                let scope = reports[0].scopes.first { $0.extent == extent }
                #expect(scope?.count == members.count)
                let predicted = members.filter { !$0.prediction.isNaN }
                let weight = predicted.reduce(0) { $0 + $1.weight }
                let all = members.reduce(0) { $0 + $1.weight }
                guard weight > 0 else {
                    #expect(scope?.series[0].values.isEmpty == true)
                    continue
                }
                func mean(_ form: (RegressedRecord) -> Double) -> Double {
                    predicted.reduce(0) { $0 + $1.weight * form($1) } / weight
                }
                let center = members.reduce(0) { $0 + $1.weight * $1.target } / all
                let spread =
                    members.reduce(0) {
                        $0 + $1.weight * ($1.target - center) * ($1.target - center)
                    } / all
                let square = mean { ($0.prediction - $0.target) * ($0.prediction - $0.target) }
                var wanted = [
                    "mae": mean { abs($0.prediction - $0.target) }, "mse": square,
                    "rmse": square.squareRoot(),
                ]
                if members.filter({ $0.weight > 0 }).count > 1 {
                    wanted["r2"] = 1 - square / spread
                }
                for (name, value) in wanted {
                    let found = scope?.series[0].value(name) ?? .nan
                    #expect(
                        isClose(found, value, tolerance: 1e-9),
                        "\(name) over \(String(describing: extent)) at \(index): \(found), not \(value)"
                    )
                }
            }
        }
    }
}
