extension SIMD8 where Scalar == Double {
    /// The bit patterns of the lanes.
    @inlinable @inline(__always)
    package var bits: SIMD8<UInt64> {
        // Safety: both are eight lanes of 64 bits, and every pattern is a valid value of both.
        unsafe unsafeBitCast(self, to: SIMD8<UInt64>.self)
    }

    /// The lanes with these bit patterns.
    @inlinable @inline(__always)
    package init(bits: SIMD8<UInt64>) {
        // Safety: both are eight lanes of 64 bits, and every pattern is a valid value of both.
        self = unsafe unsafeBitCast(bits, to: Lanes.self)
    }

    /// The lanes without their signs.
    @inlinable @inline(__always)
    package var magnitudes: Lanes {
        Lanes(bits: bits & 0x7FFF_FFFF_FFFF_FFFF)
    }

    /// The product of the eight lanes, always folded in the order of ``folded``.
    @inlinable @inline(__always)
    package var foldedProduct: Double {
        let four = lowHalf * highHalf
        let two = four.lowHalf * four.highHalf
        return two[0] * two[1]
    }
}
