extension SIMD8 where Scalar == Double {
    /// The natural logarithm of each lane, with the bits of ``Swift/Double/naturalLogarithm``.
    @inlinable
    package var naturalLogarithm: Lanes {
        let isUsual = (self .>= 0x1p-1022) .& (self .< .infinity)
        var result = Lanes.logarithmOfNormal(self)
        if !all(isUsual) {
            for lane in 0..<laneCount where !isUsual[lane] {
                result[lane] = self[lane].unusualLogarithm
            }
        }
        return result
    }

    /// The logarithms of positive normal numbers; anything else gives an unspecified value.
    @inlinable @inline(__always)
    package static func logarithmOfNormal(_ x: Lanes) -> Lanes {
        // Adding 2^52 as bits turns an exponent field into a double.
        let integer = 4_503_599_627_370_496.0
        let bits = x.bits
        // Shifts the mantissa's range to [sqrt(1/2), sqrt(2)) around 1.
        let shifted = bits &+ 0x0009_5F61_9980_C433
        let exponent =
            Lanes(bits: (shifted &>> 52) | 0x4330_0000_0000_0000) - (integer + 1023.0)
        let mantissa = Lanes(
            bits: bits &- (shifted & 0xFFF0_0000_0000_0000) &+ 0x3FF0_0000_0000_0000)
        let f = mantissa - 1.0
        let halfSquare = 0.5 * f * f
        let s = f / (2.0 + f)
        let z = s * s
        let w = z * z
        var even = Lanes(repeating: 1.531383769920937332e-01)
        even = w * even + 2.222219843214978396e-01
        even = w * even + 3.999999999940941908e-01
        even = w * even
        var odd = Lanes(repeating: 1.479819860511658591e-01)
        odd = w * odd + 1.818357216161805012e-01
        odd = w * odd + 2.857142874366239149e-01
        odd = w * odd + 6.666666666666735130e-01
        odd = z * odd
        let remainder = odd + even
        let low = s * (halfSquare + remainder) + exponent * 1.90821492927058770002e-10
        return exponent * 6.93147180369123816490e-01 - ((halfSquare - low) - f)
    }
}
