import Foundation

/// Metrics from scratch, by their definitions: the oracle.
struct NaiveMetrics {
    let records: [ClassifiedRecord]
    /// Whether each record's label equals the label before it in the stream.
    let repeats: [Bool]
    let classCount: Int

    private func weight(_ isIncluded: (ClassifiedRecord) -> Bool) -> Double {
        records.filter(isIncluded).reduce(0) { $0 + $1.weight }
    }

    private var total: Double { weight { _ in true } }

    private func ratio(_ part: Double, _ whole: Double) -> Double? {
        whole > 0 ? part / whole : nil
    }

    private func recall(_ code: Int) -> Double? {
        ratio(weight { $0.label == code && $0.prediction == code }, weight { $0.label == code })
    }

    private func precision(_ code: Int) -> Double? {
        ratio(
            weight { $0.label == code && $0.prediction == code }, weight { $0.prediction == code })
    }

    private func f1(_ code: Int) -> Double? {
        guard weight({ $0.label == code || $0.prediction == code }) > 0 else { return nil }
        let (precision, recall) = (precision(code) ?? 0, recall(code) ?? 0)
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }

    private func macro(_ form: (Int) -> Double?) -> Double? {
        let seen = (0..<classCount).filter { code in
            records.contains { $0.weight > 0 && ($0.label == code || $0.prediction == code) }
        }
        return ratio(seen.map { form($0) ?? 0 }.reduce(0, +), Double(seen.count))
    }

    private func above(_ accuracy: Double, _ chance: Double) -> Double? {
        chance < 1 ? (accuracy - chance) / (1 - chance) : nil
    }

    private func area(_ code: Int) -> Double? {
        func score(_ record: ClassifiedRecord) -> Double {
            code < record.probabilities.count ? record.probabilities[code] : 0
        }
        var pairs = 0.0
        var ordered = 0.0
        for first in records where first.label == code {
            for second in records where second.label != code {
                let weight = first.weight * second.weight
                pairs += weight
                if score(first) > score(second) {
                    ordered += weight
                } else if score(first) == score(second) {
                    ordered += weight / 2
                }
            }
        }
        return ratio(ordered, pairs)
    }

    func value(_ metric: String, positive: Int) -> Double? {
        guard total > 0 else { return nil }
        let right = weight { $0.label == $0.prediction }
        let predicted = weight { $0.prediction >= 0 }
        switch metric {
        case "accuracy", "recall_micro": return right / total
        case "precision_micro": return ratio(right, predicted)
        case "f1_micro": return ratio(2 * right, total + predicted)
        case "balanced_accuracy":
            let recalls = (0..<classCount).compactMap { recall($0) }
            return recalls.reduce(0, +) / Double(recalls.count)
        case "precision": return precision(positive)
        case "recall": return recall(positive)
        case "f1": return f1(positive)
        case "precision_macro": return macro { precision($0) }
        case "recall_macro": return macro { recall($0) }
        case "f1_macro": return macro { f1($0) }
        case "precision_weighted": return weighted { precision($0) }
        case "recall_weighted": return weighted { recall($0) }
        case "f1_weighted": return weighted { f1($0) }
        case "kappa":
            let chance = (0..<classCount).map { code in
                weight { $0.label == code } * weight { $0.prediction == code } / total / total
            }.reduce(0, +)
            return above(right / total, chance)
        case "kappa_temporal":
            let repeated = zip(records, repeats).reduce(0) { $0 + ($1.1 ? $1.0.weight : 0) }
            return above(right / total, repeated / total)
        case "log_loss":
            return records.reduce(0) { sum, record in
                let known = record.label < record.probabilities.count
                let probability = known ? record.probabilities[record.label] : 0
                return sum - record.weight * log(min(max(probability, 1e-15), 1 - 1e-15))
            } / total
        case "brier":
            return records.reduce(0) { sum, record in
                sum
                    + record.weight
                    * (0..<classCount).reduce(0) { sum, code in
                        let known = code < record.probabilities.count
                        let probability = known ? record.probabilities[code] : 0
                        return sum + pow(probability - (code == record.label ? 1 : 0), 2)
                    }
            } / total / (classCount > 2 ? 1 : 2)
        case "roc_auc":
            if classCount <= 2 { return area(1) }
            let areas = (0..<classCount).compactMap { area($0) }
            return areas.isEmpty ? nil : areas.reduce(0, +) / Double(areas.count)
        default: return nil
        }
    }

    private func weighted(_ form: (Int) -> Double?) -> Double? {
        (0..<classCount).map { code in
            weight { $0.label == code } * (form(code) ?? 0)
        }.reduce(0, +) / total
    }
}
