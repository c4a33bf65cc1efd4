import CPlatform
import Core
import Engine
import Foundation
import KafkaIO
import State

/// Compares everything that a pipeline committed with what an uninterrupted pass gives.
struct Verification {
    let pipeline: PipelineUnderTest
    private(set) var comparison: Comparison
    private(set) var journalEntries = 0
    /// Where each journal partition begins by now.
    private(set) var problems: [String] = []

    /// - Parameter states: the hash of each task's state after a last restore.
    init(
        _ pipeline: PipelineUnderTest, bootstrap: String, topic: String,
        states: [TaskID: UInt64], probe: ClusterProbe
    ) throws {
        self.pipeline = pipeline
        let settings = KafkaSettings(common: [TextPair("bootstrap.servers", bootstrap)])
        let partitions = pipeline.partitionCount
        let output = pipeline.pipeline.output
        var input = (0..<partitions).map { StoredPartition(Int32($0)) }
        try Self.read(topic, settings) { input[Int($0.partition)].append($0) }

        var found = Harvest(partitions: partitions)
        try Self.read(output.predictionsTopic, settings) { record in
            let key = record.key ?? []
            let value = record.value ?? []
            found.addPrediction(partition: record.partition, key: key.span, value: value.span)
        }
        try Self.read(output.metricsTopic, settings) { record in
            let value = record.value ?? []
            found.addReport(partition: record.partition, value: value.span)
        }
        var journals = [[JournalEntry]](repeating: [], count: pipeline.taskCount)
        var damaged = 0
        try Self.read(output.journalTopic, settings) { record in
            do {
                journals[Int(record.partition)].append(
                    try JournalEntry(decoding: record.value ?? []))
            } catch {
                damaged += 1
            }
        }
        if damaged > 0 { problems.append("\(damaged) damaged journal entries") }
        journalEntries = journals.reduce(0) { $0 + $1.count }

        var oracle = Oracle(pipeline.pipeline, input: input)
        switch pipeline.oracle {
        case .partitions:
            try oracle.passOverPartitions()
            for (task, journal) in journals.enumerated() {
                oracle.followChain(journal, task: task)
            }
        case .journal: try oracle.replay(journals[0])
        case .timestamps:
            try oracle.mergeByTimestamp()
            oracle.followChain(journals[0], task: 0)
        }
        problems += oracle.problems.prefix(5)
        for (task, hash) in oracle.states.enumerated() {
            guard let restored = states[TaskID(pipeline: pipeline.name, task: task)] else {
                problems.append("task \(task) told no state after the last restore")
                continue
            }
            if restored != hash { problems.append("task \(task) has another state") }
        }
        comparison = Comparison(expected: oracle.harvest, found: found, of: pipeline.name)
        let admin = try KafkaAdmin(settings: settings, log: KafkaLog { _ in })
        defer { admin.close() }
        for (name, count) in [
            (output.predictionsTopic, partitions), (output.metricsTopic, pipeline.taskCount),
            (output.journalTopic, pipeline.taskCount),
        ] {
            for partition in 0..<Int32(count) {
                let end = try admin.watermarks(
                    of: TopicPartition(topic: name, partition: partition)
                ).high
                guard let stable = probe.lastStableOffset(name, partition) else {
                    problems.append("no last stable offset of \(name)[\(partition)]")
                    continue
                }
                if stable != end {
                    problems.append(
                        "\(name)[\(partition)] is stable up to \(stable) of \(end): a "
                            + "transaction is open")
                }
            }
        }
    }

    var isClean: Bool { comparison.isClean && problems.isEmpty }

    private static func read(
        _ topic: String, _ settings: KafkaSettings, _ body: (KafkaRecord) -> Void
    ) throws {
        let tail = try KafkaTail(
            settings: settings, topic: topic, from: KafkaOffset.beginning, log: KafkaLog { _ in })
        defer { tail.close() }
        guard try tail.readToEnd(milliseconds: 600_000, body) else {
            throw CrashFailure.running("topic \(topic) could not be read to its end in 600 s")
        }
    }
}
