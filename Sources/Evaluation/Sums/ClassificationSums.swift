/// Weights by class: all that the label-only metrics need, and the sums of the probabilistic ones.
///
/// For two classes they give the whole confusion matrix: hits of class *c* are `correct[c]`, false
/// alarms `predicted[c] − correct[c]`, misses `actual[c] − correct[c]`.
package struct ClassificationSums: Sendable, Equatable {
    /// The weight of records with each class as label.
    package var actual: [Double]
    /// The weight of records with each class as prediction.
    package var predicted: [Double]
    /// The weight of records where prediction and label are this class.
    package var correct: [Double]
    /// The weight of records with the prediction `null`, which is never right.
    package var predictedNull: Double
    /// The weight of records whose label equals the label before.
    package var unchanged: Double
    /// The sums of what probabilities give; `nil` for baselines.
    package var probabilistic: ProbabilisticSums?

    package init(
        actual: [Double], predicted: [Double], correct: [Double], predictedNull: Double,
        unchanged: Double, probabilistic: ProbabilisticSums?
    ) {
        self.actual = actual
        self.predicted = predicted
        self.correct = correct
        self.predictedNull = predictedNull
        self.unchanged = unchanged
        self.probabilistic = probabilistic
    }

    /// The weight of all records.
    package var weight: Double { actual.reduce(0, +) }

    mutating func merge(_ addend: ClassificationSums, own: ClassMapping, other: ClassMapping) {
        func added(_ path: KeyPath<ClassificationSums, [Double]>) -> [Double] {
            var result = [Double](repeating: 0, count: own.count)
            for (code, value) in self[keyPath: path].enumerated() {
                result[own.codes[code]] += value
            }
            for (code, value) in addend[keyPath: path].enumerated() {
                result[other.codes[code]] += value
            }
            return result
        }
        if var merged = probabilistic, let addend = addend.probabilistic {
            merged.merge(addend, own: own, other: other)
            probabilistic = merged
        } else {
            probabilistic = nil
        }
        (actual, predicted, correct) = (added(\.actual), added(\.predicted), added(\.correct))
        predictedNull += addend.predictedNull
        unchanged += addend.unchanged
    }
}

/// The sums of log loss, Brier score and ROC AUC.
package struct ProbabilisticSums: Sendable, Equatable {
    /// Σ weight · −ln p(label).
    package var logLoss: Double
    /// Σ weight · Σ over classes of (p − [class is the label])²; for two classes twice the usual.
    package var brier: Double
    /// The scores of each class, if ROC AUC is tracked and the classes are few enough.
    package var scores: ScoreHistograms?

    package init(logLoss: Double, brier: Double, scores: ScoreHistograms?) {
        self.logLoss = logLoss
        self.brier = brier
        self.scores = scores
    }

    fileprivate mutating func merge(
        _ addend: ProbabilisticSums, own: ClassMapping, other: ClassMapping
    ) {
        logLoss += addend.logLoss
        brier += addend.brier
        if let merged = scores, let addend = addend.scores {
            scores = merged.merged(with: addend, own: own, other: other)
        } else {
            scores = nil
        }
    }
}

// MARK: - Metrics

extension ClassificationSums {
    /// A metric that is one number; `nil` if it is undefined.
    func value(_ metric: String, positiveClass: Int?) -> Double? {
        let weight = weight
        guard weight > 0 else { return nil }
        switch metric {
        case "accuracy": return correct.reduce(0, +) / weight
        case "balanced_accuracy": return balancedAccuracy
        case "precision": return positiveClass.flatMap { precision($0) }
        case "recall": return positiveClass.flatMap { recall($0) }
        case "f1": return positiveClass.flatMap { f1($0) }
        case "precision_macro": return macro { precision($0) }
        case "recall_macro": return macro { recall($0) }
        case "f1_macro": return macro { f1($0) }
        case "precision_micro": return ratio(correct.reduce(0, +), predicted.reduce(0, +))
        case "recall_micro": return correct.reduce(0, +) / weight
        case "f1_micro":
            return ratio(2 * correct.reduce(0, +), weight + predicted.reduce(0, +))
        case "precision_weighted": return weighted { precision($0) }
        case "recall_weighted": return weighted { recall($0) }
        case "f1_weighted": return weighted { f1($0) }
        case "kappa": return kappa
        case "kappa_temporal":
            return above(correct.reduce(0, +) / weight, chance: unchanged / weight)
        case "log_loss": return probabilistic.map { $0.logLoss / weight }
        case "brier":
            return probabilistic.map { $0.brier / weight / (actual.count > 2 ? 1 : 2) }
        case "roc_auc": return probabilistic?.scores?.rocAUC
        default: return nil
        }
    }

    /// A metric for each class in which it is defined.
    func classValues(_ metric: String) -> [ClassMetricValue] {
        let form: (Int) -> Double?
        switch metric {
        case "precision_per_class": form = { precision($0) }
        case "recall_per_class": form = { recall($0) }
        case "f1_per_class": form = { f1($0) }
        default: return []
        }
        return actual.indices.compactMap { code in
            form(code).map { ClassMetricValue(metric, index: code, $0) }
        }
    }

    private func precision(_ code: Int) -> Double? { ratio(correct[code], predicted[code]) }

    private func recall(_ code: Int) -> Double? { ratio(correct[code], actual[code]) }

    private func f1(_ code: Int) -> Double? {
        ratio(2 * correct[code], actual[code] + predicted[code])
    }

    private var balancedAccuracy: Double? {
        let recalls = actual.indices.compactMap { recall($0) }
        return ratio(recalls.reduce(0, +), Double(recalls.count))
    }

    /// The mean over the classes that occurred or were predicted; an undefined one counts 0.
    private func macro(_ form: (Int) -> Double?) -> Double? {
        let seen = actual.indices.filter { actual[$0] > 0 || predicted[$0] > 0 }
        return ratio(seen.reduce(0) { $0 + (form($1) ?? 0) }, Double(seen.count))
    }

    private func weighted(_ form: (Int) -> Double?) -> Double? {
        ratio(actual.indices.reduce(0) { $0 + actual[$1] * (form($1) ?? 0) }, weight)
    }

    private var kappa: Double? {
        let weight = weight
        var chance = 0.0
        for code in actual.indices {
            chance += (actual[code] / weight) * (predicted[code] / weight)
        }
        return above(correct.reduce(0, +) / weight, chance: chance)
    }

    /// (accuracy − chance) / (1 − chance); `nil` if chance alone is always right.
    private func above(_ accuracy: Double, chance: Double) -> Double? {
        chance < 1 ? (accuracy - chance) / (1 - chance) : nil
    }

    private func ratio(_ part: Double, _ whole: Double) -> Double? {
        whole > 0 ? part / whole : nil
    }
}
