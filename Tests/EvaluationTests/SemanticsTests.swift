// Method: the smallest streams that show a rule of the semantics, with results computed by hand.
import Core
import Evaluation
import TestSupport
import Testing

@Suite("Evaluation semantics")
struct SemanticsTests {
    private func evaluator(
        _ windows: [Extent] = [], every: Extent = .records(1 << 20), positive: Int32? = nil
    ) -> Evaluator {
        Evaluator(
            EvaluationSettings(
                task: .classification, positiveClass: positive, windows: windows, every: every))
    }

    @Test("before the first record nothing is defined")
    func empty() {
        for task in LearningTask.allCases {
            var evaluator = Evaluator(EvaluationSettings(task: task))
            let report = evaluator.makeReport()
            #expect(report.records == 0)
            #expect(report.highestEventTime == nil)
            #expect(report.scopes.map(\.count) == [0, 0])
            #expect(report.scopes.allSatisfy { $0.series.allSatisfy(\.values.isEmpty) })
        }
    }

    @Test("null is wrong, and a record without label is counted only")
    func nullAndUnlabelled() {
        var evaluator = evaluator()
        _ = evaluator.run([
            ClassifiedRecord(label: 0, prediction: -1),
            ClassifiedRecord(label: -1, prediction: 0, probabilities: [1]),
            ClassifiedRecord(label: 0, prediction: 0, probabilities: [1]),
        ])
        let report = evaluator.makeReport()
        #expect(report.records == 3)
        #expect(report.evaluated == 2)
        #expect(report.unlabelled == 1)
        #expect(report.unpredicted == 1)
        #expect(report.value("accuracy") == 0.5)
        #expect(report.classes == ["0"])
        guard case .classification(let sums) = report.scopes[0].series[0].sums else {
            Issue.record("no sums of classification")
            return
        }
        #expect(sums.predictedNull == 1)
    }

    @Test("kappa temporal begins with class 0 if it is declared, else with a mistake")
    func firstRepeat() {
        let declared = [0.5, 0.5]
        for (probabilities, wanted) in [(declared, nil), ([], 1.0)] as [([Double], Double?)] {
            var evaluator = evaluator()
            _ = evaluator.run([
                ClassifiedRecord(label: 0, prediction: 0, probabilities: probabilities)
            ])
            #expect(evaluator.makeReport().value("kappa_temporal") == wanted)
        }
        // 0 0 1 1 after the declared 0: three repeats of four; two hits of four.
        var evaluator = evaluator()
        _ = evaluator.run(
            zip([0, 0, 1, 1], [0, 1, 1, 0]).map {
                ClassifiedRecord(label: $0, prediction: $1, probabilities: declared)
            })
        #expect(evaluator.makeReport().value("kappa_temporal") == (0.5 - 0.75) / (1 - 0.75))
    }

    @Test("baselines have label-only metrics beside the model's")
    func baselines() {
        var evaluator = evaluator([.records(2)])
        _ = evaluator.run([
            ClassifiedRecord(
                label: 1, prediction: 1, majority: 0, noChange: 0, probabilities: [0.5, 0.5]),
            ClassifiedRecord(
                label: 1, prediction: 0, majority: 1, noChange: 1, probabilities: [0.5, 0.5]),
            ClassifiedRecord(
                label: 0, prediction: 0, majority: 1, noChange: 0, probabilities: [0.5, 0.5]),
        ])
        let report = evaluator.makeReport()
        for (scope, wanted) in zip(
            report.scopes, [[2.0 / 3, 1.0 / 3, 2.0 / 3], [0.5, 0.5, 1]])
        {
            #expect(scope.series.map(\.name) == ["model", "majority", "no_change"])
            #expect(scope.series.map { $0.value("accuracy") } == wanted)
            #expect(scope.series[0].value("brier") == 0.25)
            #expect(scope.series[1].value("brier") == nil)
            #expect(scope.series[2].value("log_loss") == nil)
        }
    }

    @Test("a report falls due at each multiple of evaluated records, in mid-batch")
    func everyRecords() {
        var evaluator = evaluator(every: .records(3))
        let stream = (0..<10).map { ClassifiedRecord(label: $0 % 4 == 3 ? -1 : 0, prediction: 0) }
        let reports = evaluator.run(stream, batch: 10)
        #expect(reports.map(\.evaluated) == [3, 6])
        #expect(reports.map(\.records) == [3, 7])
    }

