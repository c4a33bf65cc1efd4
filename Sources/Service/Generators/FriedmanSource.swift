import Core

/// Friedman's function of five of ten uniform numbers, with normal noise.
///
/// `10 sin(π a b) + 20 (c − 0.5)² + 10 d + 5 e + noise`, where a…e are five columns in a row from
/// the first on; in later concepts the row begins elsewhere and goes round, so that other columns
/// matter. Without noise the label is in [0, 30].
///
/// - Complexity: O(1) time and memory per record. The same seed gives the same records.
/// - Note: Friedman, *Multivariate Adaptive Regression Splines*, 1991; the changes follow the
///   global recurring drift of Ikonomovska, Gama, Džeroski, *Learning Model Trees from Evolving
///   Data Streams*, 2011.
package struct FriedmanSource: SyntheticSource {
    package static var description: SyntheticDescription {
        SyntheticDescription(
            name: "friedman",
            summary: "a number that is a smooth function of five of ten columns",
            source: "Friedman, 1991",
            columns: (0..<10).map { SyntheticColumn("attr_\($0)", .decimal(digits: 4)) },
            label: SyntheticColumn("target", .decimal(digits: 4)), conceptCount: 4,
            noise: ("the standard deviation of the label's noise", 1, 0...100))
    }

    private static let firstColumns = [0, 5, 2, 7]

    private var random: SplitMix64
    private var normal: NormalNumbers
    private let noise: Double

    package init(seed: UInt64, noise: Double) {
        random = SplitMix64(seed: SplitMix64.derived(seed, "friedman"))
        normal = NormalNumbers(seed: SplitMix64.derived(seed, "friedman noise"))
        self.noise = noise
    }

    package mutating func next(
        record: Int, concept: Int, into values: inout [Double]
    ) -> Double {
        for index in 0..<10 { values[index] = random.nextDecimal(upTo: 1, stepsPerUnit: 10_000) }
        let first = Self.firstColumns[concept]
        let label = Self.function(
            values[first], values[(first + 1) % 10], values[(first + 2) % 10],
            values[(first + 3) % 10], values[(first + 4) % 10])
        return (label + noise * normal.next()).rounded(stepsPerUnit: 10_000)
    }

    private static func function(
        _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double
    ) -> Double {
        let middle = c - 0.5
        return 10 * sineOfPi(a * b) + 20 * middle * middle + 10 * d + 5 * e
    }

    /// sin(π x) for x in [0, 1], within 1e-15, the same bits on every machine.
    static func sineOfPi(_ x: Double) -> Double {
        // sin(π x) = sin(π (1 − x)), and on [0, 1/2] Taylor's series to the 19th power is enough.
        let angle = Double.pi * min(x, 1 - x)
        let square = angle * angle
        var sum = 1.0
        for factor in stride(from: 9.0, through: 1.0, by: -1.0) {
            sum = 1 - square / (2 * factor * (2 * factor + 1)) * sum
        }
        return angle * sum
    }
}
