/// The sums of a series' errors, and of the labels' spread.
package struct RegressionSums: Sendable, Equatable {
    /// The weight of records for which the series predicted a number.
    package var weight: Double
    /// Σ weight · |error|, in units of the label.
    package var absoluteError: Double
    /// Σ weight · error².
    package var squaredError: Double
    /// The weight of all labelled records.
    package var targetWeight: Double
    /// Σ weight · label.
    package var target: Double
    /// Σ weight · (label − mean label)².
    package var targetDeviation: Double

    package init(
        weight: Double, absoluteError: Double, squaredError: Double, targetWeight: Double,
        target: Double, targetDeviation: Double
    ) {
        self.weight = weight
        self.absoluteError = absoluteError
        self.squaredError = squaredError
        self.targetWeight = targetWeight
        self.target = target
        self.targetDeviation = targetDeviation
    }

    func value(_ metric: String) -> Double? {
        guard weight > 0 else { return nil }
        switch metric {
        case "mae": return absoluteError / weight
        case "mse": return squaredError / weight
        case "rmse": return (squaredError / weight).squareRoot()
        case "r2":
            guard targetDeviation > 0 else { return nil }
            return 1 - (squaredError / weight) / (targetDeviation / targetWeight)
        default: return nil
        }
    }

    mutating func merge(_ addend: RegressionSums) {
        if targetWeight > 0, addend.targetWeight > 0 {
            let step = target / targetWeight - addend.target / addend.targetWeight
            let share = targetWeight * (addend.targetWeight / (targetWeight + addend.targetWeight))
            targetDeviation += step * step * share
        }
        weight += addend.weight
        absoluteError += addend.absoluteError
        squaredError += addend.squaredError
        targetWeight += addend.targetWeight
        target += addend.target
        targetDeviation += addend.targetDeviation
    }
}
