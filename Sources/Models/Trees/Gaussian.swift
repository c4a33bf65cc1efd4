import Core

/// A normal distribution estimated from weighted values, with MOA's order of operations.
///
/// Its results decide where a tree splits, so they use the rounded exponential.
struct Gaussian {
    /// The weight of the values.
    let weight: Double
    let mean: Double
    /// Σ w · (x − mean)².
    let squares: Double

    /// √(2π).
    static let normalConstant = 2.5066282746310002

    var standardDeviation: Double {
        (weight > 1 ? squares / (weight - 1) : 0).squareRoot()
    }

    /// The density at a value; for equal values 1 at their value and 0 elsewhere.
    func density(_ value: Double) -> Double {
        let deviation = standardDeviation
        if deviation > 0 {
            let difference = value - mean
            return (1 / (Self.normalConstant * deviation))
                * (-(difference * difference / (2 * deviation * deviation))).roundedExponential
        }
        return value == mean ? 1 : 0
    }

    /// The weights estimated at or below a value, and above it.
    func weights(splitAt value: Double) -> (left: Double, right: Double) {
        let equal = density(value) * weight
        let deviation = standardDeviation
        let less =
            deviation > 0
            ? Self.probability(below: (value - mean) / deviation) * weight - equal
            : (value < mean ? weight - equal : 0)
        let greater = weight - equal - less
        return (less + equal, greater < 0 ? 0 : greater)
    }

    /// Φ with the rounded exponential.
    private static func probability(below value: Double) -> Double {
        let half = 7.07106781186547524401e-1
        let x = value * half
        let size = x.magnitude
        if size < half { return 0.5 + 0.5 * Double.errorFunctionNearZero(x) }
        let complement =
            size < 1
            ? 1 - Double.errorFunctionNearZero(size)
            : Double.complementaryTail(size, bell: (-size * size).roundedExponential)
        return x > 0 ? 1 - 0.5 * complement : 0.5 * complement
    }
}
