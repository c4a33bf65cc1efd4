import Core

/// What a processor has seen since the task's first record; a function of the log.
package struct ProcessorCounters: Sendable, Equatable {
    /// Records taken, faulty ones included.
    package var records = 0
    /// Records set aside, by ``RecordFault`` raw value.
    package var faults = [Int](repeating: 0, count: RecordFault.allCases.count)
    /// Drifts signalled, by detector in the order of the pipeline file.
    package var drifts: [Int] = []
    /// Warnings signalled, in the same order.
    package var warnings: [Int] = []
    /// The models by value; `nil` where one model serves all records.
    package var models: ModelCounts?

    init() {}

    init(_ pipeline: Pipeline) {
        drifts = [Int](repeating: 0, count: pipeline.detectors.count)
        warnings = drifts
        if case .field = pipeline.scope { models = ModelCounts() }
    }

    /// Records set aside.
    package var faultTotal: Int { faults.reduce(0, +) }
}

/// The models of a task that has one for each value of a field.
package struct ModelCounts: Sendable, Equatable {
    /// Models that are there now.
    package var live = 0
    /// Models forgotten so far because another value took their place.
    package var evicted = 0
    /// Records without a Kafka key, whose value may turn up in several partitions.
    package var unkeyed = 0

    package init(live: Int = 0, evicted: Int = 0, unkeyed: Int = 0) {
        self.live = live
        self.evicted = evicted
        self.unkeyed = unkeyed
    }

    mutating func note(_ arrival: ModelWork.Arrival) {
        if arrival.evicts { evicted += 1 } else { live += 1 }
    }
}

// MARK: - State

extension ProcessorCounters {
    func encode(to encoder: inout StateEncoder) {
        encoder.write(records)
        encoder.write(faults)
        encoder.write(drifts)
        encoder.write(warnings)
        guard let models else { return }
        for count in [models.live, models.evicted, models.unkeyed] { encoder.write(count) }
    }

    /// Reads the counters of a pipeline that learns the same.
    ///
    /// - Parameters:
    ///   - stored: The detectors that were counted.
    ///   - sources: For each detector of this pipeline, which of those it was.
    init(
        _ pipeline: Pipeline, storedDetectors stored: Int, _ sources: [Int?],
        from decoder: inout StateDecoder
    ) throws(StateError) {
        self.init(pipeline)
        records = try decoder.readInt()
        faults = try decoder.readIntegers(Int.self)
        let storedDrifts = try decoder.readIntegers(Int.self)
        let storedWarnings = try decoder.readIntegers(Int.self)
        guard faults.count == RecordFault.allCases.count, storedDrifts.count == stored,
            storedWarnings.count == stored
        else { throw .invalidValue("the counters are of another pipeline") }
        drifts = sources.map { $0.map { storedDrifts[$0] } ?? 0 }
        warnings = sources.map { $0.map { storedWarnings[$0] } ?? 0 }
        guard models != nil else { return }
        models = ModelCounts(
            live: try decoder.readInt(in: 0...Int.max, "the live models"),
            evicted: try decoder.readInt(in: 0...Int.max, "the evicted models"),
            unkeyed: try decoder.readInt(in: 0...Int.max, "the records without a key"))
    }
}
