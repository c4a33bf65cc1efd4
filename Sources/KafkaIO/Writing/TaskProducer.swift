import CPlatform
import CRdKafka
import Core
import State

/// One incarnation of a task's producer: the client, its topics, and the batches on their way.
final class TaskProducer {
    enum Kind {
        /// Records become visible with their transaction.
        case transactional(id: String)
        /// Records become visible at once; deliveries are reported.
        case plain
    }

    let handle: KafkaHandle
    private let isTransactional: Bool
    /// The records given to librdkafka so far.
    private(set) var sentCount = 0
    /// By the raw value of their streams; nil for those that the task does not write.
    private var topics: [OutputTopic?]

    init(
        _ kind: Kind, settings: KafkaSettings, name: String,
        topics names: [(stream: OutputStream, name: String)], log: KafkaLog
    ) throws(KafkaError) {
        let defaults: [TextPair]
        let binding: [TextPair]
        switch kind {
        case .transactional(let id):
            defaults = [
                TextPair("transaction.timeout.ms", "60000"),
                // Short waits: at low load a commit follows the next, and its first requests are
                // refused until the one before has settled. 10 and 5 ms cost a commit 15 ms more.
                TextPair("linger.ms", "2"),
                TextPair("retry.backoff.ms", "5"),
            ]
            binding = [TextPair("transactional.id", id)]
            isTransactional = true
        case .plain:
            defaults = [TextPair("linger.ms", "0")]
            // Whoever waits for a record gives up, not the client: one that it gave up would leave a
            // gap.
            binding = [TextPair("message.timeout.ms", "0")]
            isTransactional = false
        }
        let configuration = try settings.configuration(
            .producer, defaults: KafkaSettings.producerDefaults + defaults,
            binding: binding + [
                TextPair("enable.idempotence", "true"),
                // Our own buffer is the bound: a full queue in the middle of a batch would break
                // the order inside a partition.
                TextPair("queue.buffering.max.messages", "0"),
                TextPair("queue.buffering.max.kbytes", "2147483647"),
                // Requests copy values, so that a late one never refers to a buffer that is gone.
                TextPair("message.copy.max.bytes", "1000000000"),
            ])
        handle = try KafkaHandle(
            .producer, name: name, configuration: configuration, log: log,
            reportsDeliveries: !isTransactional)
        topics = OutputStream.allCases.map { _ in nil }
        for (stream, name) in names {
            topics[Int(stream.rawValue)] = unsafe try OutputTopic(name, client: handle.pointer)
        }
    }

    deinit {
        topics.removeAll()
        handle.close()
    }

    @unsafe var pointer: OpaquePointer { unsafe handle.pointer }

    /// How long a topic may be unknown that was just created, in nanoseconds: brokers hear of it one
    /// after the other.
    private static let propagation: Int64 = 10_000_000_000

    /// Fetches the topics' metadata, which the first record would otherwise wait a second for.
    func warmUp(milliseconds: Int32) throws(OutputFailure) {
        let end = tw_monotonic_nanoseconds() + Self.propagation
        for case let topic? in topics {
            while true {
                do throws(OutputFailure) {
                    try learnPartitionCount(topic, milliseconds: milliseconds)
                    break
                } catch {
                    // Whatever else is wrong is wrong for this question too.
                    guard case .fatal = error, tw_monotonic_nanoseconds() < end,
                        (try? handle.describe(topic.name, milliseconds: milliseconds)) != nil
                    else { throw error }
                    handle.serve(milliseconds: 50)
                }
            }
        }
    }

    private func learnPartitionCount(
        _ topic: OutputTopic, milliseconds: Int32
    ) throws(OutputFailure) {
        let doing = "cannot write to topic \(topic.name)"
        do throws(KafkaError) {
            let count = try handle.describe(
                topic.name, for: .write, milliseconds: milliseconds
            ).count
            // It was there when the process started.
            guard count > 0 else {
                throw KafkaError(
                    kind: .unknownTopic, problem: "\(doing): it does not exist any more",
                    remedy: "start again: what is missing is created, unless "
                        + "output.create_topics is false")
            }
            topic.partitionCount = count
        } catch {
            handle.serve()
            if error.kind == .unreachable { throw .uncertain(error.description) }
            throw .fatal(error.description)
        }
    }

    /// The bytes of predictions handed to librdkafka at once, which must fit one request.
    ///
    /// While a batch waits for the request before it, librdkafka's broker thread polls without
    /// pause, and several of them keep the processor from the broker that they wait for.
    private static let pieceBytes = 512 << 10
    /// What a record counts at least, so that a piece of short ones fits a request of 10,000, too.
    private static let recordBytes = 64

