import Core

/// A column of a synthetic stream.
package struct SyntheticColumn: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A number with this many decimals.
        case decimal(digits: Int)
        /// A text; the generated value is its index.
        case nominal([String])
        /// An integer.
        case integer
    }

    package let name: String
    package let kind: Kind

    package init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// What a synthetic source is, for help and for the writer of its records.
package struct SyntheticDescription: Sendable {
    /// The name on the command line.
    package let name: String
    package let summary: String
    /// The paper with its year, or the reference implementation.
    package let source: String
    /// The features in order.
    package let columns: [SyntheticColumn]
    package let label: SyntheticColumn
    /// The number of concepts; after the last the first comes again.
    package let conceptCount: Int
    /// What the noise is, and how much there is unless told otherwise.
    package let noise: (meaning: String, standard: Double, range: ClosedRange<Double>)
}

/// Draws records of one kind without end, the same for the same seed on every machine.
///
/// Numbers are rounded to the decimals of their column before the label is computed, so that the
/// written record says all.
package protocol SyntheticSource: Sendable {
    static var description: SyntheticDescription { get }

    /// - Parameter noise: In the range of the description; its meaning is there.
    init(seed: UInt64, noise: Double)

    /// Draws a record.
    ///
    /// - Parameters:
    ///   - record: Its number, counted from 0.
    ///   - concept: At least 0, and below the number of concepts.
    ///   - values: Receives one value for each column.
    /// - Returns: The label.
    mutating func next(record: Int, concept: Int, into values: inout [Double]) -> Double
}

/// Standard normal numbers by the polar method: no trigonometry, so the same bits everywhere.
///
/// - Note: Marsaglia and Bray, *A Convenient Method for Generating Normal Variables*, 1964.
struct NormalNumbers: Sendable {
    private var random: SplitMix64
    private var spare: Double?

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func next() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        while true {
            let x = 2 * random.nextUnit() - 1
            let y = 2 * random.nextUnit() - 1
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let factor = (-2 * square.naturalLogarithm / square).squareRoot()
            spare = y * factor
            return x * factor
        }
    }
}

extension SplitMix64 {
    /// A uniform number in [0, units], with this many steps to a unit: a decimal that its text
    /// gives back exactly.
    mutating func nextDecimal(upTo units: Int, stepsPerUnit: Int) -> Double {
        Double(next(below: units * stepsPerUnit + 1)) / Double(stepsPerUnit)
    }
}

extension Double {
    /// Rounded to so many steps to a unit.
    func rounded(stepsPerUnit: Double) -> Double {
        (self * stepsPerUnit).rounded() / stepsPerUnit
    }
}
