import Core

/// The logarithm of a product of many factors, with one logarithm at the end.
///
/// Keeps mantissa and exponent apart, so that the product neither overflows nor underflows.
/// Factors are positive and normal.
struct LogProduct {
    /// In [1, 2).
    private var mantissa = 1.0
    private var exponent = 0.0

    @inline(__always)
    mutating func multiply(by factor: Double) {
        take(mantissa * factor)
    }

    /// Multiplies by eight factors and returns their exponents: factor = 2^exponent · [1, 2).
    @inline(__always)
    mutating func multiply(by factors: Lanes) -> Lanes {
        // Adding 2^52 as bits turns an exponent field into a double.
        let bits = factors.bits
        let exponents =
            Lanes(bits: (bits &>> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0)
        let mantissas = Lanes(bits: (bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000)
        exponent += exponents.folded
        take(mantissa * mantissas.foldedProduct)
        return exponents
    }

    @inline(__always)
    private mutating func take(_ product: Double) {
        let bits = product.bitPattern
        exponent += Double(Int64(bits &>> 52) &- 1023)
        mantissa = Double(bitPattern: (bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000)
    }

    /// The natural logarithm of this product divided by another.
    @inline(__always)
    func logarithm(dividedBy other: LogProduct) -> Double {
        Double.logarithmOfNormal(mantissa / other.mantissa)
            + (exponent - other.exponent) * 0.6931471805599453
    }
}