    @Test("a report falls due when the highest time crosses a multiple, also before 1970")
    func everyTime() {
        var evaluator = evaluator(every: .time(100))
        let times: [Int64] = [-150, -101, -100, -99, 0, -50, 99, 350, 399, 400]
        let reports = evaluator.run(
            times.map { ClassifiedRecord(label: 0, prediction: 0, time: $0) }, batch: 100)
        #expect(reports.map { $0.highestEventTime ?? .min } == [-100, 0, 350, 400])
    }

    @Test("a window of time holds (max − w, max], whatever the order of arrival")
    func timeWindow() {
        let window = Extent.time(100)
        var evaluator = evaluator([window], every: .records(1))
        let arrivals: [(time: Int64, count: Int)] = [
            (1000, 1), (950, 2), (901, 3), (900, 3), (1001, 3), (1050, 3), (1049, 4), (1150, 1),
            (2000, 1), (1900, 1), (1901, 2),
        ]
        for (time, count) in arrivals {
            let reports = evaluator.run([ClassifiedRecord(label: 0, prediction: 0, time: time)])
            #expect(reports[0].scopes[1].count == count, "after \(time)")
        }
        #expect(evaluator.makeReport().scopes[0].count == arrivals.count)
        // A record without label moves time on too.
        _ = evaluator.run([ClassifiedRecord(label: -1, prediction: 0, time: 5000)])
        #expect(evaluator.makeReport().scopes[1].count == 0)
        _ = evaluator.run([ClassifiedRecord(label: 0, prediction: 0, time: 4900)])
        _ = evaluator.run([ClassifiedRecord(label: 0, prediction: 0, time: 4901)])
        #expect(evaluator.makeReport().scopes[1].count == 1)
    }

    @Test("weights count in metrics, and records in windows")
    func weights() {
        var evaluator = evaluator([.records(2)])
        _ = evaluator.run([
            ClassifiedRecord(label: 0, prediction: 0, weight: 5),
            ClassifiedRecord(label: 0, prediction: 0, weight: 3),
            ClassifiedRecord(label: 1, prediction: 0, weight: 1),
        ])
        let report = evaluator.makeReport()
        #expect(report.value("accuracy") == 8.0 / 9)
        #expect(report.value("accuracy", over: .records(2)) == 0.75)
        #expect(report.scopes[1].count == 2)
    }

    @Test("the positive class may become known later")
    func latePositive() {
        var evaluator = evaluator()
        _ = evaluator.run([ClassifiedRecord(label: 0, prediction: 0)])
        #expect(evaluator.makeReport().value("f1") == nil)
        evaluator.setPositiveClass(1)
        _ = evaluator.run([ClassifiedRecord(label: 1, prediction: 1, probabilities: [1])])
        let report = evaluator.makeReport(classes: ["no", "yes", "not met yet"])
        #expect(report.value("f1") == 1)
        #expect(report.classes == ["no", "yes"])
        #expect(report.positiveClass == 1)
    }

