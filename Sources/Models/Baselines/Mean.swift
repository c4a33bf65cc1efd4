package import Core

/// Predicts the weighted mean of the labels so far, in their units: the baseline of R².
///
/// 0 before the first label.
///
/// - Complexity: O(1) time per record; 16 bytes.
package struct Mean: Regressor {
    package static let declaration = ComponentDeclaration(
        name: "mean",
        summary: "The mean of the labels so far, whatever the features say: a baseline.",
        source: "Welford 1962", settings: [])

    private var mean = 0.0
    private var weightSum = 0.0

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {}

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range { predictions.setValue(row, mean) }
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows.targets[row], rows.weights[row]) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range {
            predictions.setValue(row, mean)
            learn(rows.targets[row], rows.weights[row])
        }
    }

    @inline(__always)
    private mutating func learn(_ target: Double, _ weight: Double) {
        guard target.isFinite, weight > 0 else { return }
        let sum = weightSum + weight
        let moved = mean + (target - mean) * (weight / sum)
        // Labels whose differences overflow are left out: the mean stays a number.
        guard sum.isFinite, moved.isFinite else { return }
        mean = moved
        weightSum = sum
    }

    package mutating func reset() {
        mean = 0
        weightSum = 0
    }

    package var stateBytes: Int { 2 * MemoryLayout<Double>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        encoder.write(mean)
        encoder.write(weightSum)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        mean = try decoder.readDouble()
        guard mean.isFinite else { throw .invalidValue("a mean is \(mean)") }
        weightSum = try decoder.readSize("a sum of weights")
    }
}
