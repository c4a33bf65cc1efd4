/// Eight doubles that arithmetic treats as one value: the width of every kernel's inner loop.
@usableFromInline
package typealias Lanes = SIMD8<Double>

/// The number of doubles in a vector of ``Lanes``.
@usableFromInline
package let laneCount: Int = 8

extension SIMD8 where Scalar == Double {
    /// The sum of the eight lanes, always folded in the same order.
    ///
    /// The order `((0+4)+(2+6)) + ((1+5)+(3+7))` is part of the numeric contract: changing it
    /// changes the bits of every model, and needs a new `numericsVersion`.
    @inlinable @inline(__always)
    package var folded: Double {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
}
