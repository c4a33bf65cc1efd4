/// The exact area under a ROC curve.
enum RankedScores {
    /// The probability that a record of the class scores above another one, ties counted one half;
    /// `nil` unless both kinds are there.
    ///
    /// - Complexity: O(*n*) time and memory.
    static func area(scores: [Double], isPositive: [Bool], weights: [Double]) -> Double? {
        let order = ascending(scores.map(\.bitPattern))
        var below = 0.0
        var positive = 0.0
        var ordered = 0.0
        var first = 0
        while first < order.count {
            let score = scores[order[first]]
            var tiedPositive = 0.0
            var tiedNegative = 0.0
            while first < order.count, scores[order[first]] == score {
                let record = order[first]
                if isPositive[record] {
                    tiedPositive += weights[record]
                } else {
                    tiedNegative += weights[record]
                }
                first += 1
            }
            ordered += tiedPositive * (below + tiedNegative / 2)
            below += tiedNegative
            positive += tiedPositive
        }
        return positive > 0 && below > 0 ? ordered / positive / below : nil
    }

    /// The indices of the keys in ascending order, by their bytes from the lowest to the highest.
    static func ascending(_ keys: [UInt64]) -> [Int] {
        var order = Array(keys.indices)
        var sorted = order
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            var starts = [Int](repeating: 0, count: 257)
            for key in keys { starts[Int((key >> shift) & 255) + 1] += 1 }
            if starts.contains(keys.count) { continue }
            for byte in 1...256 { starts[byte] += starts[byte - 1] }
            for index in order {
                let byte = Int((keys[index] >> shift) & 255)
                sorted[starts[byte]] = index
                starts[byte] += 1
            }
            swap(&order, &sorted)
        }
        return order
    }
}
