extension ColumnLayout {
    /// Writes columns and sparse width, as part of the state of a learner or step.
    package func encode(to encoder: inout StateEncoder) {
        encoder.section("layout", version: 1)
        encoder.write(sparseBits)
        encoder.write(columns.count)
        for column in columns {
            encoder.write(column.name)
            switch column.kind {
            case .numeric: encoder.write(0)
            case .categorical(let limit): encoder.write(limit)
            }
        }
    }

    /// Reads what ``encode(to:)`` wrote.
    ///
    /// Refuses sparse widths above 30 bits and category limits above 2^31, so that sizes computed
    /// from a layout cannot overflow; whoever allocates by a layout bounds it further.
    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("layout", through: 1)
        let sparseBits = try decoder.readInt(in: 0...30, "the number of sparse bits")
        // A column takes at least sixteen bytes.
        let count = try decoder.readInt(in: 0...(decoder.remaining / 16), "a layout's columns")
        var columns: [Column] = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            let name = try decoder.readString()
            let limit = try decoder.readInt(in: 0...Int(Int32.max), "a category limit")
            columns.append(
                Column(name: name, kind: limit == 0 ? .numeric : .categorical(limit: limit)))
        }
        self.init(columns: columns, sparseBits: sparseBits)
    }
}
