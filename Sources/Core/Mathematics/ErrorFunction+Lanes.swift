extension SIMD8 where Scalar == Double {
    /// The error function of each lane, with the bits of ``Swift/Double/errorFunction``.
    @inlinable
    package var errorFunction: Lanes {
        let far = 1 - complementaryErrorFunction
        return far.replacing(with: Lanes.errorFunctionNearZero(self), where: magnitudes .<= 1)
    }

    /// 1 − erf of each lane, with the bits of ``Swift/Double/complementaryErrorFunction``.
    @inlinable
    package var complementaryErrorFunction: Lanes {
        let size = magnitudes
        let upper = Lanes.complementaryTail(size, bell: (-self * self).exponential)
        return upper.replacing(with: 2 - upper, where: self .< 0)
            .replacing(with: 1 - Lanes.errorFunctionNearZero(self), where: size .< 1)
    }

    /// Φ of each lane, with the bits of ``Swift/Double/normalCDF``.
    @inlinable
    package var normalCDF: Lanes {
        normalCDFAndBell.cdf
    }

    /// Φ(x) of each lane, and e^(−x²/2), which the density needs: one exponential for both.
    @inlinable
    package var normalCDFAndBell: (cdf: Lanes, bell: Lanes) {
        let half = 7.07106781186547524401e-1
        let x = self * half
        let size = x.magnitudes
        let bell = (-x * x).exponential
        let central = Lanes.errorFunctionNearZero(x)
        let complement = Lanes.complementaryTail(size, bell: bell)
            .replacing(with: 1 - central.magnitudes, where: size .< 1)
        let tail = 0.5 * complement
        let cdf = tail.replacing(with: 1 - tail, where: x .> 0)
            .replacing(with: 0.5 + 0.5 * central, where: size .< half)
        return (cdf, bell)
    }

    /// erf for |x| ≤ 1.
    @inlinable @inline(__always)
    static func errorFunctionNearZero(_ x: Lanes) -> Lanes {
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
    static func complementaryTail(_ x: Lanes, bell: Lanes) -> Lanes {
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
        var result = (bell * p) / q
        let isNear = x .< 8
        if !all(isNear) {
            for lane in 0..<laneCount where !isNear[lane] {
                result[lane] = Double.farComplementaryTail(x[lane], bell: bell[lane])
            }
        }
        return result
    }
}
