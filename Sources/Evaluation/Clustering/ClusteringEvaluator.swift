import Core

/// Measures how close records lie to the centres of their clusters, from the start and over
/// windows. Records without a cluster are not measured.
struct ClusteringEvaluator: Sendable, Equatable {
    private(set) var clock: EvaluationClock
    private let tracked: [String]
    private var windows: WindowSet
    /// By scope: weighted squared distance, weight.
    private var sums: [CompensatedSum]
    /// Weights of cluster *c* in scope *s*: `sizes[s * capacity + c]`.
    private var sizes: [CompensatedSum] = []
    private var capacity = 0
    private var clusterCount = 0
    /// By slot.
    private var clusters: [Int32]
    /// By slot: weighted squared distance, weight.
    private var values: [SIMD4<Double>]

    init(_ settings: EvaluationSettings) {
        clock = EvaluationClock(every: settings.every)
        tracked = settings.tracked
        windows = WindowSet(settings.windows)
        sums = [CompensatedSum](repeating: CompensatedSum(), count: settings.windows.count + 1)
        clusters = [Int32](repeating: 0, count: windows.slotCount)
        values = [SIMD4<Double>](repeating: .zero, count: windows.slotCount)
    }

    mutating func update(
        _ rows: borrowing Rows, _ range: Range<Int>, _ predictions: borrowing Predictions
    ) -> Int {
        let times = rows.eventTimes
        let weights = rows.weights
        let assigned = predictions.labels
        let distances = predictions.values
        for row in range {
            clock.see(times[row])
            if assigned[row] < 0 || distances[row].isNaN {
                clock.unpredicted &+= 1
            } else {
                let weight = min(weights[row], 1e100)
                let distance = min(distances[row], 1e200)
                add(assigned[row], SIMD4(weight * distance, weight, 0, 0), times[row])
                clock.countEvaluated()
            }
            if clock.isReportDue { return row &+ 1 }
        }
        return range.upperBound
    }

    @inline(__always)
    private mutating func add(_ cluster: Int32, _ value: SIMD4<Double>, _ time: Int64) {
        settle(makesRoom: true)
        if Int(cluster) >= clusterCount { setClusterCount(Int(cluster) &+ 1) }
        if windows.isFull { makeRoom() }
        let slot = windows.append(time, highest: clock.highestTime)
        clusters[slot] = cluster
        values[slot] = value
        add(scope: 0, slot, sign: 1)
        for window in 0..<windows.count
        where windows.admits(window, time, highest: clock.highestTime) {
            add(scope: window &+ 1, slot, sign: 1)
        }
    }

    @inline(__always)
    private mutating func add(scope: Int, _ slot: Int, sign: Double) {
        sums[scope].add(values[slot] * sign)
        sizes[scope &* capacity &+ Int(clusters[slot])].add(values[slot] * sign)
    }

    @inline(__always)
    private mutating func settle(makesRoom: Bool) {
        let highest = clock.highestTime
        for window in 0..<windows.count {
            while true {
                let slot = windows.nextExpired(window, highest: highest, makesRoom: makesRoom)
                if slot < 0 { break }
                add(scope: window &+ 1, slot, sign: -1)
            }
        }
    }

    private mutating func makeRoom() {
        windows.release()
        guard windows.isFull else { return }
        if windows.isAtLimit {
            for window in windows.extents.indices {
                let slot = windows.nextForced(window, highest: clock.highestTime)
                if slot >= 0 { add(scope: window + 1, slot, sign: -1) }
            }
            windows.release()
        } else {
            let (start, end) = (windows.start, windows.end)
            windows.grow()
            clusters = WindowSet.regrown(clusters, from: start, to: end, fill: 0)
            values = WindowSet.regrown(values, from: start, to: end, fill: .zero)
        }
    }

    private mutating func setClusterCount(_ count: Int) {
        clusterCount = count
        guard count > capacity else { return }
        let larger = max(count, 2 * capacity, 8)
        var moved = [CompensatedSum](repeating: CompensatedSum(), count: sums.count * larger)
        for scope in sums.indices {
            for cluster in 0..<capacity {
                moved[scope * larger + cluster] = sizes[scope * capacity + cluster]
            }
        }
        sizes = moved
        capacity = larger
    }

    mutating func makeReport() -> MetricsReport {
        settle(makesRoom: false)
        clock.reported()
        let scopes = sums.indices.map { scope in
            let sums = ClusteringSums(
                sizes: (0..<clusterCount).map { sizes[scope * capacity + $0].value[1] },
                squaredDistance: sums[scope].value[0])
            return MetricsScope(
                extent: scope > 0 ? windows.extents[scope - 1] : nil,
                count: scope > 0 ? windows.counts[scope - 1] : clock.evaluated,
                truncated: scope > 0 ? windows.truncated[scope - 1] : 0,
                series: [
                    MetricsSeries(
                        name: "model", sums: .clustering(sums), tracked: tracked,
                        positiveClass: nil)
                ])
        }
        return MetricsReport(
            task: .clustering, tracked: tracked, records: clock.records,
            evaluated: clock.evaluated, unlabelled: 0, unpredicted: clock.unpredicted,
            highestEventTime: clock.records > 0 ? clock.highestTime : nil, classes: [],
            positiveClass: nil, scopes: scopes)
    }

    var stateBytes: Int { 64 * (sums.count + sizes.count) + windows.slotCount * (4 + 32 + 9) }
}

// MARK: - State

extension ClusteringEvaluator {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("clustering_evaluator", version: 1)
        clock.encode(to: &encoder)
        encoder.write(capacity)
        encoder.write(clusterCount)
        windows.encode(to: &encoder)
        for sum in sums + sizes { sum.encode(to: &encoder) }
        for sequence in windows.start..<windows.end {
            let slot = windows.slot(sequence)
            encoder.write(clusters[slot])
            for lane in 0..<2 { encoder.write(values[slot][lane]) }
        }
    }

    init(_ settings: EvaluationSettings, from decoder: inout StateDecoder) throws(StateError) {
        self.init(settings)
        _ = try decoder.section("clustering_evaluator", through: 1)
        try clock.decode(from: &decoder)
        // A sum of 64 bytes is stored for each cluster and scope.
        capacity = try decoder.readInt(in: 0...(decoder.remaining / 64), "the room for clusters")
        clusterCount = try decoder.readInt(in: 0...capacity, "the number of clusters")
        windows = try WindowSet(settings.windows, from: &decoder)
        for scope in sums.indices { sums[scope] = try CompensatedSum(from: &decoder) }
        sizes = [CompensatedSum](repeating: CompensatedSum(), count: sums.count * capacity)
        for index in sizes.indices { sizes[index] = try CompensatedSum(from: &decoder) }
        clusters = [Int32](repeating: 0, count: windows.slotCount)
        values = [SIMD4<Double>](repeating: .zero, count: windows.slotCount)
        for sequence in windows.start..<windows.end {
            let slot = windows.slot(sequence)
            clusters[slot] = try decoder.readInteger(Int32.self)
            guard (0..<Int32(clusterCount)).contains(clusters[slot]) else {
                throw .invalidValue("a stored window holds an unknown cluster")
            }
            for lane in 0..<2 { values[slot][lane] = try decoder.readDouble() }
        }
    }
}
