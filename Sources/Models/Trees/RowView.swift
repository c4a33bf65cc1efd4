import Core

/// One row of a batch as a tree reads it.
struct RowView: ~Escapable, BitwiseCopyable {
    let vectors: Span<Lanes>
    /// Where the row begins in ``vectors``; the only part that differs from row to row.
    var base: Int
    /// The vectors of a row that hold numeric columns, and the bits of their numeric lanes.
    let numericVectors: Span<Int>
    let masks: Span<SIMD8<UInt64>>
    let nominalColumns: Span<Int>
    let nominalOffsets: Span<Int>
    let nominalWidths: Span<Int>

    @inline(__always)
    @_lifetime(
        copy vectors, copy numericVectors, copy masks, copy nominalColumns, copy nominalOffsets,
        copy nominalWidths)
    init(
        vectors: Span<Lanes>, base: Int, numericVectors: Span<Int>, masks: Span<SIMD8<UInt64>>,
        nominalColumns: Span<Int>, nominalOffsets: Span<Int>, nominalWidths: Span<Int>
    ) {
        self.vectors = vectors
        self.base = base
        self.numericVectors = numericVectors
        self.masks = masks
        self.nominalColumns = nominalColumns
        self.nominalOffsets = nominalOffsets
        self.nominalWidths = nominalWidths
    }

    /// A column of the row.
    @inline(__always)
    func value(_ column: Int) -> Double {
        vectors[base &+ column &>> 3][column & 7]
    }

    /// The numeric lanes of a vector; 0 in the others.
    @inline(__always)
    func lanes(_ index: Int) -> Lanes {
        Lanes(bits: vectors[base &+ numericVectors[index]].bits & masks[index])
    }

    /// 0 for a value that can be observed, NaN for a missing one: NaN, infinite, or so large that
    /// the square of a difference would not be finite.
    @inline(__always)
    static func nothing(_ x: Lanes) -> Lanes {
        let square = (4 * x) * (4 * x)
        return square - square
    }

    /// The scalar twin of the other.
    @inline(__always)
    static func nothing(_ x: Double) -> Double {
        let square = (4 * x) * (4 * x)
        return square - square
    }

    /// Whether every numeric value can be observed and every code is there.
    @inline(__always)
    var isComplete: Bool {
        var probe = Lanes.zero
        for index in numericVectors.indices {
            let x = lanes(index)
            probe += Self.nothing(x)
        }
        var sum = probe.folded
        for place in nominalColumns.indices {
            let code = value(nominalColumns[place])
            sum += code - code
        }
        return sum == 0
    }
}

extension RowView {
    /// The node that the row reaches: a leaf, or a split whose value is missing or new to it.
    @inline(__always)
    func route(_ nodes: Span<TreeNode>, _ branches: Span<Int32>) -> Int {
        var index = 0
        while true {
            let node = nodes[index]
            if node.kind == .leaf { return index }
            let x = value(Int(node.column))
            switch node.kind {
            case .numeric:
                if !(x - x == 0) { return index }
                index = Int(node.child) &+ (x <= node.threshold ? 0 : 1)
            case .equality:
                if !(x >= 0) { return index }
                index = Int(node.child) &+ (x == node.threshold ? 0 : 1)
            case .leaf, .multiway:
                guard x >= 0 && x < Double(node.width) else { return index }
                let next = branches[Int(node.child) &+ Int(x)]
                if next < 0 { return index }
                index = Int(next)
            }
        }
    }
}

extension RowView {
    /// Whether there is room for every code of the row.
    @inline(__always)
    var codesFit: Bool {
        for place in nominalColumns.indices
        where value(nominalColumns[place]) >= Double(nominalWidths[place]) {
            return false
        }
        return true
    }
}

extension RowView {
    /// One past the last column that the tree looks at.
    var columnEnd: Int {
        var end = 0
        if !numericVectors.isEmpty {
            end = (numericVectors[numericVectors.count - 1] + 1) * laneCount
        }
        if !nominalColumns.isEmpty {
            end = max(end, nominalColumns[nominalColumns.count - 1] + 1)
        }
        return end
    }
}
