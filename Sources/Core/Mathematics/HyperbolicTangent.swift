extension Double {
    /// The hyperbolic tangent, in [−1, 1], the same bits on every machine; at most 2 ulp from
    /// exact (1.2 measured). NaN for NaN.
    ///
    /// - Note: The rational form of Cephes' `tanh.c` (Moshier, 1995).
    @inlinable
    package var hyperbolicTangent: Double {
        let size = magnitude
        if size < 0.625 { return self + self * Self.tangentCorrection(self * self) }
        let result = 1 - 2 / ((2 * size).exponential + 1)
        return self < 0 ? -result : result
    }

    /// (tanh x − x) / x for |x| < 0.625, as a function of x².
    @inlinable @inline(__always)
    static func tangentCorrection(_ square: Double) -> Double {
        var p = square * -9.64399179425052238628e-1 + -9.92877231001918586564e1
        p = p * square + -1.61468768441708447952e3
        var q = square + 1.12811678491632931402e2
        q = q * square + 2.23548839060100448583e3
        q = q * square + 4.84406305325125486048e3
        return square * p / q
    }
}

extension SIMD8 where Scalar == Double {
    /// The hyperbolic tangent of each lane, with the bits of ``Swift/Double/hyperbolicTangent``.
    @inlinable
    package var hyperbolicTangent: Lanes {
        let size = magnitudes
        let square = self * self
        var p = square * -9.64399179425052238628e-1 + -9.92877231001918586564e1
        p = p * square + -1.61468768441708447952e3
        var q = square + 1.12811678491632931402e2
        q = q * square + 2.23548839060100448583e3
        q = q * square + 4.84406305325125486048e3
        let small = self + self * (square * p / q)
        let large = 1 - 2 / ((2 * size).exponential + 1)
        return large.replacing(with: -large, where: self .< 0)
            .replacing(with: small, where: size .< 0.625)
    }
}
