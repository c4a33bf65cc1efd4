import CPlatform
import CRdKafka
import Core
package import State
import Synchronization

/// The one consumer that fetches for all tasks of a process; it has the group's id but never joins.
///
/// Tasks come and go by incremental assignment at explicit offsets, each partition with a queue of its
/// own, so that opening or closing one log never disturbs another. It reads committed records only.
/// `openLog`, `close` and the queries may be called from any thread; `serve` and `wakeFetcher` belong
/// to the control thread.
package final class KafkaReader: @unchecked Sendable {
    private struct Open {
        /// The partitions being read, in the order of their opening, with their leaders (−1: unknown).
        var leaders: [(partition: TopicPartition, leader: Int32)] = []
        /// The last stable offset of each, as far as it was asked for.
        var ends: [TopicPartition: Int64] = [:]
        var leadersKnownAt: Int64 = 0
        var turn = 0
    }

    private static let leadersNanoseconds: Int64 = 10_000_000_000
    private static let seekNanoseconds: Int64 = 10_000_000_000

    private let handle: KafkaHandle
    private let open = Mutex(Open())
    var log: KafkaLog { handle.log }
    var suspicions: Int { handle.suspicions }

    package init(settings: KafkaSettings, groupID: String, log: KafkaLog) throws(KafkaError) {
        let configuration = try settings.configuration(
            .consumer, defaults: KafkaSettings.fetchDefaults,
            binding: [
                TextPair("group.id", groupID),
                TextPair("enable.auto.commit", "false"),
                TextPair("enable.auto.offset.store", "false"),
                TextPair("auto.offset.reset", "error"),
                TextPair("enable.partition.eof", "true"),
                TextPair("isolation.level", "read_committed"),
            ])
        handle = try KafkaHandle(.consumer, name: "reader", configuration: configuration, log: log)
        _ = unsafe rd_kafka_poll_set_consumer(handle.pointer)
    }

    /// Starts to read these partitions, each at an offset: 0 or more, or one of ``KafkaOffset``.
    ///
    /// - Parameter wake: an event descriptor that is signalled when an empty queue receives something;
    ///   negative for none. It must stay open until the log is closed.
    package func openLog(
        _ starts: [(partition: TopicPartition, offset: Int64)], wake: Int32
    ) throws(KafkaError) -> KafkaInputLog {
        let list = PartitionList()
        var queues: [InputQueue] = []
        for (partition, offset) in starts {
            list.add(partition, offset: offset)
            guard
                let queue = unsafe rd_kafka_queue_get_partition(
                    handle.pointer, partition.topic, partition.partition)
            else {
                throw KafkaError(
                    RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, doing: "cannot read \(partition.topic)")
            }
            // Cut off from the consumer's common queue, for good.
            unsafe rd_kafka_queue_forward(queue, nil)
            if wake >= 0 {
                // Safety: librdkafka copies the eight bytes that it will write.
                var one: UInt64 = 1
                unsafe withUnsafeBytes(of: &one) {
                    unsafe rd_kafka_queue_io_event_enable(queue, wake, $0.baseAddress, $0.count)
                }
            }
            unsafe queues.append(InputQueue(queue: queue, start: max(0, offset)))
        }
        if let error = unsafe rd_kafka_incremental_assign(handle.pointer, list.pointer) {
            throw unsafe KafkaError.taking(error, doing: "cannot start to read")
        }
        open.withLock {
            $0.leaders += starts.map { ($0.partition, -1) }
            $0.leadersKnownAt = 0
        }
        return KafkaInputLog(partitions: starts.map(\.partition), queues: queues, reader: self)
    }

    /// Stops reading a log's partitions and frees what was fetched for them.
    package func close(_ log: KafkaInputLog) throws(KafkaError) {
        let list = PartitionList(log.partitions)
        open.withLock { open in
            open.leaders.removeAll { entry in log.partitions.contains(entry.partition) }
            for partition in log.partitions { open.ends[partition] = nil }
        }
        if let error = unsafe rd_kafka_incremental_unassign(handle.pointer, list.pointer) {
            throw unsafe KafkaError.taking(error, doing: "cannot stop reading")
        }
        for queue in log.queues { queue.discardFetched() }
    }

    /// Reads a partition of an open log from another offset; what was fetched before is dropped.
    ///
    /// A fetch that is only just starting refuses to seek, so it is asked again for some seconds.
    /// (Unassigning and assigning again in one go can leave the partition unread for ever.)
    func restart(_ partition: TopicPartition, at offset: Int64) throws(KafkaError) {
        let end = tw_monotonic_nanoseconds() + Self.seekNanoseconds
        while true {
            let list = PartitionList()
            list.add(partition, offset: offset)
            var code = RD_KAFKA_RESP_ERR_NO_ERROR
            if let error = unsafe rd_kafka_seek_partitions(handle.pointer, list.pointer, 5000) {
                code = unsafe rd_kafka_error_code(error)
                unsafe rd_kafka_error_destroy(error)
            } else {
                code = unsafe list[0].err
            }
            switch code {
            case RD_KAFKA_RESP_ERR_NO_ERROR: return
            case RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS,
                RD_KAFKA_RESP_ERR__TIMED_OUT:
                guard tw_monotonic_nanoseconds() < end else {
                    throw KafkaError(code, doing: "cannot seek in \(partition.topic)")
                }
                _ = tw_wait_readable(-1, 5)
            default: throw KafkaError(code, doing: "cannot seek in \(partition.topic)")
            }
        }
    }

    /// Takes part in librdkafka's housekeeping: call it every now and then from the control thread.
    package func serve() {
        while let message = unsafe rd_kafka_consumer_poll(handle.pointer, 0) {
            // Only errors of the client as a whole come here; the error callback has told them.
            unsafe rd_kafka_message_destroy(message)
        }
    }

    /// Destroys the client; every log must be closed before.
    package func close() {
        handle.close()
    }
}

