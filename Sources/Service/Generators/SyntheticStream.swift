import Core

/// A synthetic source with its changes of concept: a value that draws one record after another.
package struct SyntheticStream: Sendable {
    /// All sources, in the order in which help shows them.
    package static let sources: [any SyntheticSource.Type] = [
        SEASource.self, FriedmanSource.self, RandomTreeSource.self, BlobsSource.self,
        DevicesSource.self,
    ]

    package let description: SyntheticDescription
    package let drift: DriftSchedule
    /// The values of the record drawn last, one for each column.
    package private(set) var values: [Double]
    /// The label of the record drawn last.
    package private(set) var label = 0.0
    /// The concept of the record drawn last.
    package private(set) var concept = 0
    /// The number of records drawn.
    package private(set) var count = 0

    private var source: any SyntheticSource
    private var random: SplitMix64

    /// - Parameter noise: `nil` for the source's standard; else in the range that it allows.
    package init(
        _ type: any SyntheticSource.Type, seed: UInt64, drift: DriftSchedule = .never,
        noise: Double? = nil
    ) {
        description = type.description
        let noise = noise ?? description.noise.standard
        precondition(description.noise.range.contains(noise), "noise \(noise) is out of range")
        source = type.init(seed: seed, noise: noise)
        random = SplitMix64(seed: SplitMix64.derived(seed, "drift"))
        self.drift = drift
        values = [Double](repeating: 0, count: description.columns.count)
    }

    /// Draws the next record into ``values``, ``label`` and ``concept``.
    package mutating func advance() {
        concept = drift.concept(of: count, random: &random) % description.conceptCount
        label = source.next(record: count, concept: concept, into: &values)
        count += 1
    }
}
