import Core

/// The weights of one or more linear outputs over dense, categorical and hashed features.
///
/// An output is `intercept + Σ w · x` over the numeric columns, plus one weight for each category
/// present, plus `Σ w · value` over the sparse pairs. A missing value adds nothing. Dense weights
/// stand in lanes like the rows; categories and hashed features share one table for each output,
/// allocated only if the layout has any.
///
/// - Complexity: O(*d* + *s*) time for a row of *d* columns and *s* sparse pairs; memory fixed by
///   layout and outputs, at most ``tableLimit`` weights in tables.
struct LinearWeights: Sendable {
    /// The weights in the tables of all outputs, at most: 1 GiB.
    static let tableLimit = 1 << 27
    /// No weight leaves ±1e100, so that a product with any feature can be bounded.
    static let weightLimit = 1e100

    /// Where the weights of a categorical column stand in a table.
    struct CategoryBlock: Sendable {
        let column: Int
        let start: Int
        let limit: Int
    }

    let layout: ColumnLayout
    let vectorCount: Int
    let blocks: [CategoryBlock]
    /// 1 in the lanes of numeric columns, 0 elsewhere.
    let numericLanes: [Lanes]
    /// Where the hashed features begin in a table: behind the categories.
    let hashedStart: Int
    let hashMask: Int
    let tableSize: Int
    let usesSquares: Bool
    let usesPenalties: Bool

    var outputCount: Int
    var intercepts: [Double]
    var dense: [Lanes]
    var table: [Double]
    /// Sums of squared gradients, one for each weight, under `adagrad`.
    var denseSquares: [Lanes] = []
    var tableSquares: [Double] = []
    /// The L1 penalty that each weight has paid.
    var densePaid: [Lanes] = []
    var tablePaid: [Double] = []
    /// The L1 penalty that a weight seen in every record would owe.
    var penalty = 0.0
    /// The records learned.
    var steps = 0

    init(
        layout: ColumnLayout, outputCount: Int, settings: LinearSettings
    ) throws(SettingsError) {
        var blocks: [CategoryBlock] = []
        var numericLanes = [Lanes](repeating: .zero, count: layout.vectorsPerRow)
        var start = 0
        for (index, column) in layout.columns.enumerated() {
            switch column.kind {
            case .numeric:
                numericLanes[index / laneCount][index % laneCount] = 1
            case .categorical(let limit):
                blocks.append(CategoryBlock(column: index, start: start, limit: limit))
                start += limit
            }
        }
        let hashed = layout.hasSparse ? 1 << layout.sparseBits : 0
        guard (start + hashed) * outputCount <= Self.tableLimit else {
            throw SettingsError(
                key: "",
                problem: "the categories and hashed features need \(start + hashed) "
                    + "weights for each class; all may have \(Self.tableLimit)",
                remedy: "lower the limits of the categorical features or the bits of the hash")
        }
        self.layout = layout
        self.blocks = blocks
        self.numericLanes = numericLanes
        vectorCount = layout.vectorsPerRow
        hashedStart = start
        hashMask = hashed - 1
        tableSize = start + hashed
        usesSquares = settings.schedule == .adagrad
        usesPenalties = settings.l1 > 0
        self.outputCount = outputCount
        intercepts = [Double](repeating: 0, count: outputCount)
        dense = [Lanes](repeating: .zero, count: outputCount * vectorCount)
        table = [Double](repeating: 0, count: outputCount * tableSize)
        if usesSquares {
            denseSquares = dense
            tableSquares = table
        }
        if usesPenalties {
            densePaid = dense
            tablePaid = table
        }
    }

    /// Forgets everything learned and goes back to one output.
    mutating func clear() {
        outputCount = 1
        intercepts = [0]
        dense = [Lanes](repeating: .zero, count: vectorCount)
        table = [Double](repeating: 0, count: tableSize)
        if usesSquares {
            denseSquares = dense
            tableSquares = table
        }
        if usesPenalties {
            densePaid = dense
            tablePaid = table
        }
        penalty = 0
        steps = 0
    }

    /// The outputs that fit into ``tableLimit``.
    var outputLimit: Int { tableSize == 0 ? .max : max(2, Self.tableLimit / tableSize) }

