import Core

extension HoeffdingTree {
    /// Why the inner loop stopped.
    fileprivate enum Stop {
        case end
        /// The row's leaf needs room for its class or codes before it can learn.
        case room(row: Int, node: Int)
        /// The row takes a branch that no record took before.
        case branch(row: Int, node: Int)
        /// The row is learned, and its leaf is due for a split attempt.
        case attempt(row: Int, slot: Int, review: Bool)
        /// The row is learned, and the leaves are to be ranked anew.
        case review(row: Int)
    }

    /// Predicts, if wanted, and learns row by row.
    ///
    /// An inner loop does what leaves the shape of the tree as it is; it stops for the rest.
    mutating func run(
        _ rows: borrowing Rows, _ range: Range<Int>, predicting: Bool,
        into predictions: inout Predictions
    ) {
        precondition(rows.vectorsPerRow >= columns.layout.vectorsPerRow, "rows are too narrow")
        var next = range.lowerBound
        var isPredicted = !predicting
        while true {
            let stop = runLoop(
                rows, next..<range.upperBound, predicting: predicting, isPredicted: isPredicted,
                into: &predictions)
            switch stop {
            case .end:
                return
            case .room(let row, let node):
                makeRoom(for: rows, row, node: node)
                next = row
                isPredicted = true
            case .branch(let row, let node):
                addBranch(for: rows, row, node: node)
                next = row
                isPredicted = true
            case .attempt(let row, let slot, let review):
                attemptSplit(slot)
                if review && inactiveLeafCount > 0 { enforceMemory(reserving: 0) }
                next = row + 1
                isPredicted = !predicting
            case .review(let row):
                enforceMemory(reserving: 0)
                next = row + 1
                isPredicted = !predicting
            }
        }
    }

    private mutating func runLoop(
        _ rows: borrowing Rows, _ range: Range<Int>, predicting: Bool, isPredicted: Bool,
        into predictions: inout Predictions
    ) -> Stop {
        let shape = Shape(
            columns: columns, nodes: nodes, branches: branches, splitCounts: splitCounts,
            classCapacity: leaves.classCapacity, vectorCount: leaves.vectorCount,
            nominalOffsets: leaves.nominalOffsets, nominalWidths: leaves.nominalWidths,
            nominalStride: leaves.nominalStride, rule: rule, gracePeriod: settings.gracePeriod,
            memoryPeriod: settings.memoryPeriod, isGrowing: isGrowing,
            hasInactiveLeaves: inactiveLeafCount > 0)
        return predictions.withSink { sink in
            shape.run(
                rows, range, predicting: predicting, isPredicted: isPredicted, into: &sink,
                heads: &leaves.heads, classes: &leaves.classes, numeric: &leaves.numeric,
                nominal: &leaves.nominal, recordsUntilReview: &recordsUntilReview)
        }
    }
}

/// What stays as it is while rows are learned between two changes of the tree's shape.
private struct Shape {
    let columns: TreeColumns
    let nodes: [TreeNode]
    let branches: [Int32]
    let splitCounts: [Double]
    let classCapacity: Int
    let vectorCount: Int
    let nominalOffsets: [Int]
    let nominalWidths: [Int]
    let nominalStride: Int
    let rule: LeafRule
    let gracePeriod: Double
    let memoryPeriod: Int
    let isGrowing: Bool
    let hasInactiveLeaves: Bool

