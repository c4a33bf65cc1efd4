import Core
import Engine
import KafkaIO
import State
import TestSupport

/// Everything that a pipeline committed, and what it was made from, as read from the cluster.
struct Evidence {
    /// The end of a partition and how far it is stable: they differ while a transaction is open.
    struct Ends {
        let place: String
        let end: Int64
        /// nil when nobody answers.
        let stable: Int64?
    }

    /// The input, by partition.
    var input: [StoredPartition]
    var harvest: Harvest
    /// The entries that each task's journal still holds and that count.
    var journals: [[JournalEntry]]
    var damagedEntries = 0
    /// The records of the entries that do not count, because their writer had been overtaken (at
    /// least once).
    var overtakenRecords = 0
    /// The keys of the chunks that the state topic still holds, by task.
    var chunks: [[ChunkKey]]
    /// The hash of each task's state after a last restore.
    var states: [Int: UInt64] = [:]
    var ends: [Ends] = []

    /// Reads it all.
    init(
        of pipeline: PipelineUnderTest, bootstrap: String, topic: String,
        states: [TaskID: UInt64], probe: ClusterProbe
    ) throws {
        let settings = KafkaSettings(common: [TextPair("bootstrap.servers", bootstrap)])
        let output = pipeline.pipeline.output
        var input = (0..<pipeline.partitionCount).map { StoredPartition(Int32($0)) }
        try Self.read(topic, settings) { input[Int($0.partition)].append($0) }
        self.input = input

        var harvest = Harvest(partitions: pipeline.partitionCount)
        try Self.read(output.predictionsTopic, settings) { record in
            let key = record.key ?? []
            let value = record.value ?? []
            harvest.addPrediction(partition: record.partition, key: key.span, value: value.span)
        }
        try Self.read(output.metricsTopic, settings) { record in
            let value = record.value ?? []
            harvest.addReport(partition: record.partition, value: value.span)
        }
        self.harvest = harvest

        var journals = [[JournalEntry]](repeating: [], count: pipeline.taskCount)
        var damaged = 0
        var overtaken = 0
        var filters = [JournalFilter](repeating: JournalFilter(), count: pipeline.taskCount)
        try Self.read(output.journalTopic, settings) { record in
            let bytes = record.value ?? []
            do {
                if let entry = try filters[Int(record.partition)].entry(in: bytes) {
                    journals[Int(record.partition)].append(entry)
                } else if let entry = try? JournalEntry(decoding: bytes) {
                    overtaken += Int(entry.recordCount)
                }
            } catch {
                damaged += 1
            }
        }
        self.journals = journals
        damagedEntries = damaged
        overtakenRecords = overtaken
        var chunks = [[ChunkKey]](repeating: [], count: pipeline.taskCount)
        try Self.read(output.stateTopic, settings) { record in
            guard let key = ChunkKey(bytes: record.key ?? []) else { return }
            chunks[Int(record.partition)].append(key)
        }
        self.chunks = chunks
        for task in 0..<pipeline.taskCount {
            self.states[task] = states[TaskID(pipeline: pipeline.name, task: task)]
        }

        let admin = try KafkaAdmin(settings: settings, log: KafkaLog { _ in })
        defer { admin.close() }
        for (name, count) in [
            (output.predictionsTopic, pipeline.partitionCount),
            (output.metricsTopic, pipeline.taskCount), (output.journalTopic, pipeline.taskCount),
        ] {
            for partition in 0..<Int32(count) {
                let place = TopicPartition(topic: name, partition: partition)
                ends.append(
                    Ends(
                        place: "\(name)[\(partition)]", end: try admin.watermarks(of: place).high,
                        stable: probe.lastStableOffset(name, partition)))
            }
        }
    }

    /// Evidence that was not read but made, for testing the verdict.
    init(
        input: [StoredPartition], harvest: Harvest, journals: [[JournalEntry]],
        states: [Int: UInt64]
    ) {
        self.input = input
        self.harvest = harvest
        self.journals = journals
        self.states = states
        chunks = journals.map { _ in [] }
    }

    private static func read(
        _ topic: String, _ settings: KafkaSettings, _ body: (KafkaRecord) -> Void
    ) throws {
        let tail = try KafkaTail(
            settings: settings, topic: topic, from: KafkaOffset.beginning, log: KafkaLog { _ in })
        defer { tail.close() }
        guard try tail.readToEnd(milliseconds: 600_000, body) else {
            throw ToolFailure.running("topic \(topic) could not be read to its end in 600 s")
        }
    }
}

extension ChunkKey {
    /// Reads what ``bytes`` gives; nil for anything else.
    init?(bytes: [UInt8]) {
        guard bytes.count == 20 else { return nil }
        var decoder = StateDecoder(bytes)
        guard let task = try? decoder.readInteger(Int32.self),
            let generation = try? decoder.readInteger(Int32.self),
            let sequence = try? decoder.readUInt64(),
            let part = try? decoder.readInteger(UInt32.self)
        else { return nil }
        self.init(task: task, generation: generation, sequence: sequence, part: part)
    }
}
