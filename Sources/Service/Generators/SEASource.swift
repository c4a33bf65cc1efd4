import Core

/// The SEA concepts: two of three uniform numbers decide the class, against a moving threshold.
///
/// The class is 1 where `attrib1 + attrib2 > t`, with t = 8, 9, 7, 9.5 in the four concepts; then
/// the noise's share of the labels is turned round.
///
/// - Complexity: O(1) time and memory per record. The same seed gives the same records.
/// - Note: Street and Kim, *A Streaming Ensemble Algorithm (SEA) for Large-Scale Classification*,
///   2001.
package struct SEASource: SyntheticSource {
    package static var description: SyntheticDescription {
        SyntheticDescription(
            name: "sea",
            summary: "two classes by the sum of two numbers against a threshold that changes",
            source: "Street and Kim, 2001",
            columns: (1...3).map { SyntheticColumn("attrib\($0)", .decimal(digits: 4)) },
            label: SyntheticColumn("class", .integer), conceptCount: 4,
            noise: ("the share of labels turned round", 0.1, 0...1))
    }

    private static let thresholds = [8.0, 9.0, 7.0, 9.5]

    private var random: SplitMix64
    private let noise: Double

    package init(seed: UInt64, noise: Double) {
        random = SplitMix64(seed: SplitMix64.derived(seed, "sea"))
        self.noise = noise
    }

    package mutating func next(
        record: Int, concept: Int, into values: inout [Double]
    ) -> Double {
        for index in 0..<3 { values[index] = random.nextDecimal(upTo: 10, stepsPerUnit: 10_000) }
        let isAbove = values[0] + values[1] > Self.thresholds[concept]
        let isTurned = random.nextUnit() < noise
        return isAbove != isTurned ? 1 : 0
    }
}