    /// Turns the one output w of two classes into the vectors −w/2 and +w/2.
    mutating func split() {
        precondition(outputCount == 1, "only a single output can be split, not \(outputCount)")
        outputCount = 2
        intercepts = intercepts.map { -0.5 * $0 } + intercepts.map { 0.5 * $0 }
        dense = dense.map { -0.5 * $0 } + dense.map { 0.5 * $0 }
        table = table.map { -0.5 * $0 } + table.map { 0.5 * $0 }
        denseSquares += denseSquares
        tableSquares += tableSquares
        densePaid = densePaid.map { -1 * $0 } + densePaid
        tablePaid = tablePaid.map { -1 * $0 } + tablePaid
    }

    /// Adds outputs that are 0 for every row.
    mutating func extend(to count: Int) {
        let more = count - outputCount
        guard more > 0 else { return }
        outputCount = count
        intercepts += repeatElement(0, count: more)
        dense += repeatElement(.zero, count: more * vectorCount)
        table += repeatElement(0, count: more * tableSize)
        if usesSquares {
            denseSquares += repeatElement(.zero, count: more * vectorCount)
            tableSquares += repeatElement(0, count: more * tableSize)
        }
        if usesPenalties {
            densePaid += repeatElement(.zero, count: more * vectorCount)
            tablePaid += repeatElement(0, count: more * tableSize)
        }
    }

    /// Weights and intercepts that are not 0.
    var parameterCount: Int {
        var count = intercepts.count { $0 != 0 } + table.count { $0 != 0 }
        for lanes in dense {
            for lane in 0..<laneCount where lanes[lane] != 0 { count += 1 }
        }
        return count
    }

    var stateBytes: Int {
        let lanes = dense.count + denseSquares.count + densePaid.count
        let scalars = table.count + tableSquares.count + tablePaid.count + intercepts.count
        return MemoryLayout<Lanes>.stride * lanes + MemoryLayout<Double>.stride * scalars
    }
}

extension LinearWeights {
    func encode(to encoder: inout StateEncoder) {
        encoder.write(outputCount)
        encoder.write(steps)
        encoder.write(penalty)
        encoder.write(intercepts)
        for lanes in [dense, denseSquares, densePaid] { encoder.write(lanes) }
        for values in [table, tableSquares, tablePaid] { encoder.writeTable(values) }
    }

    /// Reads what ``encode(to:)`` wrote, for a layout and settings that were read before.
    init(
        from decoder: inout StateDecoder, layout: ColumnLayout, settings: LinearSettings
    ) throws(StateError) {
        // An output takes at least the eight bytes of its intercept.
        let outputs = try decoder.readInt(in: 1...max(1, decoder.remaining / 8), "the outputs")
        do {
            try self.init(layout: layout, outputCount: outputs, settings: settings)
        } catch {
            throw .invalidValue(error.problem)
        }
        steps = try decoder.readInt(in: 0...Int.max, "the records learned")
        penalty = try decoder.readDouble()
        try Self.read(&intercepts, try decoder.readDoubles())
        try Self.read(&dense, try decoder.readLanes())
        try Self.read(&denseSquares, try decoder.readLanes())
        try Self.read(&densePaid, try decoder.readLanes())
        try decoder.readTable(into: &table)
        try decoder.readTable(into: &tableSquares)
        try decoder.readTable(into: &tablePaid)
    }

    private static func read<Value>(
        _ values: inout [Value], _ found: [Value]
    ) throws(StateError) {
        guard values.count == found.count else {
            throw .invalidValue("\(found.count) weights where there are \(values.count)")
        }
        values = found
    }
}

extension StateEncoder {
    /// Writes a table of which most is 0: its other values, each behind its position.
    mutating func writeTable(_ values: [Double]) {
        write(values.count(where: { $0.bitPattern != 0 }))
        for (index, value) in values.enumerated() where value.bitPattern != 0 {
            write(UInt32(index))
            write(value)
        }
    }
}

extension StateDecoder {
    /// Reads what ``StateEncoder/writeTable(_:)`` wrote into a table of zeros of the same size.
    mutating func readTable(into values: inout [Double]) throws(StateError) {
        var next = 0
        for _ in 0..<(try readInt(in: 0...values.count, "a table's entries")) {
            let index = Int(try readInteger(UInt32.self))
            let value = try readDouble()
            guard index >= next, index < values.count, value.bitPattern != 0 else {
                throw .invalidValue("entry \(index) of a table is out of order or 0")
            }
            values[index] = value
            next = index + 1
        }
    }
}
