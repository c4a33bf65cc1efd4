package import Core

/// Scales columns to [0, 1] by the smallest and largest value of the rows before.
///
/// Gives `(x − min) / (max − min)`: below 0 or above 1 for a value outside of what was seen, and 0
/// while there are not two different values. A missing value stays missing and is not learned
/// from, nor is a value of a row of weight 0; other weights make no difference.
///
/// - Complexity: O(*d*) time per record, eight columns at once; 16 bytes a column.
/// - Note: the values of River's MinMaxScaler, which learns a row before it transforms it.
package struct MinMax: PreparationStep {
    package static let declaration = ComponentDeclaration(
        name: "min_max",
        summary: "Scales numeric columns to the range from 0 to 1, as seen so far.",
        source: "River's MinMaxScaler",
        settings: [
            StepColumns.declaration("The columns to scale; `all` takes the numeric ones.")
        ])

    package let output: ColumnLayout
    private let columns: [Int]
    private var ranges: [Extremes]

    /// The extremes of eight columns.
    private struct Extremes {
        /// 1 in the lanes of the columns that are scaled.
        var selected = Lanes.zero
        var lowest = Lanes(repeating: .infinity)
        var highest = Lanes(repeating: -.infinity)

        @inline(__always)
        func transformed(_ x: Lanes) -> Lanes {
            let width = highest - lowest
            let scaled = (x - lowest) / width
            // A width of 0, none at all, or one that overflows.
            let hasWidth = (width .> Lanes.zero) .& (width .< Double.infinity)
            let result = scaled.replacing(with: 0.0, where: .!hasWidth .& (x .== x))
            return x.replacing(with: result, where: selected.mask)
        }

        @inline(__always)
        mutating func learn(_ x: Lanes) {
            lowest.replace(with: x, where: x .< lowest)
            highest.replace(with: x, where: x .> highest)
        }
    }

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {
        columns = try StepColumns.resolve(settings, layout, categorical: false)
        output = layout
        ranges = Self.empty(columns, layout)
    }

    private static func empty(_ columns: [Int], _ layout: ColumnLayout) -> [Extremes] {
        StepColumns.lanes(columns, layout).map { Extremes(selected: $0) }
    }

    package func transform(_ rows: inout Rows, _ range: Range<Int>) {
        let stride = rows.vectorsPerRow
        var vectors = rows.mutableVectors
        for row in range {
            for index in ranges.indices {
                vectors[row * stride + index] = ranges[index].transformed(
                    vectors[row * stride + index])
            }
        }
    }

    package mutating func transformAndLearn(_ rows: inout Rows, _ range: Range<Int>) {
        let stride = rows.vectorsPerRow
        let count = ranges.count
        var all = ranges.mutableSpan
        var row = range.lowerBound
        while row < range.upperBound {
            let teaches = rows.weights[row] > 0
            let end = StepColumns.endOfWeight(rows, row, range.upperBound)
            var vectors = rows.mutableVectors
            while row < end {
                for index in 0..<count {
                    let x = vectors[row * stride + index]
                    vectors[row * stride + index] = all[index].transformed(x)
                    if teaches { all[index].learn(x) }
                }
                row += 1
            }
        }
    }

    package var stateBytes: Int { ranges.count * MemoryLayout<Extremes>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        output.encode(to: &encoder)
        StepColumns.encode(columns, to: &encoder)
        encoder.write(ranges.map(\.lowest))
        encoder.write(ranges.map(\.highest))
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        output = try ColumnLayout(from: &decoder)
        columns = try StepColumns.decode(from: &decoder, output)
        ranges = Self.empty(columns, output)
        let lowest = try decoder.readLanes()
        let highest = try decoder.readLanes()
        guard lowest.count == ranges.count, highest.count == ranges.count else {
            throw .invalidValue("\(lowest.count) vectors where there are \(ranges.count)")
        }
        for index in ranges.indices {
            ranges[index].lowest = lowest[index]
            ranges[index].highest = highest[index]
        }
    }
}
