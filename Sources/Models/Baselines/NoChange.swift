package import Core

/// Predicts the label of the record before, with probability 1: the baseline of kappa-temporal.
///
/// Before the first label the first known class.
///
/// - Complexity: O(1) time per record, O(*c*) with probabilities of *c* classes; 4 bytes.
package struct NoChange: Classifier {
    package static let declaration = ComponentDeclaration(
        name: "no_change",
        summary: "The previous label, whatever the features say: a baseline.",
        source: "MOA's NoChange", settings: [])

    private var last: Int32 = 0

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {}

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range { predict(rows, row, into: &predictions) }
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows, row) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range {
            predict(rows, row, into: &predictions)
            learn(rows, row)
        }
    }

    @inline(__always)
    private func predict(
        _ rows: borrowing Rows, _ row: Int, into predictions: inout Predictions
    ) {
        let known = rows.knownClasses[row]
        let label = last < known ? last : known > 0 ? 0 : -1
        predictions.setLabel(row, label)
        if predictions.wantsProbabilities {
            for other in 0..<Int(known) {
                predictions.setProbability(row, other, other == Int(label) ? 1 : 0)
            }
        }
    }

    @inline(__always)
    private mutating func learn(_ rows: borrowing Rows, _ row: Int) {
        let label = rows.classLabels[row]
        if label >= 0, rows.weights[row] > 0 { last = label }
    }

    package mutating func reset() { last = 0 }

    package var stateBytes: Int { MemoryLayout<Int32>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        encoder.write(last)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        last = try decoder.readInteger(Int32.self)
        guard last >= 0 else { throw .invalidValue("the last label is \(last)") }
    }
}
