package import Core

/// What every learner has in common: batches in, predictions out, complete state in bytes.
///
/// - Predicting never changes state, and works before the first record, with missing values,
///   categories and classes that were never seen.
/// - `predictAndLearn` predicts each row before learning from it and equals `predict` and `learn`
///   row by row, bit for bit, wherever batches are cut.
/// - Rows without a label are predicted and teach nothing (a clusterer learns from every row).
///   Rows of weight 0 teach nothing. A weight *w* equals *w* repeats where the algorithm allows.
/// - Randomness comes from the learner's own generator, which is part of the state.
/// - Memory is bounded by a setting, or fixed by the layout.
package protocol Learner: Sendable {
    mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions)
    func predict(_ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions)
    mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>)

    /// Forgets everything learned and keeps the settings, the layout and the random sequence.
    mutating func reset()
    /// Memory of the state, in bytes.
    var stateBytes: Int { get }

    /// Writes settings, layout and everything learned.
    func encode(to encoder: inout StateEncoder)
    /// Reads what ``encode(to:)`` wrote.
    init(from decoder: inout StateDecoder) throws(StateError)
}

/// Predicts one of the classes in `rows.classLabels`.
///
/// For each row fills `predictions.labels`, and, if wanted, the probability of every class in
/// `rows.knownClasses`; with no class known the label is −1. Ties go to the lowest code.
package protocol Classifier: Learner {}

/// Predicts `rows.targets` into `predictions.values`, always finite.
package protocol Regressor: Learner {}

/// Assigns rows to clusters: `predictions.labels` the cluster, or −1 while there is none, and
/// `predictions.values` the squared distance to its centre.
package protocol Clusterer: Learner {
    var clusterCount: Int { get }
}

/// A learner with its kind, as the engine holds it.
package enum AnyLearner: Sendable {
    case classifier(any Classifier)
    case regressor(any Regressor)
    case clusterer(any Clusterer)
}