    /// Hands records to librdkafka, piece by piece; the last one is on its way at the end.
    ///
    /// In a transaction, reports and the journal's entry go before the predictions: each topic that
    /// comes later is another request to add its partition to the transaction, another turn of
    /// librdkafka's clock, and another write of the coordinator. Inside a partition the order stays.
    ///
    /// - Parameter range: The records to send; `nil` for all.
    func send(
        _ buffer: borrowing OutputBuffer, _ range: Range<Int>? = nil, milliseconds: Int32
    ) throws(OutputFailure) {
        for case let topic? in topics { topic.discard() }
        let range = range ?? 0..<buffer.entries.count
        sentCount += range.count
        var pieceBytes = 0
        if isTransactional {
            try hand(over: buffer, range, &pieceBytes, milliseconds) { $0 != .predictions }
            try flush()
            try hand(over: buffer, range, &pieceBytes, milliseconds) { $0 == .predictions }
        } else {
            try hand(over: buffer, range, &pieceBytes, milliseconds) { _ in true }
        }
        try flush()
    }

    private func flush() throws(OutputFailure) {
        for case let topic? in topics {
            if let failed = topic.flush() { throw failure(failed, topic.name) }
        }
    }

    /// Hands over the records of some streams, in their order.
    ///
    /// - Parameter pieceBytes: What was handed over since the last wait.
    @inline(__always)
    private func hand(
        over buffer: borrowing OutputBuffer, _ range: Range<Int>, _ pieceBytes: inout Int,
        _ milliseconds: Int32, where isWanted: (OutputStream) -> Bool
    ) throws(OutputFailure) {
        let base = unsafe buffer.content.address
        let entries = buffer.entries
        var start = range.lowerBound
        while start < range.upperBound {
            let stream = entries[start].stream
            var end = start
            guard isWanted(stream) else {
                while end < range.upperBound && entries[end].stream == stream { end += 1 }
                start = end
                continue
            }
            guard let topic = topics[Int(stream.rawValue)] else {
                preconditionFailure("no topic for the stream \(stream)")
            }
            while end < range.upperBound && entries[end].stream == stream {
                let entry = entries[end]
                if Int(entry.partition) >= topic.partitionCount {
                    try requirePartition(entry.partition, topic, milliseconds: milliseconds)
                }
                var failed: rd_kafka_resp_err_t?
                if entry.headerIndex >= 0 || entry.timestamp != 0 {
                    failed = unsafe topic.send(
                        entry,
                        headers: entry.headerIndex < 0 ? nil : buffer.headers[entry.headerIndex],
                        base, client: handle.pointer)
                } else if unsafe !topic.append(entry, base) {
                    failed = topic.flush()
                }
                if let failed { throw failure(failed, topic.name) }
                end += 1
                pieceBytes += max(
                    Self.recordBytes, max(0, entry.keyCount) + max(0, entry.valueCount))
                if pieceBytes >= Self.pieceBytes {
                    if let failed = topic.flush() { throw failure(failed, topic.name) }
                    awaitDelivery(milliseconds: milliseconds)
                    pieceBytes = 0
                }
            }
            start = end
        }
    }

    private func requirePartition(
        _ partition: Int32, _ topic: OutputTopic, milliseconds: Int32
    ) throws(OutputFailure) {
        precondition(partition >= 0, "partition \(partition)")
        try learnPartitionCount(topic, milliseconds: milliseconds)
        guard Int(partition) >= topic.partitionCount else { return }
        throw .fatal(
            "topic \(topic.name) has \(topic.partitionCount) partitions, but a record for "
                + "partition \(partition) is to be written; add partitions to the topic, then "
                + "start again")
    }

    private func failure(_ code: rd_kafka_resp_err_t, _ topic: String) -> OutputFailure {
        let sentence = "\(handle.name) cannot write to topic \(topic): \(KafkaError.text(of: code))"
        if let failure = OutputFailure(ending: code, sentence: sentence) { return failure }
        let fatal = handle.fatalCode
        if fatal != RD_KAFKA_RESP_ERR_NO_ERROR {
            if let failure = OutputFailure(ending: fatal, sentence: sentence) { return failure }
            // A plain producer that lost count of what was written is replaced: copies are allowed.
            return isTransactional ? .broken(sentence) : .abortable(sentence)
        }
        return .abortable(sentence)
    }

    /// Waits until no record is on its way, in steps shorter than librdkafka's own.
    func awaitDelivery(milliseconds: Int32) {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        while unsafe Int(rd_kafka_outq_len(handle.pointer)) > 0,
            tw_monotonic_nanoseconds() < end
        {
            handle.serve(milliseconds: 1)
        }
    }

    /// Waits until every record is acknowledged; false if the time ends before. For a plain producer.
    func awaitAcknowledgement(milliseconds: Int32) throws(OutputFailure) -> Bool {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        while true {
            let delivery = handle.withDeliveries { $0 }
            if delivery.failedCount > 0 {
                let code = rd_kafka_resp_err_t(rawValue: delivery.code)
                throw failure(code, "of its outputs")
            }
            if delivery.count == sentCount { return true }
            guard tw_monotonic_nanoseconds() < end else { return false }
            handle.serve(milliseconds: 2)
        }
    }

    /// The offset of the record that was acknowledged last; −1 before the first.
    var lastOffset: Int64 { handle.withDeliveries { $0.lastOffset } }
}
