import Core

/// Labels by a random decision tree over numbers and nominal values: one tree for each concept.
///
/// Five numbers are uniform in [0, 1], five nominal columns have five values each, all equally
/// likely. Trees are at most five splits deep; from the third level on a node is a leaf with
/// probability 0.15. A nominal column splits at most once on a way and has a branch for each of its
/// values; a number splits at a random place of the range that the way leaves.
///
/// - Complexity: O(depth) time per record; some thousands of nodes. The same seed gives the same
///   records.
/// - Note: Domingos and Hulten, *Mining High-Speed Data Streams*, 2000; parameters as in MOA's
///   `RandomTreeGenerator`.
package struct RandomTreeSource: SyntheticSource {
    package static var description: SyntheticDescription {
        let names = (1...nominalValueCount).map { "value\($0)" }
        let nominal = (1...nominalCount).map { SyntheticColumn("nominal\($0)", .nominal(names)) }
        let numeric = (1...numericCount).map {
            SyntheticColumn("numeric\($0)", .decimal(digits: 4))
        }
        return SyntheticDescription(
            name: "random_tree",
            summary: "two classes by a random decision tree over numbers and nominal values",
            source: "Domingos and Hulten, 2000; MOA's RandomTreeGenerator",
            columns: nominal + numeric, label: SyntheticColumn("class", .nominal(classes)),
            conceptCount: conceptCount,
            noise: ("the share of labels turned round", 0, 0...1))
    }

    private static let nominalCount = 5
    private static let numericCount = 5
    private static let nominalValueCount = 5
    private static let conceptCount = 4
    private static let depthMax = 5
    private static let firstLeafLevel = 3
    private static let leafShare = 0.15
    private static let classes = ["class1", "class2"]

    private struct Node: Sendable {
        /// The column that splits; −1 for a leaf.
        var column = -1
        var threshold = 0.0
        /// The first of the children, which stand next to each other.
        var firstChild = 0
        var label = 0.0
    }

    private let trees: [[Node]]
    private var random: SplitMix64
    private let noise: Double

    package init(seed: UInt64, noise: Double) {
        trees = (0..<Self.conceptCount).map { concept in
            Self.grow(seed: SplitMix64.derived(seed, "random_tree \(concept)"))
        }
        random = SplitMix64(seed: SplitMix64.derived(seed, "random_tree"))
        self.noise = noise
    }

    package mutating func next(
        record: Int, concept: Int, into values: inout [Double]
    ) -> Double {
        for index in 0..<Self.nominalCount {
            values[index] = Double(random.next(below: Self.nominalValueCount))
        }
        for index in 0..<Self.numericCount {
            values[Self.nominalCount + index] = random.nextDecimal(upTo: 1, stepsPerUnit: 10_000)
        }
        let label = Self.label(trees[concept], values)
        let isTurned = random.nextUnit() < noise
        return isTurned ? 1 - label : label
    }

    private static func label(_ tree: [Node], _ values: [Double]) -> Double {
        var node = tree[0]
        while node.column >= 0 {
            let value = values[node.column]
            let child = node.column < nominalCount ? Int(value) : (value < node.threshold ? 0 : 1)
            node = tree[node.firstChild + child]
        }
        return node.label
    }

    /// A node that is still to be decided.
    private struct Open {
        let index: Int
        let level: Int
        let freeColumns: [Int]
        let lower: [Double]
        let upper: [Double]
    }

    private static func grow(seed: UInt64) -> [Node] {
        var random = SplitMix64(seed: seed)
        var nodes = [Node()]
        var open = [
            Open(
                index: 0, level: 0, freeColumns: Array(0..<(nominalCount + numericCount)),
                lower: [Double](repeating: 0, count: numericCount),
                upper: [Double](repeating: 1, count: numericCount))
        ]
        while let next = open.popLast() {
            let mayEnd = next.level >= firstLeafLevel && random.nextUnit() < leafShare
            if next.level >= depthMax || mayEnd {
                nodes[next.index].label = Double(random.next(below: classes.count))
                continue
            }
            let column = next.freeColumns[random.next(below: next.freeColumns.count)]
            nodes[next.index].column = column
            nodes[next.index].firstChild = nodes.count
            if column < nominalCount {
                let free = next.freeColumns.filter { $0 != column }
                for _ in 0..<nominalValueCount {
                    open.append(
                        Open(
                            index: nodes.count, level: next.level + 1, freeColumns: free,
                            lower: next.lower, upper: next.upper))
                    nodes.append(Node())
                }
            } else {
                let number = column - nominalCount
                let lower = next.lower[number]
                let threshold = lower + (next.upper[number] - lower) * random.nextUnit()
                nodes[next.index].threshold = threshold
                for isUpper in [false, true] {
                    var bounds = (lower: next.lower, upper: next.upper)
                    if isUpper { bounds.lower[number] = threshold }
                    if !isUpper { bounds.upper[number] = threshold }
                    open.append(
                        Open(
                            index: nodes.count, level: next.level + 1,
                            freeColumns: next.freeColumns, lower: bounds.lower,
                            upper: bounds.upper))
                    nodes.append(Node())
                }
            }
        }
        return nodes
    }
}
