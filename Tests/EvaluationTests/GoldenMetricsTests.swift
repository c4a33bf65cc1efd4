// Method: the metrics' golden files, cumulative and over windows, at the files' tolerance.
//
// Which library is matched:
// - scikit-learn at the end of each sequence: accuracy, balanced accuracy, precision, recall and F1
//   (of the positive class, per class, macro, micro, weighted), kappa, log loss, Brier, ROC AUC
//   (one-versus-rest, macro), MAE, MSE, RMSE, R².
// - River along the way. Where a metric is undefined River says 0 and ours is absent.
// - MOA along the way: accuracy, kappa, kappa temporal, precision, recall and F1 per class, precision
//   and recall averaged, each cumulative and over its window. Where MOA says NaN nothing is compared:
//   it does so while any declared class is missing. Its averaged F1 is the harmonic mean of averaged
//   precision and recall, not scikit-learn's and River's mean of F1, and is not compared either.
// - ROC AUC is compared over windows, where it is exact; the cumulative one is exact to a bin.
import Core
import Evaluation
import TestSupport
import Testing

@Suite("Metrics against scikit-learn, River and MOA")
struct GoldenMetricsTests {
    private func expect(
        _ value: Double?, _ golden: Golden, scale: Double = 1, _ tolerance: Double
    ) {
        guard let value else {
            // Undefined: River says 0, scikit-learn and MOA NaN or null.
            let isUndefined = !golden.exists || golden.double == 0 || golden.double.isNaN
            #expect(isUndefined, "\(golden.path) is \(golden), ours is undefined")
            return
        }
        let wanted = golden.double / scale
        #expect(isClose(value, wanted, tolerance: tolerance), "\(golden.path): \(value)")
    }

    @Test("two classes")
    func binary() throws {
        let golden = try Golden.load("metrics_binary")
        let tolerance = golden["tolerance"].double
        let labels = golden["inputs"]["y_true"].ints
        let scores = golden["inputs"]["score"].doubles
        let window = Extent.records(golden["inputs"]["window"].int)
        let whole = Extent.records(labels.count)
        var evaluator = Evaluator(
            EvaluationSettings(
                task: .classification, positiveClass: 1, windows: [window, whole],
                every: .records(1 << 30)))
        let records = zip(labels, scores).map { label, score in
            ClassifiedRecord(
                label: label, prediction: score > 0.5 ? 1 : 0, probabilities: [1 - score, score])
        }
        var done = 0
        for step in golden["trajectory"].array {
            _ = evaluator.run(Array(records[done..<step["after"].int]))
            done = step["after"].int
            let report = evaluator.makeReport()
            for name in Self.riverBinary {
                expect(report.value(name.ours), step["river"][name.river], tolerance)
            }
            expect(report.value("log_loss"), step["river_prob"]["log_loss"], tolerance)
            for name in Self.riverBinary where step["river_rolling"][name.river].exists {
                let value = report.value(name.ours, over: window)
                expect(value, step["river_rolling"][name.river], tolerance)
            }
            let area = report.value("roc_auc", over: window)
            #expect((area != nil) == step["rolling_roc_auc"].exists)
            expect(area, step["rolling_roc_auc"], tolerance)
        }
        _ = evaluator.run(Array(records[done...]))
        let report = evaluator.makeReport()
        let full = golden["sklearn_full"]
        for name in Self.riverBinary + [("log_loss", "log_loss"), ("brier", "brier")] {
            expect(report.value(name.ours), full[name.river], tolerance)
        }
        expect(report.value("roc_auc", over: whole), full["roc_auc"], tolerance)
        let binned = try #require(report.value("roc_auc"))
        #expect(isClose(binned, full["roc_auc"].double, tolerance: 1e-3))
        expect(report.value("roc_auc", over: window), full["roc_auc_last_window"], tolerance)
        expect(report.value("accuracy", over: window), full["window_accuracy"], tolerance)
        checkMarginals(report, full["confusion_rows_true_cols_pred"])
    }

    private static let riverBinary: [(ours: String, river: String)] = [
        ("accuracy", "accuracy"), ("balanced_accuracy", "balanced_accuracy"),
        ("precision", "precision"), ("recall", "recall"), ("f1", "f1"), ("kappa", "cohen_kappa"),
    ]

