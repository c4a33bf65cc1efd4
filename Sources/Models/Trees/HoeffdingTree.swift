package import Core

/// A decision tree that grows by splitting leaves once the Hoeffding bound separates the best test
/// from the next.
///
/// Numeric columns are observed by one Gaussian for each class, categorical ones by counts; leaves
/// predict by majority, naive Bayes, or what was right more often. With the same settings its
/// structure and predictions are those of MOA 2024.07.
///
/// - Missing values (anything not finite, and numbers above 3e153) are skipped by the observers. A record without the value
///   that a split asks for is answered from the class counts that the split held when it was made,
///   and teaches nothing below it.
/// - Before any record the first known class is predicted, with equal probabilities; classes,
///   categories and branches appear at any time.
/// - Sparse features are ignored.
/// - Memory stays within `memory`: the least promising leaves stop observing, or growth stops.
/// - Complexity: O(depth + *d* · *k*) time per record for *d* columns and *k* classes;
///   a split attempt O(*d* · *k* · bins) once per `grace_period`. No allocation per record.
/// - Note: Domingos and Hulten, *Mining high-speed data streams*, 2000.
package struct HoeffdingTree: Classifier {
    let settings: HoeffdingTreeSettings
    let columns: TreeColumns
    let declaredClasses: Int

    var nodes: [TreeNode] = []
    /// The children of multiway tests; −1 where no record went yet.
    var branches: [Int32] = []
    /// The class counts of splits when they were made: row *r*, class *c* at
    /// `r * classCapacity + c`.
    var splitCounts: [Double] = []
    var leaves: LeafStore
    var search: SplitSearch
    /// For each slot and column whether the leaf stopped to consider it; empty unless wanted.
    var disabled: [Bool] = []
    var inactiveLeafCount = 0
    /// Whether leaves may still split.
    var isGrowing = true
    /// Records until the leaves are ranked anew.
    var recordsUntilReview: Int

    /// - Parameters:
    ///   - settings: As declared by ``declaration``.
    ///   - layout: The columns of the batches; needs a dense one.
    ///   - declaredClasses: The classes known from the start.
    ///   - seed: Not used: the tree makes no random choice.
    package init(
        settings: Settings, layout: ColumnLayout, declaredClasses: Int, seed: UInt64
    ) throws(SettingsError) {
        try self.init(HoeffdingTreeSettings(settings), layout, declaredClasses: declaredClasses)
    }

    init(
        _ settings: HoeffdingTreeSettings, _ layout: ColumnLayout, declaredClasses: Int
    ) throws(SettingsError) {
        guard !layout.columns.isEmpty else {
            throw SettingsError(
                key: "",
                problem: layout.hasSparse
                    ? "a Hoeffding tree cannot split sparse features (text, map, set), and there "
                        + "are no others"
                    : "a Hoeffding tree needs at least one feature",
                remedy: layout.hasSparse
                    ? "use logistic_regression, or add numeric or categorical features"
                    : "add a numeric or categorical feature")
        }
        self.settings = settings
        self.declaredClasses = max(0, declaredClasses)
        columns = TreeColumns(layout)
        search = SplitSearch(columns: columns, settings: settings)
        leaves = LeafStore(columns: columns, classCapacity: max(2, declaredClasses))
        recordsUntilReview = settings.memoryPeriod
        plantRoot()
    }

    package mutating func reset() {
        nodes = []
        branches = []
        splitCounts = []
        disabled = []
        inactiveLeafCount = 0
        isGrowing = true
        recordsUntilReview = settings.memoryPeriod
        leaves = LeafStore(columns: columns, classCapacity: max(2, declaredClasses))
        plantRoot()
    }

    private mutating func plantRoot() {
        nodes.append(TreeNode(payload: 0))
        addLeaf(node: 0, weights: [])
    }

    /// Makes a node a fresh leaf.
    mutating func addLeaf(node: Int, weights: [Double]) {
        let slot = leaves.addLeaf(node: node, weights: weights)
        nodes[node] = TreeNode(payload: Int32(slot))
        if settings.removesPoorAttributes {
            let needed = leaves.heads.count * columns.count
            while disabled.count < needed { disabled.append(false) }
            for column in 0..<columns.count { disabled[slot * columns.count + column] = false }
        }
    }

    package var stateBytes: Int {
        MemoryLayout<HoeffdingTree>.stride + nodes.count * MemoryLayout<TreeNode>.stride
            + branches.count * 4 + splitCounts.count * 8 + disabled.count
            + search.byteCount(classCapacity: leaves.classCapacity) + leaves.byteCount
    }

    // MARK: - Batches

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        run(rows, range, predicting: true, into: &predictions)
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        var none = Predictions(capacity: 0, wantsProbabilities: false)
        run(rows, range, predicting: false, into: &none)
    }

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        precondition(rows.vectorsPerRow >= columns.layout.vectorsPerRow, "rows are too narrow")
        let nodes = nodes.span
        let branches = branches.span
        let splitCounts = splitCounts.span
        let heads = leaves.heads.span
        let classes = leaves.classes.span
        let numeric = leaves.numeric.span
        let nominal = leaves.nominal.span
        let numericVectors = columns.numericVectors.span
        let masks = columns.numericMasks.span
        let nominalColumns = columns.nominalColumns.span
        let nominalOffsets = leaves.nominalOffsets.span
        let nominalWidths = leaves.nominalWidths.span
        let vectors = rows.vectors
        let vectorsPerRow = rows.vectorsPerRow
        let knownClasses = rows.knownClasses
        predictions.withSink { sink in
            var view = RowView(
                vectors: vectors, base: 0, numericVectors: numericVectors, masks: masks,
                nominalColumns: nominalColumns, nominalOffsets: nominalOffsets,
                nominalWidths: nominalWidths)
            let leaf = LeafView(
                nominalStride: leaves.nominalStride, classCapacity: leaves.classCapacity,
                classes: classes, numeric: numeric, nominal: nominal)
            for row in range {
                view.base = row * vectorsPerRow
                let node = view.route(nodes, branches)
                let known = max(0, Int(knownClasses[row]))
                if nodes[node].kind == .leaf {
                    let slot = Int(nodes[node].payload)
                    _ = leaf.predict(
                        view, heads[slot], slot, known: known, rule: rule, learning: false,
                        into: &sink, row: row)
                } else {
                    SplitView(counts: splitCounts, classCapacity: leaves.classCapacity)
                        .predict(Int(nodes[node].payload), known: known, into: &sink, row: row)
                }
            }
        }
    }

    /// How leaves predict, for the inner loops.
    var rule: LeafRule {
        LeafRule(prediction: settings.leafPrediction, bayesThreshold: settings.bayesThreshold)
    }
}
