package import Core

/// Replaces missing values by what the rows before say.
///
/// `mean` is the weighted mean of the column so far, `most_frequent` its heaviest value (among the
/// first 4,096 distinct ones), `previous` its last value, `constant` a given number. A value stays
/// missing while there is nothing to replace it by. `mean` and `constant` work on numeric columns,
/// the other two on categorical ones as well. Replaced values are not learned from.
///
/// - Complexity: O(*d*) time per record; 16 bytes a column, with `most_frequent` up to 200 KiB.
package struct Impute: PreparationStep {
    package static let declaration = ComponentDeclaration(
        name: "impute",
        summary: "Replaces missing values by the column's mean, most frequent or previous value, "
            + "or by a constant.",
        source: "River's StatImputer",
        settings: [
            StepColumns.declaration(
                "The columns to fill; `all` takes those that the strategy can fill."),
            SettingDeclaration(
                "strategy", .choice(Strategy.allCases.map(\.name)), default: .text("mean"),
                "What replaces a missing value."),
            SettingDeclaration(
                "value", .number(-1e300...1e300), default: .number(0), unit: "units of the column",
                "What the strategy `constant` puts in place of a missing value."),
        ])

    /// What replaces a missing value.
    private enum Strategy: UInt8, CaseIterable {
        case mean = 0
        case mostFrequent = 1
        case constant = 2
        case previous = 3

        var name: String {
            switch self {
            case .mean: "mean"
            case .mostFrequent: "most_frequent"
            case .constant: "constant"
            case .previous: "previous"
            }
        }
    }

    package let output: ColumnLayout
    private let strategy: Strategy
    private let columns: [Int]
    /// What replaces a missing value of each selected column; NaN while there is nothing.
    private var fills: [Double]
    /// The weight behind each mean.
    private var weights: [Double]
    /// Only with `most_frequent`.
    private var counts: [ValueCounts]

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {
        let name = settings.text("strategy")
        guard let strategy = Strategy.allCases.first(where: { $0.name == name }) else {
            preconditionFailure("no strategy \(name)")
        }
        self.strategy = strategy
        output = layout
        switch strategy {
        case .mean, .constant:
            columns = try StepColumns.resolve(settings, layout, categorical: false)
        case .mostFrequent, .previous:
            columns = try StepColumns.resolve(settings, layout, categorical: nil)
        }
        let fill = strategy == .constant ? settings.number("value") : .nan
        fills = [Double](repeating: fill, count: columns.count)
        weights = [Double](repeating: 0, count: columns.count)
        counts =
            strategy == .mostFrequent
            ? [ValueCounts](repeating: ValueCounts(), count: columns.count) : []
    }

    package func transform(_ rows: inout Rows, _ range: Range<Int>) {
        let stride = rows.vectorsPerRow
        var vectors = rows.mutableVectors
        for row in range {
            for index in columns.indices {
                let column = columns[index]
                let place = row * stride + column / laneCount
                let value = vectors[place][column % laneCount]
                if value.isNaN { vectors[place][column % laneCount] = fills[index] }
            }
        }
    }

    package mutating func transformAndLearn(_ rows: inout Rows, _ range: Range<Int>) {
        let stride = rows.vectorsPerRow
        var row = range.lowerBound
        while row < range.upperBound {
            let weight = rows.weights[row]
            let end = StepColumns.endOfWeight(rows, row, range.upperBound)
            var vectors = rows.mutableVectors
            while row < end {
                for index in columns.indices {
                    let column = columns[index]
                    let place = row * stride + column / laneCount
                    let value = vectors[place][column % laneCount]
                    if value.isNaN {
                        vectors[place][column % laneCount] = fills[index]
                    } else if weight > 0 {
                        learn(index, value, weight)
                    }
                }
                row += 1
            }
        }
    }

    @inline(__always)
    private mutating func learn(_ index: Int, _ value: Double, _ weight: Double) {
        switch strategy {
        case .constant:
            break
        case .previous:
            fills[index] = value
        case .mean:
            let sum = weights[index] + weight
            let mean = weights[index] == 0 ? 0 : fills[index]
            let moved = mean + (value - mean) * (weight / sum)
            // Values whose differences overflow are left out: the mean stays a number.
            guard moved.isFinite else { return }
            weights[index] = sum
            fills[index] = moved
        case .mostFrequent:
            counts[index].add(value, weight: weight)
            fills[index] = counts[index].mostFrequent
        }
    }

    package var stateBytes: Int {
        16 * columns.count + counts.reduce(0) { $0 + $1.stateBytes }
    }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        output.encode(to: &encoder)
        encoder.write(strategy.rawValue)
        StepColumns.encode(columns, to: &encoder)
        encoder.write(fills)
        encoder.write(weights)
        for count in counts { count.encode(to: &encoder) }
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        output = try ColumnLayout(from: &decoder)
        let raw = try decoder.readInteger(UInt8.self)
        guard let strategy = Strategy(rawValue: raw) else {
            throw .invalidValue("a strategy is \(raw)")
        }
        self.strategy = strategy
        columns = try StepColumns.decode(from: &decoder, output)
        fills = try decoder.readDoubles()
        weights = try decoder.readDoubles()
        guard fills.count == columns.count, weights.count == columns.count else {
            throw .invalidValue("\(fills.count) values for \(columns.count) columns")
        }
        counts = []
        if strategy == .mostFrequent {
            for _ in columns { counts.append(try ValueCounts(from: &decoder)) }
        }
    }
}
