import Core

/// −ln of the label's probability, which is clipped to [1e-15, 1 − 1e-15] first.
@inline(__always)
func logLoss(_ probability: Double) -> Double {
    -min(max(probability, 1e-15), 1 - 1e-15).naturalLogarithm
}

/// A probability in [0, 1]; NaN counts as 0.
@inline(__always)
func clampedProbability(_ value: Double) -> Double {
    value > 0 ? min(value, 1) : 0
}

/// A magnitude that squares and sums without overflow.
@inline(__always)
func clampedMagnitude(_ value: Double) -> Double {
    max(-1e100, min(value, 1e100))
}
