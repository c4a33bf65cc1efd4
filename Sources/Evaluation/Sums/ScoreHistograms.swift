/// How the scores of each class are distributed over records of that class and of all others.
///
/// 1,024 bins of equal width over [0, 1]; the last one holds 1 too. While there are at most two
/// classes only class 1 is kept, since the other's scores mirror it.
package struct ScoreHistograms: Sendable, Equatable {
    /// One filled bin of one class.
    package struct Bin: Sendable, Equatable {
        package let index: Int
        /// The weight of the records of the class with a score in this bin.
        package var positive: Double
        /// The weight of the other records with a score in this bin.
        package var negative: Double

        package init(index: Int, positive: Double, negative: Double) {
            self.index = index
            self.positive = positive
            self.negative = negative
        }
    }

    package static let binCount = 1024
    /// The most classes for which scores are kept.
    package static let classLimit = 64

    /// The number of classes known.
    package let classCount: Int
    /// The filled bins in order of their index: of class 1 alone up to two classes, else of each.
    package let bins: [[Bin]]

    /// - Precondition: one list up to two classes, else one for each class.
    package init(classCount: Int, bins: [[Bin]]) {
        precondition(bins.count == Self.listCount(classCount), "\(bins.count) lists of bins")
        self.classCount = classCount
        self.bins = bins
    }

    static func listCount(_ classCount: Int) -> Int { classCount <= 2 ? 1 : classCount }

    /// The bin of a score in [0, 1].
    @inline(__always)
    static func bin(_ score: Double) -> Int {
        min(binCount - 1, Int(score * Double(binCount)))
    }

    /// The area under the ROC curve, ties counted one half; of more than two classes the mean over
    /// those that occurred. `nil` unless some class has records both in it and outside.
    package var rocAUC: Double? {
        let areas = bins.compactMap { Self.area($0) }
        return areas.isEmpty ? nil : areas.reduce(0, +) / Double(areas.count)
    }

    static func area(_ bins: [Bin]) -> Double? {
        var below = 0.0
        var positive = 0.0
        var ordered = 0.0
        for bin in bins {
            ordered += bin.positive * (below + bin.negative / 2)
            below += bin.negative
            positive += bin.positive
        }
        return positive > 0 && below > 0 ? ordered / positive / below : nil
    }

    /// The sum of two, after their classes have moved to their codes in the merged report.
    func merged(
        with addend: ScoreHistograms, own: ClassMapping, other: ClassMapping
    ) -> ScoreHistograms? {
        guard own.count <= Self.classLimit else { return nil }
        if own.isIdentity, other.isIdentity {
            return ScoreHistograms(
                classCount: classCount, bins: zip(bins, addend.bins).map { Self.added($0, $1) })
        }
        let first = expanded(own)
        let second = addend.expanded(other)
        var merged = zip(first, second).map { Self.added($0, $1) }
        if own.count <= 2 { merged = own.count == 2 ? [merged[1]] : [[]] }
        return ScoreHistograms(classCount: own.count, bins: merged)
    }

    /// The bins of every class of the merged report; a class unknown here scored 0 everywhere.
    private func expanded(_ mapping: ClassMapping) -> [[Bin]] {
        let total = (bins.first ?? []).reduce(0) { $0 + $1.positive + $1.negative }
        let absent = total > 0 ? [Bin(index: 0, positive: 0, negative: total)] : []
        var result = [[Bin]](repeating: absent, count: mapping.count)
        for (code, target) in mapping.codes.enumerated() {
            result[target] =
                classCount <= 2 && code == 0
                ? Self.mirrored(bins[0]) : bins[min(code, bins.count - 1)]
        }
        return result
    }

    /// The other one of two classes: what was negative is positive, at 1 − score.
    static func mirrored(_ bins: [Bin]) -> [Bin] {
        bins.reversed().map {
            Bin(index: binCount - 1 - $0.index, positive: $0.negative, negative: $0.positive)
        }
    }

    private static func added(_ first: [Bin], _ second: [Bin]) -> [Bin] {
        var result: [Bin] = []
        var rest = second[...]
        for bin in first {
            while let next = rest.first, next.index < bin.index {
                result.append(rest.removeFirst())
            }
            if let next = rest.first, next.index == bin.index {
                rest.removeFirst()
                result.append(
                    Bin(
                        index: bin.index, positive: bin.positive + next.positive,
                        negative: bin.negative + next.negative))
            } else {
                result.append(bin)
            }
        }
        return result + rest
    }
}
