import Core

/// Points around three centres that move through a square, for clustering.
///
/// Centres start at least 5 apart in [−10, 10]², go straight on by 1 in 10,000 records and bounce
/// off the edges; in another concept they start elsewhere and go another way. Points lie normally
/// around a centre chosen at random; the noise is their standard deviation. The label is the
/// centre's number.
///
/// - Complexity: O(1) time and memory per record. The same seed gives the same records.
package struct BlobsSource: SyntheticSource {
    package static var description: SyntheticDescription {
        SyntheticDescription(
            name: "blobs",
            summary: "points around three moving centres",
            source: "Gaussian clusters, as in scikit-learn's make_blobs",
            columns: ["x0", "x1"].map { SyntheticColumn($0, .decimal(digits: 4)) },
            label: SyntheticColumn("cluster", .integer), conceptCount: 4,
            noise: ("the standard deviation of a blob", 1, 0...100))
    }

    /// The number of centres.
    package static let centerCount: Int = 3
    private static let edge = 10.0
    private static let distanceMin = 5.0
    private static let speed = 1.0 / 10_000

    private struct Path: Sendable {
        let start: [Double]
        /// Per record.
        let velocity: [Double]
    }

    private let paths: [[Path]]
    private var random: SplitMix64
    private var normal: NormalNumbers
    private let noise: Double

    package init(seed: UInt64, noise: Double) {
        paths = (0..<Self.description.conceptCount).map { concept in
            Self.paths(seed: SplitMix64.derived(seed, "blobs \(concept)"))
        }
        random = SplitMix64(seed: SplitMix64.derived(seed, "blobs"))
        normal = NormalNumbers(seed: SplitMix64.derived(seed, "blobs noise"))
        self.noise = noise
    }

    package mutating func next(
        record: Int, concept: Int, into values: inout [Double]
    ) -> Double {
        let blob = random.next(below: Self.centerCount)
        let center = center(of: blob, record: record, concept: concept)
        for axis in 0..<2 {
            values[axis] = (center[axis] + noise * normal.next()).rounded(stepsPerUnit: 10_000)
        }
        return Double(blob)
    }

    /// Where a centre stands at a record.
    package func center(of blob: Int, record: Int, concept: Int) -> [Double] {
        let path = paths[concept][blob]
        return (0..<2).map { axis in
            Self.bounced(path.start[axis] + path.velocity[axis] * Double(record))
        }
    }

    /// A place on an endless line folded into [−edge, edge].
    private static func bounced(_ place: Double) -> Double {
        let period = 4 * edge
        var phase = (place + edge).truncatingRemainder(dividingBy: period)
        if phase < 0 { phase += period }
        return phase < 2 * edge ? phase - edge : 3 * edge - phase
    }

    private static func paths(seed: UInt64) -> [Path] {
        var random = SplitMix64(seed: seed)
        var paths: [Path] = []
        while paths.count < centerCount {
            let start = (0..<2).map { _ in edge * (2 * random.nextUnit() - 1) }
            let direction = (0..<2).map { _ in 2 * random.nextUnit() - 1 }
            let length =
                (direction[0] * direction[0] + direction[1] * direction[1]).squareRoot()
            let isApart = paths.allSatisfy { path in
                let dx = path.start[0] - start[0]
                let dy = path.start[1] - start[1]
                return dx * dx + dy * dy >= distanceMin * distanceMin
            }
            guard isApart, length > 0.01 else { continue }
            paths.append(Path(start: start, velocity: direction.map { $0 / length * speed }))
        }
        return paths
    }
}
