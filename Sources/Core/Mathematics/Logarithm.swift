extension Double {
    /// The natural logarithm, the same bits on every machine; at most 1 ulp from exact
    /// (0.62 measured).
    ///
    /// `-infinity` for 0, NaN for negative values and NaN, infinity for infinity.
    ///
    /// - Note: The reduction and polynomial of FreeBSD's `e_log.c` (Sun Microsystems, 1993),
    ///   with one table-free path so that eight lanes and this twin give equal bits.
    @inlinable
    package var naturalLogarithm: Double {
        if self < 0x1p-1022 || !(self < .infinity) { return unusualLogarithm }
        return Self.logarithmOfNormal(self)
    }

    /// Zero, subnormal, negative, infinite or NaN arguments.
    @usableFromInline
    @inline(never)
    package var unusualLogarithm: Double {
        if self == 0 { return -.infinity }
        if self < 0 || isNaN { return .nan }
        if self == .infinity { return self }
        return Self.logarithmOfNormal(self * 0x1p54) - 54 * 0.693147180559945309417
    }

    /// The logarithm of a positive normal number; anything else gives an unspecified value.
    @inlinable @inline(__always)
    package static func logarithmOfNormal(_ x: Double) -> Double {
        let bits = x.bitPattern
        // Shifts the mantissa's range to [sqrt(1/2), sqrt(2)) around 1.
        let shifted = bits &+ 0x0009_5F61_9980_C433
        let exponent = Double(Int64(shifted &>> 52) &- 1023)
        let mantissa = Double(
            bitPattern: bits &- (shifted & 0xFFF0_0000_0000_0000) &+ 0x3FF0_0000_0000_0000)
        let f = mantissa - 1.0
        let halfSquare = 0.5 * f * f
        let s = f / (2.0 + f)
        let z = s * s
        let w = z * z
        var even = 1.531383769920937332e-01
        even = w * even + 2.222219843214978396e-01
        even = w * even + 3.999999999940941908e-01
        even = w * even
        var odd = 1.479819860511658591e-01
        odd = w * odd + 1.818357216161805012e-01
        odd = w * odd + 2.857142874366239149e-01
        odd = w * odd + 6.666666666666735130e-01
        odd = z * odd
        let remainder = odd + even
        let low = s * (halfSquare + remainder) + exponent * 1.90821492927058770002e-10
        return exponent * 6.93147180369123816490e-01 - ((halfSquare - low) - f)
    }
}