    /// Predicts and learns rows until the shape has to change.
    func run(
        _ rows: borrowing Rows, _ range: Range<Int>, predicting: Bool, isPredicted: Bool,
        into sink: inout PredictionSink, heads headArray: inout [LeafHead],
        classes classArray: inout [ClassRecord], numeric numericArray: inout [Lanes],
        nominal nominalArray: inout [Double], recordsUntilReview: inout Int
    ) -> HoeffdingTree.Stop {
        let learner = LeafLearner(
            vectorCount: vectorCount, nominalStride: nominalStride,
            keepsBayesTerms: rule.prediction != .majority, marks: columns.constantMarks.span)
        let splits = SplitView(counts: splitCounts.span, classCapacity: classCapacity)
        let nodes = nodes.span
        let branches = branches.span
        let numericVectors = columns.numericVectors.span
        let masks = columns.numericMasks.span
        let nominalColumns = columns.nominalColumns.span
        let nominalOffsets = nominalOffsets.span
        let nominalWidths = nominalWidths.span
        var heads = headArray.mutableSpan
        var classes = classArray.mutableSpan
        var numeric = numericArray.mutableSpan
        var nominal = nominalArray.mutableSpan
        let labels = rows.classLabels
        let knownClasses = rows.knownClasses
        let weights = rows.weights
        let vectors = rows.vectors
        var predicts = predicting && !isPredicted

        let stride = rows.vectorsPerRow
        var view = RowView(
            vectors: vectors, base: 0, numericVectors: numericVectors, masks: masks,
            nominalColumns: nominalColumns, nominalOffsets: nominalOffsets,
            nominalWidths: nominalWidths)

        for row in range {
            view.base = row &* stride
            let node = view.route(nodes, branches)
            let known = max(0, Int(knownClasses[row]))
            let label = Int(labels[row])
            let weight = weights[row]
            let learns = label >= 0 && weight > 0
            let target = predicts ? row : -1
            predicts = predicting
            if nodes[node].kind != .leaf {
                if target >= 0 {
                    splits.predict(
                        Int(nodes[node].payload), known: known, into: &sink, row: row)
                }
                if learns && nodes[node].kind == .multiway
                    && view.value(Int(nodes[node].column)) >= 0
                {
                    return .branch(row: row, node: node)
                }
                if learns && Self.isDue(&recordsUntilReview, every: memoryPeriod)
                    && hasInactiveLeaves
                {
                    return .review(row: row)
                }
                continue
            }

            let slot = Int(nodes[node].payload)
            var head = heads[slot]
            let answer = LeafView(
                nominalStride: nominalStride, classCapacity: classCapacity,
                classes: classes.span, numeric: numeric.span, nominal: nominal.span
            ).predict(
                view, head, slot, known: known, rule: rule, learning: learns, into: &sink,
                row: target)
            guard learns else { continue }

            let table = slot &* classCapacity
            if label >= classCapacity
                || (head.isActive
                    && (classes[table &+ label].block < 0 || !view.codesFit))
            {
                return .room(row: row, node: node)
            }
            if head.isActive && rule.prediction == .naiveBayesAdaptive {
                if head.extent > 0 && answer.majority == label { head.majorityCorrect += weight }
                if answer.bayes == label { head.bayesCorrect += weight }
            }
            head.extent = max(head.extent, Int32(label &+ 1))
            var record = classes[table &+ label]
            record.weight += weight
            if head.isActive {
                head.isFresh = false
                learner.learn(
                    view, weight: weight, isComplete: answer.isComplete, record: &record,
                    numeric: &numeric, nominal: &nominal)
            }
            classes[table &+ label] = record
            heads[slot] = head
            let isDue = Self.isDue(&recordsUntilReview, every: memoryPeriod)
            if head.isActive && isGrowing {
                var seen = 0.0
                for code in 0..<Int(head.extent) { seen += classes[table &+ code].weight }
                if seen - head.weightAtAttempt >= gracePeriod {
                    return .attempt(row: row, slot: slot, review: isDue)
                }
            }
            if isDue && hasInactiveLeaves { return .review(row: row) }
        }
        return .end
    }

    /// Counts a record down; whether the period is over and begins again.
    @inline(__always)
    private static func isDue(_ remaining: inout Int, every period: Int) -> Bool {
        remaining &-= 1
        if remaining > 0 { return false }
        remaining = period
        return true
    }
}
