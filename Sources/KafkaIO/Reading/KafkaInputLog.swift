import CRdKafka
package import Core
package import State
import Synchronization

/// The partitions that a task reads, each from its own queue inside a shared ``KafkaReader``.
///
/// One owner at a time: the lane that owns the task. Made by ``KafkaReader/openLog(_:wake:)`` and
/// ended by ``KafkaReader/close(_:)``.
package final class KafkaInputLog: InputLog, @unchecked Sendable {
    // Safety: handed from the control thread to a lane and back; one of them uses it at a time.
    package let partitions: [TopicPartition]
    private let reader: KafkaReader
    let queues: [InputQueue]
    /// The reader's hints of missing topics that were looked into.
    private var suspicions: Int

    init(partitions: [TopicPartition], queues: [InputQueue], reader: KafkaReader) {
        self.partitions = partitions
        self.queues = queues
        self.reader = reader
        suspicions = reader.suspicions
    }

    package func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        if queues[input].progress.wantsRefetch.load(ordering: .relaxed) {
            queues[input].progress.wantsRefetch.store(false, ordering: .relaxed)
            try resume(input, at: queues[input].nextOffset)
        }
        if let fault = queues[input].drain(upTo: limit) { try survive(fault, input) }
        if reader.suspicions != suspicions { try lookForPartitions() }
    }

    package func queuedCount(_ input: Int) -> Int { queues[input].count }

    package func withQueued<Result>(
        _ input: Int, _ body: (Span<RawRecord>) -> Result
    ) -> Result {
        queues[input].withQueued(body)
    }

    package func release(_ input: Int, _ count: Int) { queues[input].release(count) }

    package func endOffset(_ input: Int) -> Int64? { queues[input].endOffset }

    package func seek(_ input: Int, to offset: Int64) throws(LogError) {
        do throws(KafkaError) {
            let hasStopped = queues[input].hasStopped
            queues[input].restart(at: offset)
            if hasStopped {
                try reader.reassign(partitions[input], at: offset)
            } else {
                try reader.restart(partitions[input], at: offset)
            }
        } catch {
            throw .failed(error.description)
        }
    }

    package func headers(_ input: Int, _ index: Int) -> [OutputHeader] {
        guard let message = unsafe queues[input].message(index) else { return [] }
        return unsafe recordHeaders(message)
    }

    /// Something hinted that a topic is gone or refused: asks the broker about each of ours.
    private func lookForPartitions() throws(LogError) {
        suspicions = reader.suspicions
        for partition in partitions { try reader.look(for: partition, milliseconds: 2000) }
    }

    /// Tells what can be waited out from what ends the log.
    private func survive(_ fault: InputQueue.Fault, _ input: Int) throws(LogError) {
        let partition = partitions[input]
        let next = queues[input].nextOffset
        switch fault.code {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            // A new leader may say so for a moment; ask it again before giving up.
            let ends = reader.watermarks(of: partition, milliseconds: 2000)
            if let ends = ends, ends.low <= next, next <= ends.high {
                return try resume(input, at: next)
            }
            throw .lostRecords(partition, offset: next, firstOffset: ends?.low)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            try reader.look(for: partition, milliseconds: 2000)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            throw .unauthorised(partition, reader.refusal(of: partition.topic))
        case RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG,
            RD_KAFKA_RESP_ERR__BAD_COMPRESSION, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
            RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR__FATAL:
            throw .failed(
                KafkaError(
                    fault.code,
                    doing: "cannot read topic \(partition.topic), partition "
                        + "\(partition.partition), at offset \(next)", reason: fault.reason
                ).description)
        default:
            // librdkafka tries again by itself.
            reader.log.say(
                .warning, topic: "read \(partition.topic) \(fault.code.rawValue)",
                "reading topic \(partition.topic), partition \(partition.partition), was "
                    + "interrupted (\(fault.reason)); trying again")
        }
    }

    /// Goes on after librdkafka has stopped; the records that are queued stay.
    private func resume(_ input: Int, at offset: Int64) throws(LogError) {
        do throws(KafkaError) {
            try reader.reassign(partitions[input], at: offset)
        } catch {
            throw .failed(error.description)
        }
        queues[input].resume()
    }
}

/// The headers of a message, copied.
func recordHeaders(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> [OutputHeader] {
    var list: OpaquePointer?
    guard unsafe rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR,
        let list = unsafe list
    else {
        return []
    }
    var headers: [OutputHeader] = []
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var count = 0
    // Safety: the list belongs to the message; names and values are copied while it lives.
    while unsafe rd_kafka_header_get_all(list, headers.count, &name, &value, &count)
        == RD_KAFKA_RESP_ERR_NO_ERROR
    {
        unsafe headers.append(
            OutputHeader(
                name: name.map { unsafe String(cString: $0) } ?? "",
                value: unsafe Array(
                    UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : count))
            ))
    }
    return headers
}
