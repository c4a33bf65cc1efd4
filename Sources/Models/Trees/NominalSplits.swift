import Core

/// Rates the splits of a categorical column at a leaf, in MOA's order of operations.
///
/// The weight of the other codes of a class is taken as the class's sum without the code, which is
/// exact for whole weights.
struct NominalSplits {
    let store: LeafStore
    let slot: Int
    let place: Int
    let minimumBranchFraction: Double
    let criterion: SplitCriterion

    private var table: Int { slot * store.classCapacity }
    private var extent: Int { Int(store.heads[slot].extent) }

    /// Where a class's counts begin: sum, codes, counts; `nil` if it was never observed.
    private func start(_ code: Int) -> Int? {
        let block = Int(store.classes[table + code].block)
        guard block >= 0 else { return nil }
        let at = block * store.nominalStride + store.nominalOffsets[place]
        return store.nominal[at] > 0 ? at : nil
    }

    /// The highest code that any class has seen, plus one.
    var codeCount: Int {
        var most = 0
        for code in 0..<extent {
            if let at = start(code) { most = max(most, Int(store.nominal[at + 1])) }
        }
        return most
    }

    /// The count of a class for a code.
    private func weight(_ at: Int, _ value: Int) -> Double {
        value < Int(store.nominal[at + 1]) ? store.nominal[at + 2 + value] : 0
    }

    /// The best split: one branch for each code, unless only binary ones are wanted, or one code
    /// against the others.
    func best(column: Int, before: Double, binaryOnly: Bool) -> SplitCandidate? {
        let values = codeCount
        var best: SplitCandidate?
        if !binaryOnly {
            best = SplitCandidate(
                merit: multiwayMerit(values, before: before), column: column, kind: .multiway,
                threshold: 0)
        }
        for value in 0..<values {
            let merit = equalityMerit(value, before: before)
            if let best, !(merit > best.merit) { continue }
            best = SplitCandidate(
                merit: merit, column: column, kind: .equality, threshold: Double(value))
        }
        return best
    }

    private func multiwayMerit(_ values: Int, before: Double) -> Double {
        var total = 0.0
        for value in 0..<values { total += branch(value, of: .equal).sum }
        var large = 0
        var impurity = 0.0
        for value in 0..<values {
            let part = branch(value, of: .equal)
            if part.sum / total > minimumBranchFraction { large += 1 }
            impurity += weighted(part, total: total)
        }
        return merit(impurity, total: total, large: large, before: before)
    }

    private func equalityMerit(_ value: Int, before: Double) -> Double {
        let equal = branch(value, of: .equal)
        let other = branch(value, of: .other)
        let total = equal.sum + other.sum
        var large = 0
        if equal.sum / total > minimumBranchFraction { large += 1 }
        if other.sum / total > minimumBranchFraction { large += 1 }
        let impurity = weighted(equal, total: total) + weighted(other, total: total)
        return merit(impurity, total: total, large: large, before: before)
    }

    private func merit(
        _ impurity: Double, total: Double, large: Int, before: Double
    ) -> Double {
        switch criterion {
        case .infoGain: large < 2 ? -.infinity : before - impurity / total
        case .gini: 1 - impurity
        }
    }

    /// The part of a sum of impurities that belongs to a branch.
    private func weighted(_ part: Branch, total: Double) -> Double {
        switch criterion {
        case .infoGain:
            part.sum
                * (part.positive > 0
                    ? (part.entropy + part.positive * Impurity.log2(part.positive))
                        / part.positive : 0)
        case .gini: (part.sum / total) * gini(part)
        }
    }

    private enum Side {
        case equal
        case other
    }

    /// The sums over the classes of a branch.
    private struct Branch {
        let value: Int
        let side: Side
        var sum = 0.0
        /// Without counts below 0.
        var positive = 0.0
        /// −Σ w log2 w.
        var entropy = 0.0
    }

    private func branch(_ value: Int, of side: Side) -> Branch {
        var branch = Branch(value: value, side: side)
        for code in 0..<extent {
            guard let at = start(code) else { continue }
            let equal = weight(at, value)
            let weight = side == .equal ? equal : store.nominal[at] - equal
            branch.sum += weight
            if criterion == .infoGain && weight > 0 {
                branch.positive += weight
                branch.entropy -= weight * Impurity.log2(weight)
            }
        }
        return branch
    }

    /// MOA's Gini of a branch: NaN if its counts are all 0, 1 if it has none at all.
    private func gini(_ part: Branch) -> Double {
        var gini = 1.0
        for code in 0..<extent {
            guard let at = start(code), isListed(at, part) else { continue }
            let equal = weight(at, part.value)
            let share = (part.side == .equal ? equal : store.nominal[at] - equal) / part.sum
            gini -= share * share
        }
        return gini
    }

    /// Whether MOA's counts of a branch have an entry that this class wrote.
    private func isListed(_ at: Int, _ part: Branch) -> Bool {
        let codes = Int(store.nominal[at + 1])
        switch part.side {
        case .equal: return codes > part.value
        case .other: return codes >= 2 || (codes == 1 && part.value != 0)
        }
    }

    /// The class counts of the branches of a split, each as long as MOA's.
    func distributions(kind: TreeNode.Kind, value: Int) -> [[Double]] {
        if kind == .multiway {
            return (0..<codeCount).map { value in
                listed(Branch(value: value, side: .equal)) { weight($0, value) }
            }
        }
        let equal = listed(Branch(value: value, side: .equal)) { weight($0, value) }
        let other = listed(Branch(value: value, side: .other)) { at in
            var sum = 0.0
            for code in 0..<Int(store.nominal[at + 1]) where code != value {
                sum += store.nominal[at + 2 + code]
            }
            return sum
        }
        return [equal, other]
    }

    private func listed(_ part: Branch, _ weight: (Int) -> Double) -> [Double] {
        var weights: [Double] = []
        for code in 0..<extent {
            guard let at = start(code), isListed(at, part) else { continue }
            while weights.count < code { weights.append(0) }
            weights.append(weight(at))
        }
        return weights
    }
}
