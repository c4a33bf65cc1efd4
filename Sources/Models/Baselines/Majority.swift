package import Core

/// Predicts the class that weighed most so far: the baseline of every classifier.
///
/// The probabilities are the classes' shares of the weight; equal before the first label. Without
/// any label the first known class is predicted.
///
/// - Complexity: O(1) time per record, O(*c*) with probabilities of *c* classes; 8 bytes a class.
package struct Majority: Classifier {
    package static let declaration = ComponentDeclaration(
        name: "majority",
        summary: "The most frequent class so far, whatever the features say: a baseline.",
        source: "MOA's MajorityClass", settings: [])

    /// The weight of each class's records; only labels that came make it longer.
    private var counts: [Double] = []
    /// The heaviest class, the lowest code among equals.
    private var best = 0

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {}

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range { predict(rows, row, into: &predictions) }
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows.classLabels[row], rows.weights[row]) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range {
            predict(rows, row, into: &predictions)
            learn(rows.classLabels[row], rows.weights[row])
        }
    }

    @inline(__always)
    private func predict(
        _ rows: borrowing Rows, _ row: Int, into predictions: inout Predictions
    ) {
        let known = Int(rows.knownClasses[row])
        let label = best < known ? best : heaviest(below: known)
        predictions.setLabel(row, Int32(truncatingIfNeeded: label))
        if predictions.wantsProbabilities { writeShares(row, known, into: &predictions) }
    }

    /// The heaviest of the first classes; −1 if there is none.
    private func heaviest(below known: Int) -> Int {
        var result = known > 0 ? 0 : -1
        for label in 0..<min(known, counts.count) where counts[label] > counts[result] {
            result = label
        }
        return result
    }

    private func writeShares(_ row: Int, _ known: Int, into predictions: inout Predictions) {
        var sum = 0.0
        for label in 0..<min(known, counts.count) { sum += counts[label] }
        for label in 0..<known {
            let count = label < counts.count ? counts[label] : 0
            predictions.setProbability(row, label, sum > 0 ? count / sum : 1 / Double(known))
        }
    }

    @inline(__always)
    private mutating func learn(_ code: Int32, _ weight: Double) {
        guard code >= 0, weight > 0 else { return }
        let label = Int(code)
        if label >= counts.count {
            counts += repeatElement(0, count: label + 1 - counts.count)
        }
        // A sum that would overflow stays: shares of infinity mean nothing.
        let count = min(counts[label] + weight, 1e300)
        counts[label] = count
        if count > counts[best] || (count == counts[best] && label < best) { best = label }
    }

    package mutating func reset() {
        counts.removeAll(keepingCapacity: true)
        best = 0
    }

    package var stateBytes: Int { counts.count * MemoryLayout<Double>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        encoder.write(counts)
        encoder.write(best)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        counts = try decoder.readDoubles()
        best = try decoder.readInt(in: 0...max(0, counts.count - 1), "the heaviest class")
        for count in counts where !(count >= 0 && count <= 1e300) {
            throw .invalidValue("the weight of a class is \(count)")
        }
    }
}
