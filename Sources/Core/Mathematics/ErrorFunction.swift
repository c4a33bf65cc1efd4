extension Double {
    /// The error function, in [−1, 1], the same bits on every machine; at most 4 ulp from exact
    /// (1.9 measured).
    ///
    /// NaN for NaN.
    ///
    /// - Note: The rational forms of Cephes' `ndtr.c` (Moshier, 1995), in the order of operations
    ///   of Weka's `Statistics`.
    @inlinable
    package var errorFunction: Double {
        if magnitude > 1 { return 1 - complementaryErrorFunction }
        return Self.errorFunctionNearZero(self)
    }

    /// 1 − erf, in [0, 2], the same bits on every machine; relative error at most 2e-13
    /// (376 ulp measured, near 24).
    ///
    /// Flushed to 0 where it would be below 1e-307; NaN for NaN.
    @inlinable
    package var complementaryErrorFunction: Double {
        let size = magnitude
        if size < 1 { return 1 - Self.errorFunctionNearZero(self) }
        let upper = Self.complementaryTail(size, bell: (-self * self).exponential)
        return self < 0 ? 2 - upper : upper
    }

    /// Φ, the probability that a standard normal variable is below this value; relative error at
    /// most 1e-12 (1,462 ulp measured, near −35). The same bits on every machine; NaN for NaN.
    @inlinable
    package var normalCDF: Double {
        let x = self * 7.07106781186547524401e-1
        let size = x.magnitude
        if size < 7.07106781186547524401e-1 { return 0.5 + 0.5 * Self.errorFunctionNearZero(x) }
        let tail = 0.5 * size.complementaryErrorFunction
        return x > 0 ? 1 - tail : tail
    }

    /// erf for |x| ≤ 1.
    @inlinable @inline(__always)
    package static func errorFunctionNearZero(_ x: Double) -> Double {
        let square = x * x
        var t = 9.60497373987051638749e0 * square + 9.00260197203842689217e1
        t = t * square + 2.23200534594684319226e3
        t = t * square + 7.00332514112805075473e3
        t = t * square + 5.55923013010394962768e4
        var u = square + 3.35617141647503099647e1
        u = u * square + 5.21357949780152679795e2
        u = u * square + 4.59432382970980127987e3
        u = u * square + 2.26290000613890934246e4
        u = u * square + 4.92673942608635921086e4
        return x * t / u
    }

    /// erfc for x ≥ 1, with `bell` = e^(−x²).
    @inlinable @inline(__always)
    package static func complementaryTail(_ x: Double, bell: Double) -> Double {
        if x >= 8 || x.isNaN { return farComplementaryTail(x, bell: bell) }
        var p = 2.46196981473530512524e-10 * x + 5.64189564831068821977e-1
        p = p * x + 7.46321056442269912687e0
        p = p * x + 4.86371970985681366614e1
        p = p * x + 1.96520832956077098242e2
        p = p * x + 5.26445194995477358631e2
        p = p * x + 9.34528527171957607540e2
        p = p * x + 1.02755188689515710272e3
        p = p * x + 5.57535335369399327526e2
        var q = x + 1.32281951154744992508e1
        q = q * x + 8.67072140885989742329e1
        q = q * x + 3.54937778887819891062e2
        q = q * x + 9.75708501743205489753e2
        q = q * x + 1.82390916687909736289e3
        q = q * x + 2.24633760818710981792e3
        q = q * x + 1.65666309194161350182e3
        q = q * x + 5.57535340817727675546e2
        return (bell * p) / q
    }

    /// erfc for x ≥ 8 and for NaN.
    @usableFromInline
    @inline(never)
    package static func farComplementaryTail(_ x: Double, bell: Double) -> Double {
        if bell == 0 { return 0 }
        var p = 5.64189583547755073984e-1 * x + 1.27536670759978104416e0
        p = p * x + 5.01905042251180477414e0
        p = p * x + 6.16021097993053585195e0
        p = p * x + 7.40974269950448939160e0
        p = p * x + 2.97886665372100240670e0
        var q = x + 2.26052863220117276590e0
        q = q * x + 9.39603524938001434673e0
        q = q * x + 1.20489539808096656605e1
        q = q * x + 1.70814450747565897222e1
        q = q * x + 9.60896809063285878198e0
        q = q * x + 3.36907645100081516050e0
        return (bell * p) / q
    }
}
