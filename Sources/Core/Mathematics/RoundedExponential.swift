extension Double {
    /// e to this power, rounded correctly in all but about one of a million cases.
    ///
    /// For decisions that must equal those of another implementation whose exponential is nearly
    /// always rounded correctly; some twenty times slower than ``exponential``, and with subnormal
    /// results. NaN for NaN.
    package var roundedExponential: Double {
        if isNaN { return self }
        if self > 709.782712893383973096 { return .infinity }
        if self < -745.133219101941108420 { return 0 }
        // Adding and subtracting 1.5 · 2^52 rounds to an integer.
        let magic = 6_755_399_441_055_744.0
        let power = (self * 1.4426950408889634 + magic) - magic
        // ln 2 in three parts; the product with the first is exact.
        let first = PairOfDoubles(sumOf: self, -(power * 6.93147180369123816490e-01))
        let second = PairOfDoubles(productOf: power, 1.9082149292705877e-10)
        var reduced = PairOfDoubles(sumOf: first.high, -second.high)
        reduced.add(low: first.low - second.low - power * 0x1.cc01f97b57a08p-87)
        // Of x / 256 a short series; then e^x − 1 doubled eight times: 2y + y².
        let x = PairOfDoubles(high: reduced.high * 0x1p-8, low: reduced.low * 0x1p-8)
        let h = x.high
        let tail = 1.0 / 6 + h * (1.0 / 24 + h * (1.0 / 120 + h * (1.0 / 720 + h / 5040)))
        let square = x.squared
        var result = PairOfDoubles(sumOf: x.high, 0.5 * square.high)
        result.add(low: x.low + 0.5 * square.low + tail * h * square.high)
        for _ in 0..<8 {
            let square = result.squared
            var doubled = PairOfDoubles(sumOf: 2 * result.high, square.high)
            doubled.add(low: 2 * result.low + square.low)
            result = doubled
        }
        var whole = PairOfDoubles(sumOf: 1, result.high)
        whole.add(low: result.low)
        return Double(sign: .plus, exponent: Int(power), significand: whole.high)
    }
}

/// An unevaluated sum of two doubles, about 106 bits.
///
/// - Note: Dekker, *A floating-point technique for extending the available precision*, 1971.
private struct PairOfDoubles {
    var high: Double
    var low: Double

    init(high: Double, low: Double) {
        self.high = high
        self.low = low
    }

    init(sumOf a: Double, _ b: Double) {
        high = a + b
        let part = high - a
        low = (a - (high - part)) + (b - part)
    }

    init(productOf a: Double, _ b: Double) {
        high = a * b
        let (a1, a2) = Self.halves(a)
        let (b1, b2) = Self.halves(b)
        low = ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2
    }

    /// Two numbers of at most 26 bits each that sum to the value.
    private static func halves(_ value: Double) -> (Double, Double) {
        let scaled = 134_217_729.0 * value
        let upper = scaled - (scaled - value)
        return (upper, value - upper)
    }

    var squared: PairOfDoubles {
        var result = PairOfDoubles(productOf: high, high)
        result.add(low: 2 * high * low)
        return result
    }

    /// Adds a small number and renormalises.
    mutating func add(low value: Double) {
        self = PairOfDoubles(sumOf: high, low + value)
    }
}
