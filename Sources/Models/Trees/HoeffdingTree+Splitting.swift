import Core

extension HoeffdingTree {
    /// Splits a leaf if its best test is certain enough.
    mutating func attemptSplit(_ slot: Int) {
        search.consider(leaves, slot: slot)
        let seen = search.weights.reduce(0, +)
        leaves.heads[slot].weightAtAttempt = seen
        guard search.weights.count(where: { $0 != 0 }) >= 2 else { return }
        let span =
            disabled.isEmpty
            ? disabled[...] : disabled[(slot * columns.count)..<((slot + 1) * columns.count)]
        search.rate(leaves, slot: slot, withoutSplit: settings.prePrunes, skipping: span)
        guard search.count > 0 else { return }
        let best = search.best
        if search.count > 1 {
            let bound = hoeffdingBound(classCount: search.weights.count, seen: seen)
            let isCertain = best.merit - search.second.merit > bound || bound < settings.tau
            if settings.removesPoorAttributes { disablePoorAttributes(slot, bound: bound) }
            guard isCertain else { return }
        }
        if best.column < 0 {
            // Not splitting wins: the leaf is laid to rest; it begins anew if memory allows.
            leaves.setActive(slot, false)
            inactiveLeafCount += 1
        } else {
            split(slot, by: best)
        }
        if inactiveLeafCount > 0 || stateBytes > settings.memory { enforceMemory(reserving: 0) }
    }

    /// √(R² ln(1/δ) / 2n), with MOA's range R of the merit.
    private func hoeffdingBound(classCount: Int, seen: Double) -> Double {
        let range =
            settings.criterion == .infoGain ? Impurity.log2(Double(max(2, classCount))) : 1
        return (range * range * settings.logInverseDelta / (2 * seen)).squareRoot()
    }

    private mutating func disablePoorAttributes(_ slot: Int, bound: Double) {
        for column in 0..<columns.count
        where search.rated[column] && search.best.merit - search.merits[column] > bound {
            disabled[slot * columns.count + column] = true
        }
    }

    private mutating func split(_ slot: Int, by test: SplitCandidate) {
        let distributions = childWeights(slot, test)
        let count = distributions.count
        let perChild =
            MemoryLayout<TreeNode>.stride + leaves.slotBytes + 4
            + (settings.removesPoorAttributes ? columns.count : 0)
        let needed = count * perChild + leaves.classCapacity * 8
        if stateBytes + needed > settings.memory {
            enforceMemory(reserving: needed)
            if stateBytes + needed > settings.memory { isGrowing = false }
            guard isGrowing, leaves.heads[slot].isActive else { return }
        }
        let node = Int(leaves.heads[slot].node)
        let counts = leaves.weights(of: slot)
        let row = splitCounts.count / leaves.classCapacity
        splitCounts.append(contentsOf: counts)
        splitCounts.append(
            contentsOf: repeatElement(0, count: leaves.classCapacity - counts.count))
        leaves.removeLeaf(slot)

        let firstChild = nodes.count
        nodes.append(contentsOf: repeatElement(TreeNode(payload: -1), count: count))
        for (index, weights) in distributions.enumerated() {
            addLeaf(node: firstChild + index, weights: weights)
        }
        var parent = TreeNode(payload: Int32(row))
        parent.threshold = test.threshold
        parent.column = Int32(test.column)
        parent.kind = test.kind
        parent.child = Int32(firstChild)
        if test.kind == .multiway {
            parent.child = Int32(branches.count)
            parent.width = Int32(count)
            for index in 0..<count { branches.append(Int32(firstChild + index)) }
        }
        nodes[node] = parent
    }

