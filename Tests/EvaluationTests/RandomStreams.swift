import Core

/// Seeded streams with everything that may come.
enum RandomStreams {
    /// Classes that appear over time, `null` predictions, records without label, late records.
    static func classified(
        seed: UInt64, count: Int, classes: Int, weights: [Double]
    ) -> [ClassifiedRecord] {
        var random = SplitMix64(seed: seed)
        var known = 0
        var previous = -1
        var clock: Int64 = -40_000
        return (0..<count).map { index in
            clock += Int64(random.next(below: 200))
            let late = random.next(below: 10) == 0 ? Int64(random.next(below: 20_000)) : 0
            let visible = min(classes, 1 + index * classes * 2 / count)
            let label = random.next(below: 8) == 0 ? -1 : random.next(below: visible)
            var scores = (0..<known).map { _ in
                Double(random.next(below: 64)) / 64 + 1e-3
            }
            let sum = scores.reduce(0, +)
            for code in scores.indices { scores[code] /= sum }
            let prediction =
                known == 0 || random.next(below: 20) == 0
                ? -1
                : label >= 0 && label < known && random.nextUnit() < 0.6
                    ? label : random.next(below: known)
            let record = ClassifiedRecord(
                label: label, prediction: prediction, majority: known > 0 ? 0 : -1,
                noChange: previous, probabilities: scores,
                weight: weights[random.next(below: weights.count)], time: clock - late)
            if label >= 0 { previous = label }
            known = max(known, label + 1)
            return record
        }
    }

    static func regressed(seed: UInt64, count: Int, weights: [Double]) -> [RegressedRecord] {
        var random = SplitMix64(seed: seed)
        var clock: Int64 = 0
        return (0..<count).map { index in
            clock += Int64(random.next(below: 200))
            let target = 1000 + 10 * random.nextUnit()
            return RegressedRecord(
                target: random.next(below: 9) == 0 ? .nan : target,
                prediction: random.next(below: 30) == 0 ? .nan : target + random.nextUnit(),
                mean: index == 0 ? .nan : 1005, noChange: index == 0 ? .nan : 1001,
                weight: weights[random.next(below: weights.count)],
                time: clock - (random.next(below: 10) == 0 ? Int64(random.next(below: 9000)) : 0))
        }
    }
}