    @Test("without probabilities their metrics are absent")
    func withoutProbabilities() {
        var evaluator = evaluator()
        _ = evaluator.run(
            [ClassifiedRecord(label: 0, prediction: 0, probabilities: [1])], probabilities: false)
        let report = evaluator.makeReport()
        #expect(report.value("accuracy") == 1)
        for name in ["log_loss", "brier", "roc_auc"] { #expect(report.value(name) == nil) }
    }

    @Test("log loss is clipped, and a probability that is no number counts 0")
    func clipping() {
        var evaluator = evaluator()
        _ = evaluator.run([
            ClassifiedRecord(label: 0, prediction: 1, probabilities: [.nan, .infinity])
        ])
        let report = evaluator.makeReport()
        #expect(isClose(report.value("log_loss") ?? 0, 34.538776394910684, tolerance: 1e-12))
        #expect(report.value("brier") == 1)
    }

    @Test("many classes are measured; only their scores are given up")
    func manyClasses() {
        var evaluator = evaluator([.records(50)])
        let stream = (0..<300).map { index in
            ClassifiedRecord(
                label: index % 100, prediction: index % 100,
                probabilities: [Double](repeating: 0.01, count: min(100, index)))
        }
        _ = evaluator.run(stream)
        let report = evaluator.makeReport()
        #expect(report.classes.count == 100)
        #expect(report.value("accuracy", over: .records(50)) == 1)
        #expect(report.value("f1_macro") == 1)
        #expect(report.value("roc_auc") == nil)
    }

    @Test("a regressor that diverges shows, and does not spoil what comes after")
    func divergence() throws {
        var evaluator = Evaluator(
            EvaluationSettings(task: .regression, windows: [.records(2)], every: .records(1)))
        let predictions = [1, Double.infinity, 1e300, 1, 3]
        let reports = evaluator.run(predictions.map { RegressedRecord(target: 2, prediction: $0) })
        #expect(reports[1].value("mae", over: .records(2)) ?? 0 > 1e99)
        #expect(reports[4].value("mae", over: .records(2)) == 1)
        #expect(reports[4].value("mse", over: .records(2)) == 1)
        #expect(reports[4].value("r2", over: .records(2)) == nil)
    }

    @Test("R² keeps its digits where labels are large and close together")
    func largeLabels() {
        var evaluator = Evaluator(EvaluationSettings(task: .regression, windows: []))
        var shifted = Evaluator(EvaluationSettings(task: .regression, windows: []))
        let stream = RandomStreams.regressed(seed: 8, count: 500, weights: [1, 2]).map {
            RegressedRecord(
                target: $0.target.rounded(), prediction: $0.prediction.rounded(), weight: $0.weight)
        }
        _ = evaluator.run(stream)
        _ = shifted.run(
            stream.map {
                RegressedRecord(
                    target: $0.target + 1e12, prediction: $0.prediction + 1e12, weight: $0.weight)
            })
        // Plain doubles would keep no digit: the squares are 23 orders above the spread.
        let (wanted, found) = (evaluator.makeReport(), shifted.makeReport())
        #expect(
            isClose(found.value("r2") ?? .nan, wanted.value("r2") ?? .nan, tolerance: 1e-9))
    }

    @Test("clustering: inertia and sizes; records without a cluster are not measured")
    func clustering() {
        var evaluator = Evaluator(
            EvaluationSettings(task: .clustering, windows: [.records(2)], every: .records(3)))
        var rows = Rows(columnCount: 0, capacity: 8)
        var predictions = Predictions(capacity: 8, wantsProbabilities: false)
        for (cluster, distance) in [(-1, .nan), (0, 1), (2, 4), (2, 9.0)] {
            let row = rows.appendRow()
            predictions.setLabel(row, Int32(cluster))
            predictions.setValue(row, distance)
        }
        #expect(evaluator.update(rows, 0..<4, predictions) == 4)
        #expect(evaluator.isReportDue)
        let report = evaluator.makeReport()
        #expect(report.evaluated == 3)
        #expect(report.unpredicted == 1)
        #expect(report.value("inertia") == 14)
        #expect(report.value("inertia", over: .records(2)) == 13)
        #expect(report.value("mean_squared_distance", over: .records(2)) == 6.5)
        #expect((0..<3).map { report.classValue("cluster_sizes", $0) } == [1, 0, 2])
        var decoder = StateDecoder(evaluator.encoded())
        let copy = try? Evaluator(evaluator.settings, from: &decoder)
        #expect(copy?.encoded() == evaluator.encoded())
        #expect(decoder.remaining == 0)
    }

    @Test(
        "a window of time that is too full forgets its oldest, and says so",
        .enabled(if: TestEnvironment.isRelease, "a long stream: runs in release builds only"))
    func truncation() {
        let limit = EvaluationSettings.windowRecordsLimit
        var evaluator = Evaluator(
            EvaluationSettings(task: .regression, windows: [.time(1 << 40), .records(10)]))
        let stream = (0..<(limit + 1000)).map {
            RegressedRecord(target: 1, prediction: $0 < 1000 ? 3 : 2, time: Int64($0))
        }
        _ = evaluator.run(stream, batch: 1024)
        let report = evaluator.makeReport()
        #expect(report.scopes[1].count == limit)
        #expect(report.scopes[1].truncated == 1000)
        #expect(report.value("mae", over: .time(1 << 40)) == 1)
        #expect(report.scopes[2].count == 10)
    }
}
