import Core
import Models
import Testing

/// A learner of any kind behind one set of methods.
struct TestLearner {
    let model: ModelCase
    private var kind: AnyLearner
    /// The end of the last range learned.
    private(set) var learned = 0

    init(_ model: ModelCase, seed: UInt64 = 42) {
        self.model = model
        do {
            kind = try ModelCatalogue.make(
                model.name, settings: model.settings, layout: model.layout, declaredClasses: 0,
                seed: seed)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The learner itself.
    var learner: any Learner {
        switch kind {
        case .classifier(let model): model
        case .regressor(let model): model
        case .clusterer(let model): model
        }
    }

    func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        learner.predict(rows, range, into: &predictions)
    }

    mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        var any = learner
        any.learn(rows, range)
        replace(any)
        learned = range.upperBound
    }

    mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        var any = learner
        any.predictAndLearn(rows, range, into: &predictions)
        replace(any)
    }

    mutating func reset() {
        var any = learner
        any.reset()
        replace(any)
    }

    private mutating func replace(_ any: any Learner) {
        if let model = any as? any Classifier { kind = .classifier(model) }
        if let model = any as? any Regressor { kind = .regressor(model) }
        if let model = any as? any Clusterer { kind = .clusterer(model) }
    }

    func predicted(_ rows: borrowing Rows) -> Predictions {
        var predictions = Predictions(
            capacity: rows.count, classCapacity: StreamGenerator.classes)
        predict(rows, 0..<rows.count, into: &predictions)
        return predictions
    }

    mutating func predictedAndLearned(_ rows: borrowing Rows, by size: Int) -> Predictions {
        var predictions = Predictions(
            capacity: rows.count, classCapacity: StreamGenerator.classes)
        var row = 0
        while row < rows.count {
            let end = min(rows.count, row + size)
            predictAndLearn(rows, row..<end, into: &predictions)
            row = end
        }
        return predictions
    }

    var stateBytes: Int { learner.stateBytes }

    var encoded: [UInt8] {
        var encoder = StateEncoder()
        learner.encode(to: &encoder)
        return encoder.bytes
    }

    func decoded(_ bytes: [UInt8]) throws -> TestLearner {
        var decoder = StateDecoder(bytes)
        var result = self
        result.kind = try ModelCatalogue.decode(model.name, from: &decoder)
        try decoder.finish()
        return result
    }

    /// Labels are known classes, probabilities lie in [0, 1] and sum to 1, numbers are finite.
    func checkRange(_ predictions: borrowing Predictions, _ rows: borrowing Rows) {
        for row in 0..<rows.count {
            let label = Int(predictions.labels[row])
            let value = predictions.values[row]
            switch kind {
            case .classifier:
                let known = Int(rows.knownClasses[row])
                #expect(known == 0 ? label == -1 : (0..<known).contains(label), "row \(row)")
                guard known > 0 else { continue }
                var sum = 0.0
                var largest = 0.0
                for other in 0..<known {
                    let base = row * predictions.classCapacity
                    let probability = predictions.probabilities[base + other]
                    #expect(probability >= 0 && probability <= 1, "row \(row): \(probability)")
                    sum += probability
                    largest = max(largest, probability)
                }
                #expect(abs(sum - 1) < 1e-9, "row \(row): probabilities sum to \(sum)")
                guard label >= 0 else { continue }
                let own = predictions.probabilities[row * predictions.classCapacity + label]
                #expect(own > largest - 1e-12, "row \(row): \(own) is not the largest")
            case .regressor:
                #expect(value.isFinite, "row \(row): \(value)")
            case .clusterer(let clusterer):
                let count = clusterer.clusterCount
                #expect(label >= -1 && label < count, "row \(row): cluster \(label)")
                #expect(label < 0 || (value >= 0 && value.isFinite), "row \(row): \(value)")
            }
        }
    }
}

extension Predictions {
    /// A hash of the bits of everything that the rows' predictions say.
    borrowing func hash(_ count: Int) -> UInt64 {
        var hash = ContentHash()
        for row in 0..<count {
            hash.combine(UInt64(bitPattern: Int64(labels[row])))
            hash.combine(values[row].bitPattern)
            for label in 0..<classCapacity where wantsProbabilities {
                hash.combine(probabilities[row * classCapacity + label].bitPattern)
            }
        }
        return hash.value
    }

    borrowing func equals(_ other: borrowing Predictions, _ count: Int) -> Bool {
        hash(count) == other.hash(count)
    }
}
