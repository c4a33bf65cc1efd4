import Core

/// How often each of the first values of a column came, and which came most.
///
/// Values past the limit are not counted: memory stays bounded.
///
/// - Complexity: O(1) time per value, expected; up to about 48 bytes for each counted value.
struct ValueCounts: Sendable {
    /// The most distinct values that are counted.
    static let limit = 4096

    /// The values in the order of their first sight, and their weights.
    private(set) var values: [Double] = []
    private(set) var weights: [Double] = []
    /// The heaviest value's place, the first among equals; −1 before any value.
    private(set) var best = -1
    /// Where a value stands, by its bits; never iterated.
    private var places: [UInt64: Int] = [:]

    /// The heaviest value so far; NaN before any.
    var mostFrequent: Double { best < 0 ? .nan : values[best] }

    mutating func add(_ value: Double, weight: Double) {
        // −0 and 0 are one value.
        let bits = (value + 0.0).bitPattern
        let place: Int
        if let known = places[bits] {
            place = known
        } else {
            guard values.count < Self.limit else { return }
            place = values.count
            places[bits] = place
            values.append(value + 0.0)
            weights.append(0)
        }
        weights[place] = min(weights[place] + weight, 1e300)
        if best < 0 || weights[place] > weights[best]
            || (weights[place] == weights[best] && place < best)
        {
            best = place
        }
    }

    var stateBytes: Int { 48 * values.count }

    func encode(to encoder: inout StateEncoder) {
        encoder.write(values)
        encoder.write(weights)
        encoder.write(best)
    }

    init() {}

    init(from decoder: inout StateDecoder) throws(StateError) {
        values = try decoder.readDoubles()
        weights = try decoder.readDoubles()
        best = try decoder.readInt(in: -1...(values.count - 1), "the most frequent value")
        guard values.count <= Self.limit, weights.count == values.count else {
            throw .invalidValue("\(weights.count) weights for \(values.count) values")
        }
        guard (best < 0) == values.isEmpty else {
            throw .invalidValue("the most frequent value is \(best)")
        }
        for (place, value) in values.enumerated() {
            guard places.updateValue(place, forKey: value.bitPattern) == nil else {
                throw .invalidValue("a value is counted twice")
            }
        }
    }
}
