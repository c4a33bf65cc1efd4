import CPlatform
import CRdKafka
package import Core

/// Writes records to a topic without transactions: for `produce`, the demo and tests.
///
/// Records of one partition keep their order and are written once, also over outages. The queue is
/// bounded; ``send(key:value:timestamp:partition:)`` waits when it is full. One thread uses it.
@safe
package final class KafkaFeeder: @unchecked Sendable {
    // Safety: the topic is ours, and given back before the client is destroyed; the delivery
    // reports are received inside `poll`, on the thread that uses this object.
    private let handle: KafkaHandle
    private let topic: OpaquePointer
    private let topicName: String
    private let partitionCount: Int32

    /// - Parameters:
    ///   - topic: must exist.
    ///   - queueLimit: the records that may be on their way.
    package init(
        settings: KafkaSettings, topic: String, queueLimit: Int = 100_000, log: KafkaLog,
        connectMilliseconds: Int32 = 10_000
    ) throws(KafkaError) {
        let configuration = try settings.configuration(
            .producer,
            defaults: KafkaSettings.producerDefaults + [
                // As Java's clients: the same key goes to the same partition whoever writes it.
                TextPair("partitioner", "murmur2_random")
            ],
            binding: [
                TextPair("enable.idempotence", "true"),
                TextPair("queue.buffering.max.messages", "\(queueLimit)"),
            ])
        handle = try KafkaHandle(
            .producer, name: "feeder", configuration: configuration, log: log,
            reportsDeliveries: true)
        topicName = topic
        let count = try handle.describe(
            topic, for: .write, milliseconds: connectMilliseconds
        ).count
        guard count > 0 else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, doing: "cannot write to topic \(topic)")
        }
        partitionCount = Int32(count)
        guard let local = unsafe rd_kafka_topic_new(handle.pointer, topic, nil) else {
            throw KafkaError(rd_kafka_last_error(), doing: "cannot write to topic \(topic)")
        }
        unsafe self.topic = unsafe local
    }

    deinit {
        unsafe rd_kafka_topic_destroy(topic)
        handle.close()
    }

    /// Queues a record; its bytes are copied.
    ///
    /// - Parameters:
    ///   - value: nil for a tombstone.
    ///   - timestamp: milliseconds since 1970; 0 for now.
    ///   - partition: nil chooses it by the key's hash, or at random without a key.
    package func send(
        key: [UInt8]?, value: [UInt8]?, timestamp: Int64 = 0, partition: Int32? = nil,
        headers: [OutputHeader] = []
    ) throws(KafkaError) {
        if let partition, partition < 0 || partition >= partitionCount {
            throw KafkaError(
                kind: .unknownTopic,
                problem: "topic \(topicName) has \(partitionCount) partitions, no partition "
                    + "\(partition)", remedy: "choose one from 0 to \(partitionCount - 1)")
        }
        while true {
            let list = unsafe headers.isEmpty ? nil : headerList(headers)
            // Safety: key and value are copied; the headers are librdkafka's on success.
            let code = unsafe withBytes(value) { value in
                unsafe withBytes(key) { key in
                    unsafe tw_kafka_produce(
                        handle.pointer, topic, partition ?? RD_KAFKA_PARTITION_UA,
                        Int32(RD_KAFKA_MSG_F_COPY),
                        UnsafeMutableRawPointer(mutating: value.baseAddress), value.count,
                        key.baseAddress, key.count, timestamp, list, nil)
                }
            }
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            if let list = unsafe list { unsafe rd_kafka_headers_destroy(list) }
            guard code == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
                throw handle.error(code, doing: "cannot write to topic \(topicName)")
            }
            handle.serve(milliseconds: 20)
            try checkDeliveries()
        }
    }

    /// Lets deliveries be reported; call it every now and then while sending.
    package func serve() throws(KafkaError) {
        handle.serve()
        try checkDeliveries()
    }

    /// Waits until everything is written; throws what could not be.
    package func flush(milliseconds: Int32 = 30_000) throws(KafkaError) {
        let code = unsafe rd_kafka_flush(handle.pointer, milliseconds)
        try checkDeliveries()
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let left = unsafe rd_kafka_outq_len(handle.pointer)
            throw handle.error(
                code, doing: "\(left) records for topic \(topicName) are not written")
        }
        handle.log.reachable()
    }

    /// The records written for certain so far.
    package var deliveredCount: Int { handle.withDeliveries { $0.count } }
    /// Where the last written record stands in its partition; −1 before the first.
    var lastOffset: Int64 { handle.withDeliveries { $0.lastOffset } }

    private func checkDeliveries() throws(KafkaError) {
        let failed = handle.withDeliveries { deliveries -> Delivery? in
            defer { deliveries.failedCount = 0 }
            return deliveries.failedCount > 0 ? deliveries : nil
        }
        guard let failed else { return }
        throw handle.error(
            rd_kafka_resp_err_t(rawValue: failed.code),
            doing: "\(failed.failedCount) records for topic \(topicName) were not written",
            needs: .topic(topicName, .write))
    }

    private func withBytes<Result>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let bytes else { return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        // An empty array has no address, but an empty key or value is not a missing one.
        if bytes.isEmpty {
            var nothing: UInt8 = 0
            return unsafe withUnsafeBytes(of: &nothing) {
                unsafe body(UnsafeRawBufferPointer(rebasing: $0[0..<0]))
            }
        }
        return unsafe bytes.withUnsafeBytes(body)
    }
}
