package import Core

/// Sequential k-means: each record moves the nearest centre toward itself.
///
/// A centre is the mean of the records that it won (MacQueen), or, with `half_life`, their mean
/// with weights that halve over a number of records or a span of event time. Given centres start
/// with weight 0, so that the first record that a centre wins replaces it. Without given ones the
/// first max(100, 10 *k*) records are collected; until then there is no cluster (label −1,
/// distance NaN), then k-means++ picks the centres and the records are learned in their order.
///
/// A value is the squared distance over the features present, scaled up by *d* / present; a record
/// without any has no cluster and teaches nothing. The lowest index wins ties. Sparse features are
/// not looked at.
///
/// With `half_life` a centre that stopped winning is revived: see ``KMeans/reviveWeakest()``.
///
/// - Complexity: O(*k d*) time per record; memory for *k* centres and, at the start, max(100,
///   10 *k*) records; allocates only until the centres stand.
/// - Note: MacQueen, *Some Methods for Classification and Analysis of Multivariate Observations*,
///   1967; Arthur and Vassilvitskii, *k-means++*, 2007.
package struct KMeans: Clusterer {
    package static let declaration = ComponentDeclaration(
        name: "kmeans",
        summary: "Clusters around k centres, each the mean of the records nearest to it.",
        source: "MacQueen 1967; k-means++ 2007",
        settings: [
            SettingDeclaration(
                "k", .integer(1...1000),
                "The number of clusters; by default that of `centres`, else 5."),
            SettingDeclaration(
                "centres", .list(.list(.number(-1e100...1e100))), unit: "units of the features",
                "The centres to start at, each with a number for every column; without them "
                    + "k-means++ picks centres among the first records."),
            SettingDeclaration(
                "half_life", .extent,
                "After how many records, or how much event time, a record weighs half; without it "
                    + "every record weighs the same for ever."),
        ])

    /// How the weight of older records falls.
    enum Decay: Equatable {
        case none
        /// The half-life in records.
        case records(Double)
        /// The half-life in milliseconds.
        case time(Double)
    }

    let layout: ColumnLayout
    let k: Int
    let vectorCount: Int
    let decay: Decay
    /// The centres given in the settings; empty without.
    let givenCentres: [Lanes]
    var random: SplitMix64

    /// Centre *j* is `centres[j * vectorCount ..< (j + 1) * vectorCount]`; empty until they stand.
    var centres: [Lanes]
    /// The decayed weight of the records that each centre won.
    var counts: [Double]
    /// As ``counts``, but from 1, and halved at most once per record: what revival goes by.
    var vitality: [Double]
    /// The latest event time learned, in milliseconds.
    var latestTime: Int64?
    /// The records collected before the centres stand.
    var start: Reservoir

    package init(settings: Settings, layout: ColumnLayout, seed: UInt64) throws(SettingsError) {
        for column in layout.columns where column.kind != .numeric {
            throw SettingsError(
                key: "", problem: "k-means measures distances, and \(column.name) is categorical",
                remedy: "put one_hot before it in prepare, or leave the feature out")
        }
        guard !layout.columns.isEmpty else {
            throw SettingsError(
                key: "", problem: "k-means needs columns of numbers, and there are none",
                remedy: "add numeric features; text, map and set features have no distance here")
        }
        let given = try Self.givenCentres(settings, layout)
        let k = settings.has("k") ? settings.integer("k") : given?.count ?? 5
        if let given, given.count != k {
            throw SettingsError(
                key: "k", problem: "k is \(k), and \(given.count) centres are given",
                remedy: "leave k out, or give as many centres")
        }
        self.layout = layout
        self.k = k
        vectorCount = layout.vectorsPerRow
        if settings.has("half_life") {
            switch settings.extent("half_life") {
            case .records(let count): decay = .records(Double(count))
            case .time(let milliseconds): decay = .time(Double(milliseconds))
            }
        } else {
            decay = .none
        }
        givenCentres = (given ?? []).flatMap { Self.lanes($0) }
        random = SplitMix64(seed: seed)
        centres = givenCentres
        counts = []
        vitality = []
        start = Reservoir(capacity: max(100, 10 * k), vectorCount: vectorCount)
        if !centres.isEmpty { resetWeights() }
    }

    private static func givenCentres(
        _ settings: Settings, _ layout: ColumnLayout
    ) throws(SettingsError) -> [[Double]]? {
        guard settings.has("centres") else { return nil }
        let dimensions = layout.columns.count
        var result: [[Double]] = []
        for item in settings.list("centres") {
            guard case .list(let values) = item, values.count == dimensions else {
                throw SettingsError(
                    key: "centres",
                    problem: "centre \(result.count + 1) has not as many numbers as there are "
                        + "columns",
                    remedy: "give \(dimensions) numbers for each centre, in the order "
                        + layout.columns.map(\.name).joined(separator: ", "))
            }
            result.append(
                values.map { value in
                    switch value {
                    case .number(let number): number
                    case .integer(let number): Double(number)
                    default: preconditionFailure("a centre holds \(value)")
                    }
                })
        }
        guard (1...1000).contains(result.count) else {
            throw SettingsError(
                key: "centres", problem: "\(result.count) centres are given",
                remedy: "give from 1 to 1000, or leave them out")
        }
        return result
    }

    private static func lanes(_ values: [Double]) -> [Lanes] {
        stride(from: 0, to: values.count, by: laneCount).map { base in
            var lanes = Lanes.zero
            for lane in 0..<min(laneCount, values.count - base) {
                lanes[lane] = values[base + lane]
            }
            return lanes
        }
    }

    package var clusterCount: Int { k }
    /// Whether there are centres, so that rows get a cluster.
    package var hasCentres: Bool { !centres.isEmpty }

    /// A coordinate of a centre, in units of its column.
    package func centre(_ cluster: Int, column: Int) -> Double {
        centres[cluster * vectorCount + column / laneCount][column % laneCount]
    }

    /// The decayed weight of the records that a centre won.
    package func weight(_ cluster: Int) -> Double { counts[cluster] }

    mutating func resetWeights() {
        counts = [Double](repeating: 0, count: k)
        vitality = [Double](repeating: 1, count: k)
    }

    package mutating func reset() {
        centres = givenCentres
        latestTime = nil
        start = Reservoir(capacity: start.capacity, vectorCount: vectorCount)
        if !centres.isEmpty { resetWeights() }
    }

    package var stateBytes: Int {
        MemoryLayout<Lanes>.stride * (centres.count + givenCentres.count) + 16 * counts.count
            + start.stateBytes
    }
}
