import Core

/// The loss of a logistic regression, by the margin z = ±(w · x) on the side of the true class.
package enum ClassificationLoss: UInt8, Sendable, CaseIterable {
    /// ln(1 + e^−z): probabilities are calibrated.
    case log = 0
    /// max(0, 1 − z): a linear support-vector machine.
    case hinge = 1
    /// max(0, 1 − z)² for z ≥ −1, else −4 z.
    case modifiedHuber = 2
    /// max(0, −z)
    case perceptron = 3

    /// The word of the pipeline file.
    var name: String {
        switch self {
        case .log: "log"
        case .hinge: "hinge"
        case .modifiedHuber: "modified_huber"
        case .perceptron: "perceptron"
        }
    }

    /// The derivative by z.
    func slope(_ z: Double) -> Double {
        switch self {
        case .log:
            return -(-z).logistic
        case .hinge:
            return z <= 1 ? -1 : 0
        case .modifiedHuber:
            return z < -1 ? -4 : z < 1 ? -2 * (1 - z) : 0
        case .perceptron:
            return z <= 0 ? -1 : 0
        }
    }
}
