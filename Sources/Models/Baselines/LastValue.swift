package import Core

/// Predicts the number that the record before was labelled with: `no_change` for regression.
///
/// 0 before the first label.
///
/// - Complexity: O(1) time per record; 8 bytes.
package struct LastValue: Regressor {
    package static let declaration = ComponentDeclaration(
        name: "last_value",
        summary: "The previous label of a regression, whatever the features say: a baseline.",
        source: "the naive forecast", settings: [])

    private var last = 0.0

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {}

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range { predictions.setValue(row, last) }
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows, row) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range {
            predictions.setValue(row, last)
            learn(rows, row)
        }
    }

    @inline(__always)
    private mutating func learn(_ rows: borrowing Rows, _ row: Int) {
        let target = rows.targets[row]
        if target.isFinite, rows.weights[row] > 0 { last = target }
    }

    package mutating func reset() { last = 0 }

    package var stateBytes: Int { MemoryLayout<Double>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        encoder.write(last)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        last = try decoder.readDouble()
        guard last.isFinite else { throw .invalidValue("the last label is \(last)") }
    }
}
