import Core

/// Measures of how mixed class counts are, in MOA's order of operations.
enum Impurity {
    static let ln2 = 0.6931471805599453

    /// x ln x; 0 for numbers that are not positive and normal.
    @inline(__always)
    static func xLogX(_ x: Lanes) -> Lanes {
        let isPositive = x .>= Double.leastNormalMagnitude
        let safe = Lanes(repeating: 1).replacing(with: x, where: isPositive)
        return (x * Lanes.logarithmOfNormal(safe)).replacing(with: 0, where: .!isPositive)
    }

    static func log2(_ x: Double) -> Double { x.naturalLogarithm / ln2 }

    /// The entropy of class counts, in bits; 0 for none.
    static func entropy(_ weights: [Double]) -> Double {
        var entropy = 0.0
        var sum = 0.0
        for weight in weights where weight > 0 {
            entropy -= weight * log2(weight)
            sum += weight
        }
        return sum > 0 ? (entropy + sum * log2(sum)) / sum : 0
    }

    /// 1 − Σ shares²; 1 for an empty list, NaN for counts that are all 0.
    static func gini(_ weights: [Double]) -> Double {
        let sum = weights.reduce(0, +)
        var gini = 1.0
        for weight in weights {
            let share = weight / sum
            gini -= share * share
        }
        return gini
    }
}
