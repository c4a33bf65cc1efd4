import Core

/// Which lanes of a row a tree learns from, and how.
struct TreeColumns: Sendable {
    let layout: ColumnLayout
    /// The vectors of a row that hold a numeric column.
    let numericVectors: [Int]
    /// For each of them the bits of its numeric lanes.
    let numericMasks: [SIMD8<UInt64>]
    /// For each of them ``LeafLearner/constantMark`` in its numeric lanes.
    let constantMarks: [Lanes]
    /// The categorical columns, ascending.
    let nominalColumns: [Int]
    /// The number of codes that each of them may have.
    let nominalLimits: [Int]
    /// For each column its place among the numeric vectors or the nominal columns.
    let places: [Int]

    init(_ layout: ColumnLayout) {
        self.layout = layout
        var vectors: [Int] = []
        var masks: [SIMD8<UInt64>] = []
        var nominal: [Int] = []
        var limits: [Int] = []
        var places: [Int] = []
        for (index, column) in layout.columns.enumerated() {
            switch column.kind {
            case .numeric:
                let vector = index / laneCount
                if vectors.last != vector {
                    vectors.append(vector)
                    masks.append(.zero)
                }
                masks[masks.count - 1][index % laneCount] = .max
                places.append(vectors.count - 1)
            case .categorical(let limit):
                places.append(nominal.count)
                nominal.append(index)
                limits.append(limit)
            }
        }
        numericVectors = vectors
        numericMasks = masks
        constantMarks = masks.map {
            Lanes(bits: Lanes(repeating: LeafLearner.constantMark).bits & $0)
        }
        nominalColumns = nominal
        nominalLimits = limits
        self.places = places
    }

    var count: Int { layout.columns.count }

    func isNumeric(_ column: Int) -> Bool { layout.columns[column].kind == .numeric }
}
