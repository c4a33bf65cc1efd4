import CPlatform
import CRdKafka
package import Core
package import State

/// A topic to be created.
package struct TopicSpecification: Sendable, Equatable {
    package let name: String
    package let partitionCount: Int
    /// −1 takes the broker's default.
    package let replicationFactor: Int
    /// Topic properties such as `cleanup.policy`.
    package let properties: [TextPair]

    package init(
        name: String, partitionCount: Int, replicationFactor: Int = -1,
        properties: [TextPair] = []
    ) {
        self.name = name
        self.partitionCount = partitionCount
        self.replicationFactor = replicationFactor
        self.properties = properties
    }
}

extension TopicSpecification {
    /// A pipeline's journal: nothing of it is ever deleted but by the pipeline itself.
    package static func journal(_ name: String, partitionCount: Int) -> TopicSpecification {
        TopicSpecification(
            name: name, partitionCount: partitionCount, properties: journalProperties)
    }

    /// What a journal's topic must have at every start.
    package static let journalProperties: [TextPair] = [
        TextPair("cleanup.policy", "delete"),
        TextPair("retention.ms", "-1"),
        TextPair("retention.bytes", "-1"),
    ]

    /// A pipeline's state: as its journal, chunks go when the pipeline says so and not before.
    package static func state(_ name: String, partitionCount: Int) -> TopicSpecification {
        TopicSpecification(
            name: name, partitionCount: partitionCount, properties: stateProperties)
    }

    /// What a state topic is created with: small segments, because a trim frees only whole ones.
    package static let stateProperties: [TextPair] =
        journalProperties + [TextPair("segment.bytes", "67108864")]
}

