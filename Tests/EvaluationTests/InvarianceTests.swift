// Method: seeded random streams through the same evaluator in other ways (other batches, stored and
// read back, cut into tasks) must give the same reports, bit for bit where sums are whole.
import Core
import Evaluation
import TestSupport
import Testing

@Suite("Evaluation, however it is cut")
struct InvarianceTests {
    static let windows: [Extent] = [.records(100), .time(7000)]
    static let everies: [Extent] = [.records(50), .time(5000)]

    private func settings(_ task: LearningTask, _ every: Extent) -> EvaluationSettings {
        EvaluationSettings(
            task: task, positiveClass: task == .classification ? 1 : nil, windows: Self.windows,
            every: every)
    }

    @Test("batches of any size give the same bits", arguments: everies)
    func batches(_ every: Extent) {
        let classified = RandomStreams.classified(
            seed: 1, count: 2500, classes: 4, weights: [1, 0.1])
        let regressed = RandomStreams.regressed(seed: 1, count: 2500, weights: [1, 0.1])
        var single = Evaluator(settings(.classification, every))
        let expected = single.run(classified, batch: 1)
        var singleRegression = Evaluator(settings(.regression, every))
        let expectedRegression = singleRegression.run(regressed, batch: 1)
        #expect(expected.count > 20)
        #expect(expectedRegression.count > 20)
        for batch in [7, 1000] {
            var evaluator = Evaluator(settings(.classification, every))
            #expect(evaluator.run(classified, batch: batch) == expected)
            #expect(evaluator.encoded() == single.encoded())
            var regression = Evaluator(settings(.regression, every))
            #expect(regression.run(regressed, batch: batch) == expectedRegression)
            #expect(regression.encoded() == singleRegression.encoded())
        }
    }

