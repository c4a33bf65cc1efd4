import CPlatform
import CRdKafka
package import Core

/// A record of its own, for what is read seldom.
package struct KafkaRecord: Sendable, Equatable {
    package let partition: Int32
    package let offset: Int64
    /// Milliseconds since 1970.
    package let timestamp: Int64
    package let key: [UInt8]?
    /// Nil for a tombstone.
    package let value: [UInt8]?
    package let headers: [OutputHeader]
}

/// Reads the committed records of a topic without a group: for `metrics`, state chunks and tests.
///
/// One thread uses it.
@safe
package final class KafkaTail: @unchecked Sendable {
    // Safety: queue and topic are ours; `close` gives them back before the client is destroyed.
    private let handle: KafkaHandle
    private var queue: OpaquePointer?
    private var topic: OpaquePointer?
    private let topicName: String
    private var partitions: [Int32] = []
    private var ends: [Int32: Int64] = [:]

    /// - Parameters:
    ///   - starts: where to begin in which partitions: an offset or one of ``KafkaOffset``; nil for
    ///     every partition of the topic from `from`.
    package init(
        settings: KafkaSettings, topic: String, from: Int64 = KafkaOffset.end,
        starts: [(partition: Int32, offset: Int64)]? = nil,
        log: KafkaLog, connectMilliseconds: Int32 = 10_000
    ) throws(KafkaError) {
        topicName = topic
        let configuration = try settings.configuration(
            .consumer, defaults: KafkaSettings.fetchDefaults,
            binding: [
                TextPair("enable.auto.commit", "false"),
                TextPair("auto.offset.reset", "error"),
                TextPair("enable.partition.eof", "true"),
                TextPair("isolation.level", "read_committed"),
            ])
        handle = try KafkaHandle(.consumer, name: "tail", configuration: configuration, log: log)
        let count = try handle.describe(
            topic, for: .read, milliseconds: connectMilliseconds
        ).count
        let chosen = starts ?? (0..<Int32(count)).map { ($0, from) }
        guard count > 0, chosen.allSatisfy({ Int($0.partition) < count }) else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, doing: "cannot read topic \(topic)")
        }
        unsafe queue = unsafe rd_kafka_queue_new(handle.pointer)
        unsafe self.topic = unsafe rd_kafka_topic_new(handle.pointer, topic, nil)
        for (partition, offset) in chosen { try start(partition, offset) }
    }

    deinit { close() }

    /// Continues a partition at another offset.
    package func seek(_ partition: Int32, to offset: Int64) throws(KafkaError) {
        if let index = partitions.firstIndex(of: partition) {
            partitions.remove(at: index)
            _ = unsafe rd_kafka_consume_stop(topic, partition)
        }
        try start(partition, offset)
    }

    private func start(_ partition: Int32, _ offset: Int64) throws(KafkaError) {
        ends[partition] = nil
        guard unsafe rd_kafka_consume_start_queue(topic, partition, offset, queue) == 0 else {
            throw handle.error(rd_kafka_last_error(), doing: "cannot read topic \(topicName)")
        }
        partitions.append(partition)
    }

    /// Whether every partition was read to the end that it had when it was asked last.
    package var isAtEnd: Bool { partitions.allSatisfy { ends[$0] != nil } }

    /// The end to which a partition was read, behind the last record that is committed or aborted;
    /// `nil` while it is not reached.
    package func end(of partition: Int32) -> Int64? { ends[partition] }

    /// The next record, waited for at most this long; nil also at the end of a partition.
    package func next(milliseconds: Int32) throws(KafkaError) -> KafkaRecord? {
        guard let queue = unsafe queue,
            let message = unsafe rd_kafka_consume_queue(queue, milliseconds)
        else {
            handle.serve()
            return nil
        }
        // Safety: the message is ours until destroyed; what is returned is copied.
        defer { unsafe rd_kafka_message_destroy(message) }
        let content = unsafe message.pointee
        switch unsafe content.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            unsafe ends[content.partition] = nil
            return unsafe KafkaRecord(
                partition: content.partition, offset: content.offset,
                timestamp: rd_kafka_message_timestamp(message, nil),
                key: content.key.map { unsafe copy($0, content.key_len) },
                value: unsafe content.payload.map { unsafe copy($0, content.len) },
                headers: unsafe recordHeaders(message))
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            unsafe ends[content.partition] = unsafe content.offset
            handle.log.reachable()
            return nil
        default:
            let error = unsafe handle.error(
                content.err, doing: "cannot read topic \(topicName)",
                reason: unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) },
                needs: .topic(topicName, .read))
            if error.kind == .unreachable {
                handle.log.unreachable(error.problem)
                return nil
            }
            throw error
        }
    }

    /// Reads on until every partition is at its end or the time is over.
    package func readToEnd(
        milliseconds: Int = 30_000, _ body: (KafkaRecord) -> Void
    ) throws(KafkaError) -> Bool {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        while !isAtEnd {
            guard tw_monotonic_nanoseconds() < end else { return false }
            if let record = try next(milliseconds: 100) { body(record) }
        }
        return true
    }

    private func copy(_ start: UnsafeMutableRawPointer, _ count: Int) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    package func close() {
        guard !handle.isClosed else { return }
        for partition in partitions { _ = unsafe rd_kafka_consume_stop(topic, partition) }
        if let queue = unsafe queue { unsafe rd_kafka_queue_destroy(queue) }
        if let topic = unsafe topic { unsafe rd_kafka_topic_destroy(topic) }
        unsafe queue = nil
        unsafe topic = nil
        handle.close()
    }
}
