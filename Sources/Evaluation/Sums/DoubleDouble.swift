/// A number of twice the precision, as the sum of two doubles.
///
/// - Note: Dekker, *A Floating-Point Technique for Extending the Available Precision*, 1971.
struct DoubleDouble: Sendable, Equatable {
    let high: Double
    let low: Double

    init(_ high: Double, _ low: Double = 0) {
        self.high = high
        self.low = low
    }

    /// The exact product of two doubles below 1e150 in magnitude.
    @inline(__always)
    static func product(_ a: Double, _ b: Double) -> DoubleDouble {
        // 2^27 + 1 splits a double into two halves whose products are exact.
        let splitter = 134_217_729.0
        let scaledA = splitter * a
        let highA = scaledA - (scaledA - a)
        let lowA = a - highA
        let scaledB = splitter * b
        let highB = scaledB - (scaledB - b)
        let lowB = b - highB
        let product = a * b
        let error = ((highA * highB - product) + highA * lowB + lowA * highB) + lowA * lowB
        return DoubleDouble(product, error)
    }

    static func * (left: DoubleDouble, right: Double) -> DoubleDouble {
        let product = product(left.high, right)
        return DoubleDouble(product.high, product.low + left.low * right)
    }

    static func + (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
        let sum = left.high + right.high
        let rounded = sum - left.high
        let error = (left.high - (sum - rounded)) + (right.high - rounded)
        let low = error + left.low + right.low
        let total = sum + low
        return DoubleDouble(total, low - (total - sum))
    }

    var value: Double { high + low }
}
