import Core

/// Four running sums that keep what rounding would lose, so that values can be taken out again.
///
/// - Complexity: O(1) time per addition, 64 bytes.
/// - Note: Neumaier, *Rundungsfehleranalyse einiger Verfahren zur Summation*, 1974, in the
///   branch-free form of Knuth.
struct CompensatedSum: Sendable, Equatable {
    private(set) var high = SIMD4<Double>.zero
    private(set) var low = SIMD4<Double>.zero

    init() {}

    @inline(__always)
    mutating func add(_ values: SIMD4<Double>) {
        let sum = high + values
        let rounded = sum - high
        low += (high - (sum - rounded)) + (values - rounded)
        high = sum
    }

    /// Adds what is below the last bit of a value in ``add(_:)``.
    @inline(__always)
    mutating func addLow(_ values: SIMD4<Double>) {
        low += values
    }

    /// The sums, rounded.
    var value: SIMD4<Double> { high + low }
}

extension CompensatedSum {
    func encode(to encoder: inout StateEncoder) {
        for lane in 0..<4 { encoder.write(high[lane]) }
        for lane in 0..<4 { encoder.write(low[lane]) }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        for lane in 0..<4 { high[lane] = try decoder.readDouble() }
        for lane in 0..<4 { low[lane] = try decoder.readDouble() }
    }
}
