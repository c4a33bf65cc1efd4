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
        var counts = [Int](repeating: 0, count: 8 * 256)
        for key in keys {
            for byte in 0..<8 { counts[byte << 8 | digit(key, byte)] += 1 }
        }
        var entries = keys.indices.map { Entry(key: keys[$0], index: $0) }
        var moved = entries
        for byte in 0..<8 {
            if counts[(byte << 8)..<((byte + 1) << 8)].contains(keys.count) { continue }
            var next = 0
            for position in (byte << 8)..<((byte + 1) << 8) {
                let count = counts[position]
                counts[position] = next
                next += count
            }
            for entry in entries {
                let position = byte << 8 | digit(entry.key, byte)
                moved[counts[position]] = entry
                counts[position] += 1
            }
            swap(&entries, &moved)
        }
        return entries.map(\.index)
    }

    private struct Entry {
        let key: UInt64
        let index: Int
    }

    @inline(__always)
    private static func digit(_ key: UInt64, _ byte: Int) -> Int {
        Int(truncatingIfNeeded: key &>> UInt64(byte &* 8)) & 255
    }
}
