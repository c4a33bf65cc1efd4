import CPlatform
import CRdKafka
import Core
import State

/// One incarnation of a task's producer: the client, its topics, and the batches on their way.
final class TransactionalProducer {
    let handle: KafkaHandle
    /// By the raw value of their streams; nil for those that the task does not write.
    private var topics: [OutputTopic?]

    init(
        settings: KafkaSettings, transactionalID: String, name: String,
        topics names: [(stream: OutputStream, name: String)], log: KafkaLog
    ) throws(KafkaError) {
        let configuration = try settings.configuration(
            .producer,
            defaults: KafkaSettings.producerDefaults + [
                TextPair("transaction.timeout.ms", "60000"),
                // Short waits: at low load a commit follows the next, and its first requests are
                // refused until the one before has settled. 10 and 5 ms cost a commit 15 ms more.
                TextPair("linger.ms", "2"),
                TextPair("retry.backoff.ms", "5"),
            ],
            binding: [
                TextPair("transactional.id", transactionalID),
                TextPair("enable.idempotence", "true"),
                // Our own buffer is the bound: a full queue in the middle of a batch would break
                // the order inside a partition.
                TextPair("queue.buffering.max.messages", "0"),
                TextPair("queue.buffering.max.kbytes", "2147483647"),
                // Requests copy values, so that a late one never refers to a buffer that is gone.
                TextPair("message.copy.max.bytes", "1000000000"),
            ])
        handle = try KafkaHandle(.producer, name: name, configuration: configuration, log: log)
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

    /// Fetches the topics' metadata, which the first record would otherwise wait a second for.
    func warmUp(milliseconds: Int32) throws(OutputFailure) {
        for case let topic? in topics {
            try learnPartitionCount(topic, milliseconds: milliseconds)
        }
    }

    private func learnPartitionCount(
        _ topic: OutputTopic, milliseconds: Int32
    ) throws(OutputFailure) {
        let doing = "cannot write to topic \(topic.name)"
        do throws(KafkaError) {
            let count = try handle.describe(topic.name, milliseconds: milliseconds).count
            guard count > 0 else {
                throw KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, doing: doing)
            }
            topic.partitionCount = count
        } catch {
            handle.serve()
            if error.kind == .unreachable { throw .uncertain(error.description) }
            throw .fatal(error.description)
        }
    }

    /// The bytes handed to librdkafka at once.
    ///
    /// While messages wait for a connection that is full, its broker thread polls without pause: a
    /// broker reads one request at a time, so what exceeds the socket's buffers costs a core.
    /// Handing over the next piece when only one is on its way halved the processor time of four
    /// tasks.
    private static let pieceBytes = 256 << 10

    /// Hands all records to librdkafka, piece by piece; the last ones are on their way at the end.
    func send(_ buffer: borrowing OutputBuffer, milliseconds: Int32) throws(OutputFailure) {
        let base = unsafe buffer.content.address
        let entries = buffer.entries
        for case let topic? in topics { topic.discard() }
        var pieceBytes = 0
        var pieceCount = 0
        var start = 0
        while start < entries.count {
            let stream = entries[start].stream
            guard let topic = topics[Int(stream.rawValue)] else {
                preconditionFailure("no topic for the stream \(stream)")
            }
            var end = start
            while end < entries.count && entries[end].stream == stream {
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
                pieceBytes += max(0, entry.keyCount) + max(0, entry.valueCount)
                pieceCount += 1
                if pieceBytes >= Self.pieceBytes {
                    if let failed = topic.flush() { throw failure(failed, topic.name) }
                    awaitDelivery(downTo: pieceCount, milliseconds: milliseconds)
                    pieceBytes = 0
                    pieceCount = 0
                }
            }
            start = end
        }
        for case let topic? in topics {
            if let failed = topic.flush() { throw failure(failed, topic.name) }
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
            return OutputFailure(ending: fatal, sentence: sentence) ?? .fatal(sentence)
        }
        return .abortable(sentence)
    }

    /// Waits until at most `count` records are on their way, in steps shorter than librdkafka's
    /// own.
    func awaitDelivery(downTo count: Int = 0, milliseconds: Int32) {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        while unsafe Int(rd_kafka_outq_len(handle.pointer)) > count,
            tw_monotonic_nanoseconds() < end
        {
            handle.serve(milliseconds: 1)
        }
    }
}