/// Asks brokers about topics and groups, and creates topics; every call is bounded in time.
///
/// Its watermarks are those of all records, not only of committed ones: the restore of a task needs
/// the true end of its journal. Calls block; make them from threads that may wait.
package final class KafkaAdmin: @unchecked Sendable {
    // Safety: librdkafka's calls are thread-safe; nothing else here changes.
    let handle: KafkaHandle
    private let bootstrapServers: String
    private let settings: KafkaSettings
    let groupID: String?

    /// - Parameter groupID: the group whose offsets will be asked for; nobody joins it.
    package init(
        settings: KafkaSettings, groupID: String? = nil, log: KafkaLog
    ) throws(KafkaError) {
        bootstrapServers = settings.bootstrapServers
        self.settings = settings
        self.groupID = groupID
        let configuration = try settings.configuration(
            .consumer, defaults: [],
            binding: [
                TextPair("isolation.level", "read_uncommitted"),
                TextPair("allow.auto.create.topics", "false"),
            ] + (groupID.map { [TextPair("group.id", $0)] } ?? []))
        handle = try KafkaHandle(.consumer, name: "admin", configuration: configuration, log: log)
    }

    package func close() { handle.close() }

    /// A client that asks for the group's offsets and waits for transactions; for the caller to close.
    func makeGroupClient(of groupID: String) throws(KafkaError) -> KafkaHandle {
        let configuration = try settings.configuration(
            .consumer, defaults: [],
            binding: [
                TextPair("group.id", groupID), TextPair("isolation.level", "read_committed"),
                TextPair("allow.auto.create.topics", "false"),
            ])
        return try KafkaHandle(
            .consumer, name: "admin", configuration: configuration, log: handle.log)
    }

    /// Waits until a broker answers.
    package func connect(milliseconds: Int32 = 10_000) throws(KafkaError) {
        try asking(milliseconds: milliseconds) { milliseconds throws(KafkaError) in
            var metadata: UnsafePointer<rd_kafka_metadata>?
            let code = unsafe rd_kafka_metadata(handle.pointer, 0, nil, &metadata, milliseconds)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(code, doing: "cannot reach Kafka")
            }
            if let metadata = unsafe metadata { unsafe rd_kafka_metadata_destroy(metadata) }
            handle.answered()
        }
    }

    /// Asks until there is an answer or the time is over; a refused login is not asked again.
    private func asking<Answer>(
        milliseconds: Int32, _ question: (Int32) throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        var patience: Int64 = 500
        while true {
            let left = (end - tw_monotonic_nanoseconds()) / 1_000_000
            do throws(KafkaError) {
                return try question(Int32(max(1, min(patience, left))))
            } catch {
                handle.serve()
                guard [.unreachable, .unauthenticated, .unsupported].contains(error.kind) else {
                    throw error
                }
                let explained = handle.error(
                    rd_kafka_resp_err_t(rawValue: error.code),
                    doing: "cannot reach Kafka at \(bootstrapServers)")
                guard explained.kind == .unreachable,
                    tw_monotonic_nanoseconds() < end - 1_000_000
                else {
                    if explained.kind == .unreachable {
                        handle.log.unreachable(KafkaLog.shortened(error.problem))
                    }
                    throw explained
                }
            }
            patience *= 2
        }
    }

    /// The number of partitions of a topic; nil when it does not exist.
    ///
    /// - Parameter operation: what the topic is wanted for, which includes the right to ask.
    package func partitionCount(
        of topic: String, for operation: KafkaRight.Operation = .describe,
        milliseconds: Int32 = 10_000
    ) throws(KafkaError) -> Int? {
        handle.serve()
        return try asking(milliseconds: milliseconds) { milliseconds throws(KafkaError) in
            let count = try handle.describe(
                topic, for: operation, milliseconds: milliseconds
            ).count
            return count == 0 ? nil : count
        }
    }

    /// Waits until the metadata shows a topic with a leader for each of at least so many
    /// partitions; returns how many there are.
    ///
    /// Another broker may not know the topic yet when it is asked next.
    package func waitForTopic(
        _ topic: String, partitionCount: Int, milliseconds: Int32 = 30_000
    ) throws(KafkaError) -> Int {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        while true {
            let leaders = try handle.describe(topic, milliseconds: milliseconds)
            if leaders.count >= partitionCount && !leaders.contains(where: { $0 < 0 }) {
                return leaders.count
            }
            guard tw_monotonic_nanoseconds() < end else {
                throw KafkaError(
                    kind: .unknownTopic,
                    problem: "topic \(topic) is not ready: \(leaders.count) of \(partitionCount) "
                        + "partitions are there",
                    remedy: "look into the broker's log, or create the topic by hand")
            }
            handle.serve(milliseconds: 20)
        }
    }

    /// The first offset that exists and the one after the last record, committed or not.
    package func watermarks(
        of partition: TopicPartition, milliseconds: Int32 = 10_000
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        if let ends = handle.watermarks(of: partition, milliseconds: milliseconds) { return ends }
        handle.serve()
        throw handle.error(
            RD_KAFKA_RESP_ERR__TIMED_OUT,
            doing: "cannot ask for the end of \(partition.topic), partition \(partition.partition)")
    }

    /// The first offset of each partition whose timestamp is at least this (milliseconds since
    /// 1970); −1 where there is none.
    package func offsets(
        at timestamp: Int64, of partitions: [TopicPartition], milliseconds: Int32 = 10_000
    ) throws(KafkaError) -> [Int64] {
        guard !partitions.isEmpty else { return [] }
        let list = PartitionList()
        for partition in partitions { list.add(partition, offset: timestamp) }
        let code = unsafe rd_kafka_offsets_for_times(handle.pointer, list.pointer, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            handle.serve()
            throw handle.error(code, doing: "cannot ask for the offsets at a time")
        }
        return try offsets(in: list, doing: "cannot ask for the offsets at a time")
    }

    /// The offsets in a list that librdkafka filled; −1 for those without.
    func offsets(in list: PartitionList, doing: String) throws(KafkaError) -> [Int64] {
        var offsets: [Int64] = []
        for index in 0..<list.count {
            let entry = unsafe list[index]
            guard unsafe entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw unsafe KafkaError(
                    entry.err, doing: "\(doing) in topic \(list.partition(index).topic)")
            }
            unsafe offsets.append(entry.offset < 0 ? -1 : entry.offset)
        }
        return offsets
    }
}
