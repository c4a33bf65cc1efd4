/// What one dense column holds.
package enum ColumnKind: Sendable, Equatable {
    /// A number; NaN is missing.
    case numeric
    /// A category's code `0, 1, …` as a double, below `limit`; NaN is missing.
    case categorical(limit: Int)
}

/// One dense column of a batch.
package struct Column: Sendable, Equatable {
    package let name: String
    package let kind: ColumnKind

    package init(name: String, kind: ColumnKind) {
        self.name = name
        self.kind = kind
    }
}

/// The dense columns of a batch in order, and the width of its sparse part.
///
/// Each preparation step takes a layout and gives the next one; the learner gets the last.
package struct ColumnLayout: Sendable, Equatable {
    package let columns: [Column]
    /// The number of bits of sparse indices: they are below `1 << sparseBits`; 0 without sparse
    /// features.
    package let sparseBits: Int

    package init(columns: [Column], sparseBits: Int = 0) {
        self.columns = columns
        self.sparseBits = sparseBits
    }

    /// A layout of numeric columns, as tests and embedded use want it.
    package init(numericCount: Int) {
        self.init(columns: (0..<numericCount).map { Column(name: "x\($0)", kind: .numeric) })
    }

    package var hasSparse: Bool { sparseBits > 0 }
    /// The number of ``Lanes`` vectors in a row.
    package var vectorsPerRow: Int { (columns.count + laneCount - 1) / laneCount }
}
