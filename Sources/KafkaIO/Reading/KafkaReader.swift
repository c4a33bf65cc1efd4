import CPlatform
import CRdKafka
import Core
package import State
import Synchronization

/// The one consumer that fetches for all tasks of a process; it has the group's id but never joins.
///
/// Tasks come and go by incremental assignment at explicit offsets, each partition with a queue of
/// its own, so that opening or closing one log never disturbs another. It reads committed records
/// only. `openLog`, `close` and the queries may be called from any thread; `serve` and
/// `wakeFetcher` belong to the control thread.
package final class KafkaReader: @unchecked Sendable {
    /// A partition that is being read, and its queue, which must not outlive the client.
    private struct OpenPartition {
        let partition: TopicPartition
        let queue: InputQueue
        /// The last stable offset, and when it was told in monotonic milliseconds, once it was.
        var end: (offset: Int64, at: Int64)?
    }

    private static let seekNanoseconds: Int64 = 10_000_000_000

    private let handle: KafkaHandle
    private let open = Mutex<[OpenPartition]>([])
    var log: KafkaLog { handle.log }
    var suspicions: Int { handle.suspicions }

    /// The messages that a partition's queue holds before its next fetch, and all queues together.
    private static let queuedMessages: (each: ClosedRange<Int>, all: Int) = (2000...10_000, 40_000)

    /// - Parameter partitionCount: About how many partitions will be read at once; they share the
    ///   memory of what is fetched ahead, some 600 bytes for a message.
    package init(
        settings: KafkaSettings, groupID: String, partitionCount: Int, log: KafkaLog
    ) throws(KafkaError) {
        let each = Self.queuedMessages.each
        let share = Self.queuedMessages.all / max(1, partitionCount)
        let queued = min(each.upperBound, max(each.lowerBound, share))
        let configuration = try settings.configuration(
            .consumer,
            defaults: KafkaSettings.fetchDefaults + [
                TextPair("queued.min.messages", "\(queued)")
            ],
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
    /// - Parameter wake: an event descriptor that is signalled when an empty queue receives
    ///   something; negative for none. It must stay open until the log is closed.
    package func openLog(
        _ starts: [(partition: TopicPartition, offset: Int64)], wake: Int32
    ) throws(KafkaError) -> KafkaInputLog {
        learnLeaders(of: starts.map(\.partition.topic))
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
        open.withLock { open in
            for (start, queue) in zip(starts, queues) {
                open.append(OpenPartition(partition: start.partition, queue: queue))
            }
        }
        return KafkaInputLog(partitions: starts.map(\.partition), queues: queues, reader: self)
    }

    /// Fetches the topics' metadata, which the first fetch would otherwise wait half a second for,
    /// and which a partition that was just added would be unknown without.
    private func learnLeaders(of topics: [String]) {
        for topic in Set(topics).sorted() {
            // Without an answer the fetch finds them later, and tells what is wrong.
            _ = try? handle.describe(topic, milliseconds: 2000)
        }
    }

    /// Stops reading a log's partitions and frees what was fetched for them.
    package func close(_ log: KafkaInputLog) throws(KafkaError) {
        let list = PartitionList(log.partitions)
        open.withLock { open in
            open.removeAll { entry in log.queues.contains { $0 === entry.queue } }
        }
        defer { for queue in log.queues { queue.dispose() } }
        if let error = unsafe rd_kafka_incremental_unassign(handle.pointer, list.pointer) {
            throw unsafe KafkaError.taking(error, doing: "cannot stop reading")
        }
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

    /// Assigns a partition of an open log anew: librdkafka has stopped fetching it.
    func reassign(_ partition: TopicPartition, at offset: Int64) throws(KafkaError) {
        // It may be assigned no more, which is no reason not to assign it.
        forget(partition)
        let list = PartitionList()
        list.add(partition, offset: offset)
        if let error = unsafe rd_kafka_incremental_assign(handle.pointer, list.pointer) {
            throw unsafe KafkaError.taking(error, doing: "cannot seek in \(partition.topic)")
        }
    }

    /// Takes part in librdkafka's housekeeping: call it every now and then from the control thread.
    package func serve() {
        while let message = unsafe rd_kafka_consumer_poll(handle.pointer, 0) {
            // Only errors of the client as a whole come here; the error callback has told them.
            unsafe rd_kafka_message_destroy(message)
        }
    }

    /// Destroys the client; every log should be closed before and is of no use from now.
    package func close() {
        let left = open.withLock { open in
            defer { open.removeAll() }
            return open.map(\.queue)
        }
        for queue in left { queue.dispose() }
        handle.close()
    }

    deinit { close() }
}

// MARK: - Watermarks

extension KafkaReader {
    /// Asks the leaders for the ends of all open partitions, which makes librdkafka fetch at once.
    ///
    /// Its broker threads sleep up to a second when a queue was full; any request to the leader
    /// wakes them. Call it every 5 to 20 ms while anything is backlogged, and every second or so
    /// otherwise, from the control thread: it waits for the answers, one request to each leader,
    /// but not longer than `milliseconds`.
    ///
    /// - Returns: whether every leader answered.
    @discardableResult
    package func wakeFetcher(milliseconds: Int32 = 50) -> Bool {
        let partitions = open.withLock { $0.map(\.partition) }
        guard !partitions.isEmpty else { return true }
        guard
            let ends = handle.listOffsets(
                partitions, at: KafkaOffset.end, milliseconds: milliseconds)
        else { return false }
        let now = monotonicMilliseconds()
        open.withLock { open in
            for (partition, end) in zip(partitions, ends) {
                guard let end, let place = open.firstIndex(where: { $0.partition == partition })
                else { continue }
                open[place].end = (end, now)
            }
        }
        return !ends.contains { $0 == nil }
    }

    /// How far the reading of each open partition is, in the order of opening.
    package func progress() -> [FetchProgress] {
        open.withLock { open in
            open.map { entry in
                let state = entry.queue.progress
                return FetchProgress(
                    partition: entry.partition,
                    position: state.position.load(ordering: .relaxed),
                    fetchedOffset: state.drainedOffset.load(ordering: .relaxed),
                    emptyPolls: state.emptyPolls.load(ordering: .relaxed),
                    stableEnd: entry.end?.offset, endToldAt: entry.end?.at)
            }
        }
    }

    /// Has a partition assigned anew, where it stands, at its owner's next poll: nothing comes.
    package func refetch(_ partition: TopicPartition) {
        open.withLock { open in
            for entry in open where entry.partition == partition {
                entry.queue.progress.wantsRefetch.store(true, ordering: .relaxed)
            }
        }
    }

    /// Makes the client forget a partition of an open log, as a defect in it might; for tests of
    /// what watches over it.
    package func forget(_ partition: TopicPartition) {
        let list = PartitionList([partition])
        if let error = unsafe rd_kafka_incremental_unassign(handle.pointer, list.pointer) {
            unsafe rd_kafka_error_destroy(error)
        }
    }

    /// The first offset that exists and the last stable one, asked from the leader; nil without
    /// answer.
    package func watermarks(
        of partition: TopicPartition, milliseconds: Int32
    ) -> (low: Int64, high: Int64)? {
        handle.watermarks(of: partition, milliseconds: milliseconds)
    }

    /// The sentence for a topic that may not be read.
    func refusal(of topic: String) -> String {
        handle.error(
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, doing: "cannot read topic \(topic)",
            needs: .topic(topic, .read)
        ).description
    }

    /// Asks a broker whether a partition can be read; silent also when none answers.
    func look(for partition: TopicPartition, milliseconds: Int32) throws(LogError) {
        var count: Int?
        do throws(KafkaError) {
            count = try handle.describe(
                partition.topic, for: .read, milliseconds: milliseconds
            ).count
        } catch {
            if error.kind == .unauthorised { throw .unauthorised(partition, error.description) }
        }
        if let count, partition.partition >= count { throw .topicGone(partition) }
    }
}

/// Offsets with a meaning, for opening a log.
package enum KafkaOffset {
    /// The first record that exists.
    package static let beginning: Int64 = -2
    /// The end at the time of opening.
    package static let end: Int64 = -1
}