// MARK: - Watermarks

extension KafkaReader {
    /// Asks one partition per leader for its end, which makes librdkafka fetch again at once.
    ///
    /// Its broker threads sleep up to a second when a queue was full; any request to the leader wakes
    /// them. Call it every 5 to 20 ms while anything is backlogged, and every second or so otherwise,
    /// from the control thread: it waits for the answers, at most `milliseconds` for each leader.
    ///
    /// - Returns: whether every leader answered.
    @discardableResult
    package func wakeFetcher(milliseconds: Int32 = 50) -> Bool {
        refreshLeaders()
        let asked = open.withLock { open -> [TopicPartition] in
            var leaders: [Int32] = []
            var asked: [TopicPartition] = []
            let count = open.leaders.count
            for step in 0..<count {
                let entry = open.leaders[(open.turn + step) % count]
                if leaders.contains(entry.leader) { continue }
                leaders.append(entry.leader)
                asked.append(entry.partition)
            }
            open.turn &+= 1
            if open.turn >= count { open.turn = 0 }
            return asked
        }
        var answered = true
        for partition in asked {
            if let ends = watermarks(of: partition, milliseconds: milliseconds) {
                open.withLock { open in
                    if open.leaders.contains(where: { $0.partition == partition }) {
                        open.ends[partition] = ends.high
                    }
                }
            } else {
                answered = false
            }
        }
        return answered
    }

    /// The last stable offset of each open partition, as ``wakeFetcher(milliseconds:)`` last saw it:
    /// the committed records before it can be read. Lag is this minus the next offset of the reader.
    package func stableEnds() -> [TopicPartition: Int64] {
        open.withLock { $0.ends }
    }

    /// The first offset that exists and the last stable one, asked from the leader; nil without answer.
    package func watermarks(
        of partition: TopicPartition, milliseconds: Int32
    ) -> (low: Int64, high: Int64)? {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = unsafe rd_kafka_query_watermark_offsets(
            handle.pointer, partition.topic, partition.partition, &low, &high, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        handle.log.reachable()
        return (low, high)
    }

    /// Whether a broker says that the partition does not exist; false also when none answers.
    func isGone(_ partition: TopicPartition, milliseconds: Int32) -> Bool {
        guard let found = try? handle.describe(partition.topic, milliseconds: milliseconds) else {
            return false
        }
        return partition.partition >= found.count
    }

    private func refreshLeaders() {
        let now = tw_monotonic_nanoseconds()
        let topics = open.withLock { open -> [String]? in
            guard !open.leaders.isEmpty, now - open.leadersKnownAt > Self.leadersNanoseconds else {
                return nil
            }
            open.leadersKnownAt = now
            var topics: [String] = []
            for entry in open.leaders where !topics.contains(entry.partition.topic) {
                topics.append(entry.partition.topic)
            }
            return topics
        }
        for topic in topics ?? [] {
            guard let leaders = try? handle.describe(topic, milliseconds: 1000) else { continue }
            let isShort = open.withLock { open in
                var isShort = false
                for index in open.leaders.indices where open.leaders[index].partition.topic == topic
                {
                    let partition = Int(open.leaders[index].partition.partition)
                    if partition < leaders.count {
                        open.leaders[index].leader = leaders[partition]
                    } else {
                        isShort = true
                    }
                }
                return isShort
            }
            if isShort { handle.suspect() }
        }
    }
}

/// Offsets with a meaning, for opening a log.
package enum KafkaOffset {
    /// The first record that exists.
    package static let beginning: Int64 = -2
    /// The end at the time of opening.
    package static let end: Int64 = -1
}

extension KafkaHandle {
    /// The leader of each partition of a topic (−1: none now); empty when the topic does not exist.
    func describe(_ topic: String, milliseconds: Int32) throws(KafkaError) -> [Int32] {
        guard let local = unsafe rd_kafka_topic_new(pointer, topic, nil) else {
            throw error(rd_kafka_last_error(), doing: "cannot ask about topic \(topic)")
        }
        defer { unsafe rd_kafka_topic_destroy(local) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(pointer, 0, local, &metadata, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else {
            throw error(code, doing: "cannot ask about topic \(topic)")
        }
        // Safety: the answer is ours until destroyed; everything is copied from it.
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        log.reachable()
        guard unsafe metadata.pointee.topic_cnt > 0 else { return [] }
        let found = unsafe metadata.pointee.topics[0]
        switch unsafe found.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
            var leaders = unsafe [Int32](repeating: -1, count: Int(found.partition_cnt))
            for index in leaders.indices {
                let partition = unsafe found.partitions[index]
                if unsafe leaders.indices.contains(Int(partition.id)) {
                    unsafe leaders[Int(partition.id)] = unsafe partition.leader
                }
            }
            return leaders
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            return []
        default:
            throw unsafe KafkaError(found.err, doing: "cannot ask about topic \(topic)")
        }
    }
}