    /// The class counts with which the children of a split begin, each as long as MOA's.
    private func childWeights(_ slot: Int, _ test: SplitCandidate) -> [[Double]] {
        if test.kind != .numeric {
            return NominalSplits(
                store: leaves, slot: slot, place: columns.places[test.column],
                minimumBranchFraction: settings.minimumBranchFraction,
                criterion: settings.criterion
            ).distributions(kind: test.kind, value: Int(test.threshold))
        }
        typealias Plane = LeafStore.Plane
        let vector = columns.places[test.column]
        let lane = test.column % laneCount
        let stride = leaves.vectorCount
        var left: [Double] = []
        var right: [Double] = []
        for code in 0..<Int(leaves.heads[slot].extent) {
            let block = Int(leaves.classes[slot * leaves.classCapacity + code].block)
            guard block >= 0 else { continue }
            let at = block * leaves.numericStride + vector
            let weight = leaves.numeric[at + Plane.weight * stride][lane]
            guard weight > 0 else { continue }
            let isBelow = test.threshold < leaves.numeric[at + Plane.minimum * stride][lane]
            let isAbove = test.threshold >= leaves.numeric[at + Plane.maximum * stride][lane]
            let gaussian = Gaussian(
                weight: weight, mean: leaves.numeric[at][lane],
                squares: leaves.numeric[at + Plane.squares * stride][lane])
            let parts =
                isBelow
                ? (0, weight) : isAbove ? (weight, 0) : gaussian.weights(splitAt: test.threshold)
            if !isBelow { put(parts.0, code, &left) }
            if isBelow || !isAbove { put(parts.1, code, &right) }
        }
        return [left, right]
    }

    private func put(_ weight: Double, _ code: Int, _ weights: inout [Double]) {
        while weights.count < code { weights.append(0) }
        weights.append(weight)
    }

    // MARK: - New classes, codes and branches

    /// Makes room for the class and the codes of a row at its leaf; where memory does not allow
    /// it, the leaf stops observing instead.
    mutating func makeRoom(for rows: borrowing Rows, _ row: Int, node: Int) {
        let slot = Int(nodes[node].payload)
        let label = Int(rows.classLabels[row])
        if label >= leaves.classCapacity {
            growClasses(to: max(label + 1, leaves.classCapacity * 2))
        }
        for (place, column) in columns.nominalColumns.enumerated() {
            let value = rows.value(row, column)
            guard value >= Double(leaves.nominalWidths[place]) else { continue }
            let limit = columns.nominalLimits[place]
            precondition(value < Double(limit), "code \(value) is beyond the limit of \(limit)")
            let width = min(limit, max(Int(value) + 1, 2 * leaves.nominalWidths[place]))
            let more = leaves.blockBytes(widening: place, to: width) - leaves.blockBytes
            let extra = more * (leaves.blockCount - leaves.freeBlocks.count + 1)
            if stateBytes + extra > settings.memory { enforceMemory(reserving: extra) }
            leaves.widen(place, to: width)
        }
        guard leaves.heads[slot].isActive,
            leaves.classes[slot * leaves.classCapacity + label].block < 0
        else { return }
        if leaves.freeBlocks.isEmpty && stateBytes + leaves.blockBytes > settings.memory {
            enforceMemory(reserving: leaves.blockBytes)
            guard leaves.heads[slot].isActive else { return }
        }
        leaves.addBlock(slot: slot, code: label)
    }

    private mutating func growClasses(to capacity: Int) {
        let old = leaves.classCapacity
        var grown: [Double] = []
        grown.reserveCapacity(splitCounts.count / old * capacity)
        for row in 0..<(splitCounts.count / old) {
            grown.append(contentsOf: splitCounts[(row * old)..<((row + 1) * old)])
            grown.append(contentsOf: repeatElement(0, count: capacity - old))
        }
        splitCounts = grown
        leaves.growClasses(to: capacity)
        if stateBytes > settings.memory { enforceMemory(reserving: 0) }
    }

    /// Makes the leaf for a code that reaches a multiway split for the first time.
    mutating func addBranch(for rows: borrowing Rows, _ row: Int, node: Int) {
        let code = Int(rows.value(row, Int(nodes[node].column)))
        if code >= Int(nodes[node].width) {
            let width = max(code + 1, min(2 * Int(nodes[node].width), code + 8))
            let first = branches.count
            for index in 0..<width {
                branches.append(
                    index < Int(nodes[node].width)
                        ? branches[Int(nodes[node].child) + index] : -1)
            }
            nodes[node].child = Int32(first)
            nodes[node].width = Int32(width)
        }
        let child = nodes.count
        nodes.append(TreeNode(payload: -1))
        addLeaf(node: child, weights: [])
        branches[Int(nodes[node].child) + code] = Int32(child)
        if stateBytes > settings.memory { enforceMemory(reserving: 0) }
    }
}