    @Test("stored and read back, it goes on alike", arguments: everies)
    func storing(_ every: Extent) throws {
        let classified = RandomStreams.classified(
            seed: 2, count: 1200, classes: 5, weights: [1, 0.3])
        let regressed = RandomStreams.regressed(seed: 2, count: 1200, weights: [1, 0.3])
        for cut in [0, 1, 150, 700] {
            var evaluator = Evaluator(settings(.classification, every))
            _ = evaluator.run(Array(classified[..<cut]))
            var copy = try restored(evaluator)
            #expect(
                copy.run(Array(classified[cut...])) == evaluator.run(Array(classified[cut...])))
            #expect(copy.encoded() == evaluator.encoded())
            var regression = Evaluator(settings(.regression, every))
            _ = regression.run(Array(regressed[..<cut]))
            var other = try restored(regression)
            #expect(
                other.run(Array(regressed[cut...])) == regression.run(Array(regressed[cut...])))
            #expect(other.encoded() == regression.encoded())
        }
    }

    private func restored(_ evaluator: Evaluator) throws -> Evaluator {
        var decoder = StateDecoder(evaluator.encoded())
        let copy = try Evaluator(evaluator.settings, from: &decoder)
        try decoder.finish()
        #expect(copy.encoded() == evaluator.encoded())
        return copy
    }

    @Test("cut state is refused")
    func truncation() {
        var evaluator = Evaluator(
            EvaluationSettings(task: .classification, windows: [.records(10), .time(500)]))
        _ = evaluator.run(
            RandomStreams.classified(seed: 3, count: 60, classes: 3, weights: [1, 0.5]))
        let bytes = evaluator.encoded()
        for length in stride(from: 0, to: bytes.count, by: 7) {
            var decoder = StateDecoder(Array(bytes.prefix(length)))
            #expect(throws: StateError.self) {
                _ = try Evaluator(evaluator.settings, from: &decoder)
            }
        }
    }

    @Test("making a report changes nothing")
    func reportsArePure() {
        let stream = RandomStreams.classified(seed: 4, count: 800, classes: 3, weights: [1])
        var quiet = Evaluator(settings(.classification, .records(1 << 20)))
        var curious = quiet
        for record in stream {
            _ = quiet.run([record])
            _ = curious.run([record])
            _ = curious.makeReport()
        }
        #expect(curious.makeReport() == quiet.makeReport())
        #expect(curious.encoded() == quiet.encoded())
    }

    @Test("two tasks merge to what one would have measured", arguments: [2, 4])
    func merging(classes: Int) throws {
        let settings = EvaluationSettings(
            task: .classification, positiveClass: 0, windows: [.records(5000)],
            every: .records(1 << 20))
        let names = ["a", "b", "c", "d"].prefix(classes)
        // The second task met the classes in another order.
        let first = RandomStreams.classified(
            seed: 5, count: 900, classes: classes, weights: [1, 2])
        let second = RandomStreams.classified(
            seed: 6, count: 700, classes: classes, weights: [1, 2])
        func turned(_ code: Int) -> Int { code < 0 ? code : classes - 1 - code }
        var merged = report(first, settings, Array(names))
        let reversed = report(second, settings, names.reversed())
        merged.merge(reversed)
        let known = (0..<classes).map { _ in 0.0 }
        let together =
            first
            + second.map { record in
                var copy = record
                copy.label = turned(record.label)
                copy.prediction = turned(record.prediction)
                copy.majority = turned(record.majority)
                copy.noChange = turned(record.noChange)
                copy.probabilities = known
                for (code, value) in record.probabilities.enumerated() {
                    copy.probabilities[turned(code)] = value
                }
                return copy
            }
        let whole = report(together, settings, Array(names))
        #expect(merged.records == whole.records)
        #expect(merged.evaluated == whole.evaluated)
        #expect(merged.unlabelled == whole.unlabelled)
        #expect(merged.classes == whole.classes)
        for series in 0..<3 {
            guard case .classification(let found) = merged.scopes[0].series[series].sums,
                case .classification(let wanted) = whole.scopes[0].series[series].sums
            else {
                Issue.record("no sums of classification")
                return
            }
            #expect(found.actual == wanted.actual)
            #expect(found.predicted == wanted.predicted)
            #expect(found.correct == wanted.correct)
            #expect(found.predictedNull == wanted.predictedNull)
            if let loss = found.probabilistic?.logLoss {
                #expect(isClose(loss, wanted.probabilistic?.logLoss ?? .nan, tolerance: 1e-12))
            }
        }
        for name in ["accuracy", "f1_macro", "kappa", "recall", "log_loss"] {
            let (found, wanted) = (merged.value(name), whole.value(name))
            #expect(isClose(found ?? .nan, wanted ?? .infinity, tolerance: 1e-12), "\(name)")
        }
        let found = try #require(merged.value("roc_auc", over: .records(5000)))
        let wanted = try #require(whole.value("roc_auc", over: .records(5000)))
        #expect(abs(found - wanted) < 3e-3, "\(found), not \(wanted)")
    }

    private func report(
        _ records: [ClassifiedRecord], _ settings: EvaluationSettings, _ names: [String]
    ) -> MetricsReport {
        var evaluator = Evaluator(settings)
        _ = evaluator.run(records)
        return evaluator.makeReport(classes: names)
    }

    @Test("two regression tasks merge to what one would have measured")
    func mergingRegression() throws {
        let stream = RandomStreams.regressed(seed: 7, count: 2000, weights: [1, 0.5])
        let settings = EvaluationSettings(task: .regression, windows: [])
        var parts = [stream[..<700], stream[700...]].map { part in
            var evaluator = Evaluator(settings)
            _ = evaluator.run(Array(part))
            return evaluator.makeReport()
        }
        var evaluator = Evaluator(settings)
        _ = evaluator.run(stream)
        let whole = evaluator.makeReport()
        parts[0].merge(parts[1])
        for name in whole.tracked {
            let (found, wanted) = (parts[0].value(name), whole.value(name))
            #expect(isClose(found ?? .nan, wanted ?? .infinity, tolerance: 1e-11), "\(name)")
        }
    }
}
