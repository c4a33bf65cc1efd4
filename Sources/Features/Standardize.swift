package import Core

/// Scales columns to mean 0 and variance 1 by the statistics of the rows before.
///
/// Gives `(x − mean) / √variance`, with the variance of the population; 0 while the variance is 0,
/// as for the first row. Without `with_std` gives `x − mean`. A missing value stays missing and is
/// not learned from; a value so large that the variance would overflow is not either. Weights of
/// records weigh in both statistics.
///
/// - Complexity: O(*d*) time per record, eight columns at once; 24 bytes a column.
/// - Note: Welford, *Note on a Method for Calculating Corrected Sums of Squares and Products*,
///   1962; with the values of River's StandardScaler, which learns a row before it transforms it.
package struct Standardize: PreparationStep {
    package static let declaration = ComponentDeclaration(
        name: "standardize",
        summary: "Scales numeric columns to mean 0 and variance 1, as seen so far.",
        source: "Welford 1962; River's StandardScaler",
        settings: [
            StepColumns.declaration("The columns to scale; `all` takes the numeric ones."),
            SettingDeclaration(
                "with_std", .boolean, default: .boolean(true),
                "Whether to divide by the standard deviation, or only to subtract the mean."),
        ])

    package let output: ColumnLayout
    private let withStandardDeviation: Bool
    private let columns: [Int]
    private var statistics: [Statistics]

    /// The statistics of eight columns.
    private struct Statistics {
        /// 1 in the lanes of the columns that are scaled.
        var selected = Lanes.zero
        var weights = Lanes.zero
        var means = Lanes.zero
        var variances = Lanes.zero

        @inline(__always)
        func transformed(_ x: Lanes, _ withStandardDeviation: Bool) -> Lanes {
            var result = x - means
            if withStandardDeviation {
                result = (result / variances.squareRoot())
                    .replacing(with: 0.0, where: (variances .== 0.0) .& (x .== x))
            }
            return x.replacing(with: result, where: selected.mask)
        }

        @inline(__always)
        mutating func learn(_ x: Lanes, _ weight: Double) {
            let sums = weights + weight
            let difference = x - means
            let share = weight / sums
            let moved = means + difference * share
            let spread = variances + (difference * (x - moved) - variances) * share
            // False for NaN as well: missing values and overflows teach nothing.
            let taken = selected.mask .& (spread .< Double.infinity)
            weights.replace(with: sums, where: taken)
            means.replace(with: moved, where: taken)
            variances.replace(with: spread.replacing(with: 0.0, where: spread .< 0.0), where: taken)
        }
    }

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {
        columns = try StepColumns.resolve(settings, layout, categorical: false)
        withStandardDeviation = settings.boolean("with_std")
        output = layout
        statistics = Self.empty(columns, layout)
    }

    private static func empty(_ columns: [Int], _ layout: ColumnLayout) -> [Statistics] {
        StepColumns.lanes(columns, layout).map { Statistics(selected: $0) }
    }

    package func transform(_ rows: inout Rows, _ range: Range<Int>) {
        let stride = rows.vectorsPerRow
        var vectors = rows.mutableVectors
        for row in range {
            for index in statistics.indices {
                let place = row * stride + index
                vectors[place] = statistics[index].transformed(
                    vectors[place], withStandardDeviation)
            }
        }
    }

    package mutating func transformAndLearn(_ rows: inout Rows, _ range: Range<Int>) {
        let stride = rows.vectorsPerRow
        let count = statistics.count
        let divides = withStandardDeviation
        var all = statistics.mutableSpan
        var row = range.lowerBound
        while row < range.upperBound {
            let weight = rows.weights[row]
            let end = StepColumns.endOfWeight(rows, row, range.upperBound)
            var vectors = rows.mutableVectors
            while row < end {
                for index in 0..<count {
                    let x = vectors[row * stride + index]
                    vectors[row * stride + index] = all[index].transformed(x, divides)
                    if weight > 0 { all[index].learn(x, weight) }
                }
                row += 1
            }
        }
    }

    package var stateBytes: Int { statistics.count * MemoryLayout<Statistics>.stride }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        output.encode(to: &encoder)
        StepColumns.encode(columns, to: &encoder)
        encoder.write(withStandardDeviation)
        encoder.write(statistics.map(\.weights))
        encoder.write(statistics.map(\.means))
        encoder.write(statistics.map(\.variances))
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        output = try ColumnLayout(from: &decoder)
        columns = try StepColumns.decode(from: &decoder, output)
        withStandardDeviation = try decoder.readBool()
        statistics = Self.empty(columns, output)
        let weights = try decoder.readLanes()
        let means = try decoder.readLanes()
        let variances = try decoder.readLanes()
        for values in [weights, means, variances] where values.count != statistics.count {
            throw .invalidValue("\(values.count) vectors where there are \(statistics.count)")
        }
        for index in statistics.indices {
            statistics[index].weights = weights[index]
            statistics[index].means = means[index]
            statistics[index].variances = variances[index]
        }
    }
}
