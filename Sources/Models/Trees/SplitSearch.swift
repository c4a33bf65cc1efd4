import Core

/// A way to split a leaf, or not to.
struct SplitCandidate: Equatable {
    /// Bits for information gain; −infinity and NaN occur, and NaN ranks highest, as in Java.
    var merit: Double
    /// The column; −1 for not splitting.
    var column: Int
    var kind: TreeNode.Kind
    /// The bound or the code of the test.
    var threshold: Double

    static let none = SplitCandidate(merit: -.infinity, column: -1, kind: .leaf, threshold: 0)

    /// The order of Java's `Double.compare`: −0 is below 0, and NaN above everything.
    static func ranks(_ a: Double, atLeast b: Double) -> Bool {
        if a.isNaN { return true }
        if b.isNaN || a < b { return false }
        if a > b { return true }
        return !(a == 0 && a.sign == .minus && b.sign == .plus)
    }
}

/// Rates the splits of a leaf; keeps its working memory between attempts.
///
/// Numeric columns are rated eight at a time, a lane for each, in MOA's order of operations: for
/// each threshold the class weights at both sides are estimated from the classes' Gaussians.
struct SplitSearch: Sendable {
    private let columns: TreeColumns
    private let criterion: SplitCriterion
    private let minimumBranchFraction: Double
    private let binarySplits: Bool
    private let bins: Int

    /// The best candidate, the next best, and their number.
    private(set) var best = SplitCandidate.none
    private(set) var second = SplitCandidate.none
    private(set) var count = 0
    /// For each column the merit of its best split; NaN with ``rated`` false where there is none.
    private(set) var merits: [Double]
    private(set) var rated: [Bool]

    /// The class counts of the leaf under consideration.
    private(set) var weights: [Double] = []
    /// For each numeric vector the best merits and thresholds, and 1 in lanes that have one.
    private var numericMerits: [Lanes]
    private var thresholds: [Lanes]
    private var found: [Lanes]
    /// For each class: the weights at both sides, 1 / variance's root, and √(2π) σ.
    private var left: [Lanes] = []
    private var right: [Lanes] = []
    private var deviations: [Lanes] = []
    private var scales: [Lanes] = []

    init(columns: TreeColumns, settings: HoeffdingTreeSettings) {
        self.columns = columns
        criterion = settings.criterion
        minimumBranchFraction = settings.minimumBranchFraction
        binarySplits = settings.binarySplits
        bins = settings.bins
        merits = [Double](repeating: 0, count: columns.count)
        rated = [Bool](repeating: false, count: columns.count)
        let vectors = columns.numericVectors.count
        numericMerits = [Lanes](repeating: .zero, count: vectors)
        thresholds = numericMerits
        found = numericMerits
    }

    /// The memory that it keeps once used, in bytes: the same before and after a restore.
    func byteCount(classCapacity: Int) -> Int {
        columns.count * 16 + columns.numericVectors.count * 3 * MemoryLayout<Lanes>.stride
            + classCapacity * (4 * MemoryLayout<Lanes>.stride + 8)
    }

    /// Turns to a leaf: ``weights`` are its class counts.
    mutating func consider(_ store: LeafStore, slot: Int) {
        store.copyWeights(of: slot, into: &weights)
    }

    /// Rates not splitting (unless pre-pruning is off) and the best split of every column of the leaf
    /// last considered.
    ///
    /// Equal merits rank the later column higher, as MOA's stable sort does.
    mutating func rate(
        _ store: LeafStore, slot: Int, withoutSplit: Bool, skipping disabled: ArraySlice<Bool>
    ) {
        if left.count < store.classCapacity {
            left = [Lanes](repeating: .zero, count: store.classCapacity)
            right = left
            deviations = left
            scales = left
        }
        best = .none
        second = .none
        count = 0
        let before = criterion == .infoGain ? Impurity.entropy(weights) : 0
        if withoutSplit {
            let merit = criterion == .infoGain ? -.infinity : 1 - Impurity.gini(weights)
            take(SplitCandidate(merit: merit, column: -1, kind: .leaf, threshold: 0))
        }
        for index in columns.numericVectors.indices {
            rateVector(index, store, slot: slot, before: before)
        }
        for column in 0..<columns.count {
            rated[column] = false
            if !disabled.isEmpty && disabled[disabled.startIndex + column] { continue }
            let candidate =
                columns.isNumeric(column)
                ? numericCandidate(column)
                : NominalSplits(
                    store: store, slot: slot, place: columns.places[column],
                    minimumBranchFraction: minimumBranchFraction, criterion: criterion
                ).best(column: column, before: before, binaryOnly: binarySplits)
            guard let candidate else { continue }
            rated[column] = true
            merits[column] = candidate.merit
            take(candidate)
        }
    }

    private mutating func take(_ candidate: SplitCandidate) {
        if count == 0 || SplitCandidate.ranks(candidate.merit, atLeast: best.merit) {
            second = best
            best = candidate
        } else if count == 1 || SplitCandidate.ranks(candidate.merit, atLeast: second.merit) {
            second = candidate
        }
        count += 1
    }

    private func numericCandidate(_ column: Int) -> SplitCandidate? {
        let vector = columns.places[column]
        let lane = column % laneCount
        guard found[vector][lane] != 0 else { return nil }
        return SplitCandidate(
            merit: numericMerits[vector][lane], column: column, kind: .numeric,
            threshold: thresholds[vector][lane])
    }

    // MARK: - Numeric columns

