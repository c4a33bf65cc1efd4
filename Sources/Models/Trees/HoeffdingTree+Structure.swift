import Core

/// A node of a Hoeffding tree as it stands, for explanations and comparisons.
package struct HoeffdingTreeNode: Sendable, Equatable {
    package enum Test: Sendable, Equatable {
        case leaf
        /// Child 0: value ≤ threshold; child 1: the others.
        case atMost(Double)
        /// Child 0: this code; child 1: the others.
        case equals(Int)
        /// A child for each code; `nil` where no record went yet.
        case eachCode
    }

    package let test: Test
    /// The column of the test; `nil` for a leaf.
    package let column: Int?
    /// Indices into ``HoeffdingTree/structure``.
    package let children: [Int?]
    /// The weight of each class: of the records seen, and what the parent handed down; for a
    /// split, when it was made.
    package let counts: [Double]
    /// The root has depth 0.
    package let depth: Int
    /// Whether a leaf observes attributes and may split.
    package let isActive: Bool
}

extension HoeffdingTree {
    /// All nodes, the root first, each before its children.
    ///
    /// - Complexity: O(size of the tree).
    package var structure: [HoeffdingTreeNode] {
        var depths = [Int](repeating: 0, count: nodes.count)
        var result: [HoeffdingTreeNode] = []
        for (index, node) in nodes.enumerated() {
            let children = children(of: node)
            for case let child? in children { depths[child] = depths[index] + 1 }
            let isLeaf = node.kind == .leaf
            let slot = Int(node.payload)
            let first = slot * leaves.classCapacity
            let test: HoeffdingTreeNode.Test =
                switch node.kind {
                case .leaf: .leaf
                case .numeric: .atMost(node.threshold)
                case .equality: .equals(Int(node.threshold))
                case .multiway: .eachCode
                }
            result.append(
                HoeffdingTreeNode(
                    test: test, column: isLeaf ? nil : Int(node.column), children: children,
                    counts: isLeaf
                        ? leaves.weights(of: slot)
                        : Array(splitCounts[first..<(first + leaves.classCapacity)]),
                    depth: depths[index], isActive: isLeaf && leaves.heads[slot].isActive))
        }
        return result
    }

    private func children(of node: TreeNode) -> [Int?] {
        switch node.kind {
        case .leaf: []
        case .numeric, .equality: [Int(node.child), Int(node.child) + 1]
        case .multiway:
            (0..<Int(node.width)).map { code in
                let child = branches[Int(node.child) + code]
                return child < 0 ? nil : Int(child)
            }
        }
    }

    /// The number of leaves that observe attributes and may split.
    package var activeLeafCount: Int { leafCount - inactiveLeafCount }
    /// The number of leaves.
    package var leafCount: Int { nodes.count(where: { $0.kind == .leaf }) }
    /// The number of splits.
    package var splitCount: Int { nodes.count - leafCount }
    /// The number of tests on the longest way from the root to a leaf.
    package var depth: Int { structure.map(\.depth).max() ?? 0 }
}
