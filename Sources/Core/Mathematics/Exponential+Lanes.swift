extension SIMD8 where Scalar == Double {
    /// e to the power of each lane, with the bits of ``Swift/Double/exponential``.
    @inlinable
    package var exponential: Lanes {
        let isSmall = self .< -708.0
        let isUsual = self .<= 709.0
        var result = Lanes.exponentialInRange(replacing(with: -708.0, where: isSmall))
        result.replace(with: 0, where: isSmall)
        if !all(isUsual) {
            for lane in 0..<laneCount where !isUsual[lane] {
                result[lane] = self[lane].largeExponential
            }
        }
        return result
    }

    /// The exponentials of arguments in [−708, 709]; anything else gives an unspecified value.
    @inlinable @inline(__always)
    package static func exponentialInRange(_ x: Lanes) -> Lanes {
        let magic = 6_755_399_441_055_744.0
        let shifted = x * 1.4426950408889634 + magic
        let power = shifted - magic
        let high = x - power * 6.93147180369123816490e-01
        let low = power * 1.90821492927058770002e-10
        let reduced = high - low
        let square = reduced * reduced
        var polynomial = Lanes(repeating: 4.13813679705723846039e-08)
        polynomial = square * polynomial + -1.65339022054652515390e-06
        polynomial = square * polynomial + 6.61375632143793436117e-05
        polynomial = square * polynomial + -2.77777777770155933842e-03
        polynomial = square * polynomial + 1.66666666666666019037e-01
        let c = reduced - square * polynomial
        let quotient = (reduced * c) / (2.0 - c)
        let scaled = 1.0 - ((low - quotient) - high)
        return Lanes(bits: (shifted.bits &<< 52) &+ scaled.bits)
    }
}