    private func checkMarginals(_ report: MetricsReport, _ confusion: Golden) {
        let matrix = confusion.array.map(\.doubles)
        guard case .classification(let sums) = report.scopes[0].series[0].sums else {
            Issue.record("no sums of classification")
            return
        }
        #expect(sums.actual == matrix.map { $0.reduce(0, +) })
        #expect(sums.correct == matrix.indices.map { matrix[$0][$0] })
        #expect(
            sums.predicted
                == matrix.indices.map { column in matrix.reduce(0) { $0 + $1[column] } })
        #expect(sums.predictedNull == 0)
    }

    @Test("edge cases of two classes")
    func edgeCases() throws {
        let golden = try Golden.load("metrics_binary")
        for example in golden["edge_cases"].array {
            let records = zip(example["y_true"].ints, example["y_pred"].ints).map {
                ClassifiedRecord(label: $0, prediction: $1, probabilities: [0.5, 0.5])
            }
            var evaluator = Evaluator(
                EvaluationSettings(
                    task: .classification, positiveClass: 1, every: .records(1 << 30)))
            _ = evaluator.run(records)
            let report = evaluator.makeReport()
            for name in Self.riverBinary {
                let value = report.value(name.ours)
                expect(value, example["river"][name.river], golden["tolerance"].double)
            }
        }
    }

    @Test("several classes")
    func multiclass() throws {
        let golden = try Golden.load("metrics_multiclass")
        let tolerance = golden["tolerance"].double
        let inputs = golden["inputs"]
        let labels = inputs["y_true"].ints
        let window = Extent.records(inputs["moa_window"].int)
        let whole = Extent.records(labels.count)
        var evaluator = Evaluator(
            EvaluationSettings(
                task: .classification, windows: [window, whole], every: .records(1 << 30)))
        let records = zip(labels, inputs["probabilities"].array.map(\.doubles)).map {
            label, probabilities in
            var best = 0
            for code in probabilities.indices where probabilities[code] > probabilities[best] {
                best = code
            }
            return ClassifiedRecord(
                label: label, prediction: best, probabilities: probabilities)
        }
        var done = 0
        for step in golden["trajectory"].array {
            _ = evaluator.run(Array(records[done..<step["after"].int]))
            done = step["after"].int
            let report = evaluator.makeReport()
            for name in Self.riverMulticlass {
                expect(report.value(name.ours), step["river"][name.river], tolerance)
            }
            expect(report.value("log_loss"), step["river_cross_entropy"], tolerance)
            checkMOA(report, nil, step["moa"]["basic"], tolerance)
            checkMOA(report, window, step["moa"]["window"], tolerance)
        }
        _ = evaluator.run(Array(records[done...]))
        let report = evaluator.makeReport()
        let full = golden["sklearn_full"]
        expect(report.value("accuracy"), full["accuracy"], tolerance)
        expect(report.value("balanced_accuracy"), full["balanced_accuracy"], tolerance)
        expect(report.value("kappa"), full["cohen_kappa"], tolerance)
        expect(report.value("log_loss"), full["log_loss"], tolerance)
        expect(report.value("roc_auc", over: whole), full["roc_auc_ovr_macro"], tolerance)
        for name in ["precision", "recall", "f1"] {
            for form in ["macro", "micro", "weighted"] {
                expect(report.value("\(name)_\(form)"), full[form][name], tolerance)
            }
            for (code, value) in full["per_class"][name].array.enumerated() {
                expect(report.classValue("\(name)_per_class", code), value, tolerance)
            }
        }
        checkMarginals(report, full["confusion_rows_true_cols_pred"])
    }

    private static let riverMulticlass: [(ours: String, river: String)] =
        [
            ("accuracy", "Accuracy"), ("balanced_accuracy", "BalancedAccuracy"),
            ("kappa", "CohenKappa"),
        ]
        + ["Macro", "Micro", "Weighted"].flatMap { form in
            ["Precision", "Recall", "F1"].map { name in
                ("\(name.lowercased())_\(form.lowercased())", "\(form)\(name)")
            }
        }

    private func checkMOA(
        _ report: MetricsReport, _ extent: Extent?, _ golden: Golden, _ tolerance: Double
    ) {
        func compare(_ value: Double?, _ name: String) {
            let wanted = golden["\(name) (percent)"]
            guard wanted.exists, !wanted.double.isNaN else { return }
            #expect(value != nil, "\(wanted.path)")
            expect(value, wanted, scale: 100, tolerance)
        }
        compare(report.value("accuracy", over: extent), "classifications correct")
        compare(report.value("kappa", over: extent), "Kappa Statistic")
        compare(report.value("kappa_temporal", over: extent), "Kappa Temporal Statistic")
        compare(report.value("precision_macro", over: extent), "Precision")
        compare(report.value("recall_macro", over: extent), "Recall")
        for code in report.classes.indices {
            for (ours, name) in [
                ("precision", "Precision"), ("recall", "Recall"), ("f1", "F1 Score"),
            ] {
                let value = report.classValue("\(ours)_per_class", code, over: extent)
                compare(value, "\(name) for class \(code)")
            }
        }
    }

    @Test("numbers")
    func regression() throws {
        let golden = try Golden.load("metrics_regression")
        let tolerance = golden["tolerance"].double
        let targets = golden["inputs"]["y_true"].doubles
        let window = Extent.records(golden["inputs"]["window"].int)
        var evaluator = Evaluator(
            EvaluationSettings(task: .regression, windows: [window], every: .records(1 << 30)))
        let records = zip(targets, golden["inputs"]["y_pred"].doubles).map {
            RegressedRecord(target: $0, prediction: $1)
        }
        let names = [("mae", "MAE"), ("mse", "MSE"), ("rmse", "RMSE"), ("r2", "R2")]
        var done = 0
        for step in golden["trajectory"].array {
            _ = evaluator.run(Array(records[done..<step["after"].int]))
            done = step["after"].int
            let report = evaluator.makeReport()
            for (ours, river) in names {
                expect(report.value(ours), step["river"][river], tolerance)
                if step["river_rolling"][river].exists {
                    let value = report.value(ours, over: window)
                    expect(value, step["river_rolling"][river], tolerance)
                }
            }
        }
        _ = evaluator.run(Array(records[done...]))
        let report = evaluator.makeReport()
        for (name, _) in names {
            expect(report.value(name), golden["sklearn_full"][name], tolerance)
        }
    }
}