    private mutating func rateVector(
        _ index: Int, _ store: LeafStore, slot: Int, before: Double
    ) {
        typealias Plane = LeafStore.Plane
        let planeStride = store.vectorCount
        let table = slot * store.classCapacity
        let extent = Int(store.heads[slot].extent)
        var minimum = Lanes(repeating: .infinity)
        var maximum = Lanes(repeating: -.infinity)
        for code in 0..<extent where store.classes[table + code].block >= 0 {
            let at = Int(store.classes[table + code].block) * store.numericStride + index
            let low = store.numeric[at + Plane.minimum * planeStride]
            let high = store.numeric[at + Plane.maximum * planeStride]
            minimum.replace(with: low, where: low .< minimum)
            maximum.replace(with: high, where: high .> maximum)
            let weight = store.numeric[at + Plane.weight * planeStride]
            let squares = store.numeric[at + Plane.squares * planeStride]
            let variance = Lanes.zero.replacing(
                with: squares / (weight - 1), where: weight .> 1)
            deviations[code] = variance.squareRoot()
            scales[code] = Gaussian.normalConstant * deviations[code]
        }
        numericMerits[index] = .zero
        found[index] = .zero
        guard any(minimum .< maximum) else { return }
        let step = (maximum - minimum) / (Double(bins) + 1)
        for bin in 0..<bins {
            let threshold = step * Double(bin + 1) + minimum
            let isInside = (threshold .> minimum) .& (threshold .< maximum)
            var leftSum = Lanes.zero
            var rightSum = Lanes.zero
            for code in 0..<extent where store.classes[table + code].block >= 0 {
                let at = Int(store.classes[table + code].block) * store.numericStride + index
                estimate(
                    code, threshold, weight: store.numeric[at + Plane.weight * planeStride],
                    mean: store.numeric[at],
                    minimum: store.numeric[at + Plane.minimum * planeStride],
                    maximum: store.numeric[at + Plane.maximum * planeStride])
                leftSum += left[code]
                rightSum += right[code]
            }
            let total = leftSum + rightSum
            let merit: Lanes
            if criterion == .infoGain {
                merit = gain(
                    store, table, extent, before: before, leftSum, rightSum, total: total)
            } else {
                merit = giniMerit(store, table, extent, leftSum, rightSum, total: total)
            }
            let isBetter =
                isInside .& ((found[index] .== 0) .| (merit .> numericMerits[index]))
            numericMerits[index].replace(with: merit, where: isBetter)
            thresholds[index].replace(with: threshold, where: isBetter)
            found[index].replace(with: 1, where: isBetter)
        }
    }

    /// The weights of a class at both sides of the thresholds, into ``left`` and ``right``.
    @inline(__always)
    private mutating func estimate(
        _ code: Int, _ threshold: Lanes, weight: Lanes, mean: Lanes, minimum: Lanes, maximum: Lanes
    ) {
        let deviation = deviations[code]
        let (cdf, bell) = ((threshold - mean) / deviation).normalCDFAndBell
        let hasDeviation = deviation .> 0
        // Without a deviation MOA's estimate has these values; it matters for weights below 1.
        let flatEqual = Lanes.zero.replacing(with: weight, where: threshold .== mean)
        let flatLess = Lanes.zero.replacing(with: weight - flatEqual, where: threshold .< mean)
        let equal = flatEqual.replacing(
            with: (1 / scales[code]) * bell * weight, where: hasDeviation)
        let less = flatLess.replacing(with: cdf * weight - equal, where: hasDeviation)
        var greater = weight - equal - less
        greater.replace(with: 0, where: greater .< 0)
        var lower = less + equal
        let isBelow = threshold .< minimum
        let isAbove = threshold .>= maximum
        let isUnobserved = weight .<= 0
        lower.replace(with: 0, where: isBelow)
        greater.replace(with: weight, where: isBelow)
        lower.replace(with: weight, where: isAbove)
        greater.replace(with: 0, where: isAbove)
        lower.replace(with: 0, where: isUnobserved)
        greater.replace(with: 0, where: isUnobserved)
        left[code] = lower
        right[code] = greater
    }

    private func gain(
        _ store: LeafStore, _ table: Int, _ extent: Int, before: Double, _ leftSum: Lanes,
        _ rightSum: Lanes, total: Lanes
    ) -> Lanes {
        var terms = Lanes.zero
        for code in 0..<extent where store.classes[table + code].block >= 0 {
            terms += Impurity.xLogX(left[code]) + Impurity.xLogX(right[code])
        }
        let after =
            ((Impurity.xLogX(leftSum) + Impurity.xLogX(rightSum)) - terms) / total / Impurity.ln2
        let merit = before - after
        let isEnough =
            (leftSum / total .> minimumBranchFraction)
            .& (rightSum / total .> minimumBranchFraction)
        return Lanes(repeating: -.infinity).replacing(with: merit, where: isEnough)
    }

    private func giniMerit(
        _ store: LeafStore, _ table: Int, _ extent: Int, _ leftSum: Lanes, _ rightSum: Lanes,
        total: Lanes
    ) -> Lanes {
        var leftGini = Lanes(repeating: 1)
        var rightGini = Lanes(repeating: 1)
        for code in 0..<extent where store.classes[table + code].block >= 0 {
            let leftShare = left[code] / leftSum
            let rightShare = right[code] / rightSum
            leftGini -= leftShare * leftShare
            rightGini -= rightShare * rightShare
        }
        return 1 - ((leftSum / total) * leftGini + (rightSum / total) * rightGini)
    }
}
