package import Core

/// Measures what a task's model predicts, prequentially: each prediction before its label is
/// learned.
///
/// Takes whole batches; where batches are cut never changes a bit. Metrics use the records'
/// weights, while windows and `every` count records.
///
/// ```swift
/// var row = 0
/// while row < rows.count {
///     row = evaluator.update(
///         rows, row..<rows.count, predictions, baseline: majority, noChange: noChange)
///     if evaluator.isReportDue { emit(evaluator.makeReport(classes: names)) }
/// }
/// ```
///
/// - Complexity: O(1) amortised time per record, window and series; memory for the records of the
///   widest window. Allocates only while classes appear, a window of time grows, or reporting.
package struct Evaluator: Sendable, Equatable {
    package let settings: EvaluationSettings
    // One of the three stands; calling through the optional changes it in place.
    private var classification: ClassificationEvaluator?
    private var regression: RegressionEvaluator?
    private var clustering: ClusteringEvaluator?

    package init(_ settings: EvaluationSettings) {
        self.settings = settings
        switch settings.task {
        case .classification: classification = ClassificationEvaluator(settings)
        case .regression: regression = RegressionEvaluator(settings)
        case .clustering: clustering = ClusteringEvaluator(settings)
        }
    }

    /// The names of a task's baselines in the order of ``update(_:_:_:baseline:noChange:)``.
    package static func baselineNames(of task: LearningTask) -> [String] {
        switch task {
        case .classification: ["majority", "no_change"]
        case .regression: ["mean", "no_change"]
        case .clustering: []
        }
    }

    /// Takes rows from the start of `range` until a report is due, or to its end.
    ///
    /// A row without a label is counted and not measured. In classification the prediction −1
    /// counts as wrong; in regression NaN is not measured.
    ///
    /// - Parameters:
    ///   - predictions: What the model said of each row, before it learned the row's label.
    ///   - baseline: What `majority`, or `mean`, said; labels or values only.
    ///   - noChange: What `no_change` said; labels or values only.
    /// - Returns: The index of the first row not taken.
    /// - Precondition: The task has labels, and no report is due.
    package mutating func update(
        _ rows: borrowing Rows, _ range: Range<Int>, _ predictions: borrowing Predictions,
        baseline: borrowing Predictions, noChange: borrowing Predictions
    ) -> Int {
        precondition(!isReportDue, "make the report that is due before taking more rows")
        precondition(settings.task != .clustering, "clustering has no baselines")
        return classification?.update(
            rows, range, predictions, majority: baseline, noChange: noChange)
            ?? regression?.update(rows, range, predictions, mean: baseline, noChange: noChange)
            ?? range.upperBound
    }

    /// Takes rows of a clustering task from the start of `range` until a report is due.
    ///
    /// A row with the prediction −1 is counted as unpredicted and not measured.
    ///
    /// - Returns: The index of the first row not taken.
    /// - Precondition: The task is clustering, and no report is due.
    package mutating func update(
        _ rows: borrowing Rows, _ range: Range<Int>, _ predictions: borrowing Predictions
    ) -> Int {
        precondition(!isReportDue, "make the report that is due before taking more rows")
        precondition(settings.task == .clustering, "\(settings.task.rawValue) needs baselines")
        return clustering?.update(rows, range, predictions) ?? range.upperBound
    }

    /// Whether the last row taken crossed a multiple of `every`.
    package var isReportDue: Bool { clock?.isReportDue ?? false }
    /// Records seen, labelled or not.
    package var records: Int { clock?.records ?? 0 }
    /// Records measured.
    package var evaluated: Int { clock?.evaluated ?? 0 }

    private var clock: EvaluationClock? {
        classification?.clock ?? regression?.clock ?? clustering?.clock
    }

    /// Names the positive class, once its code is known.
    package mutating func setPositiveClass(_ code: Int32) {
        classification?.positiveClass = code
    }

    /// What was measured up to the last row taken; settles a report that is due.
    ///
    /// May be called at any time; calling it does not change later values.
    ///
    /// - Parameter classes: The texts of the classes by code; those beyond the classes that the
    ///   evaluator has met are ignored, missing ones are named by their code.
    package mutating func makeReport(classes: [String] = []) -> MetricsReport {
        if let report = classification?.makeReport(classes: classes) { return report }
        if let report = regression?.makeReport() { return report }
        if let report = clustering?.makeReport() { return report }
        preconditionFailure("no evaluator for \(settings.task.rawValue)")
    }

    /// Memory of the state, in bytes.
    package var stateBytes: Int {
        classification?.stateBytes ?? regression?.stateBytes ?? clustering?.stateBytes ?? 0
    }

    package func encode(to encoder: inout StateEncoder) {
        classification?.encode(to: &encoder)
        regression?.encode(to: &encoder)
        clustering?.encode(to: &encoder)
    }

    /// Reads the state of an evaluator with the same settings.
    package init(
        _ settings: EvaluationSettings, from decoder: inout StateDecoder
    ) throws(StateError) {
        self.settings = settings
        switch settings.task {
        case .classification:
            classification = try ClassificationEvaluator(settings, from: &decoder)
        case .regression: regression = try RegressionEvaluator(settings, from: &decoder)
        case .clustering: clustering = try ClusteringEvaluator(settings, from: &decoder)
        }
    }
}
