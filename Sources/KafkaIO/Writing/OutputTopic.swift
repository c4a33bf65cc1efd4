import CRdKafka
import Core

/// A stream's topic inside a producer, and the records collected for one call to librdkafka.
@safe
final class OutputTopic {
    /// The records of one call to librdkafka.
    static let batchCount = 1024

    let name: String
    /// As the metadata said last; librdkafka must not be given a partition beyond it.
    var partitionCount = 0
    // Safety: both belong to this object; the topic is given back before its client is destroyed,
    // because the producer owns both. `batch` holds `batchCount` initialised messages.
    private let topic: OpaquePointer
    private let batch: UnsafeMutablePointer<rd_kafka_message_t>
    private var count = 0

    init(_ name: String, client: OpaquePointer) throws(KafkaError) {
        guard let topic = unsafe rd_kafka_topic_new(client, name, nil) else {
            throw KafkaError(rd_kafka_last_error(), doing: "cannot write to topic \(name)")
        }
        self.name = name
        unsafe self.topic = unsafe topic
        unsafe batch = .allocate(capacity: Self.batchCount)
        unsafe batch.initialize(repeating: rd_kafka_message_t(), count: Self.batchCount)
    }

    deinit {
        unsafe rd_kafka_topic_destroy(topic)
        unsafe batch.deallocate()
    }

    /// Collects a record whose bytes begin at `base`; false when the batch is full.
    @inline(__always)
    func append(_ entry: OutputBuffer.Entry, _ base: UnsafeMutablePointer<UInt8>) -> Bool {
        // Safety: `count` is below `batchCount`; the entry's ranges lie inside the buffer, which
        // stays in place until the transaction has ended; librdkafka copies the key.
        let message = unsafe batch + count
        unsafe message.pointee.err = RD_KAFKA_RESP_ERR_NO_ERROR
        unsafe message.pointee.partition = entry.partition
        unsafe message.pointee.payload =
            unsafe entry.valueCount < 0 ? nil : UnsafeMutableRawPointer(base + entry.valueStart)
        unsafe message.pointee.len = max(0, entry.valueCount)
        unsafe message.pointee.key =
            unsafe entry.keyCount < 0 ? nil : UnsafeMutableRawPointer(base + entry.start)
        unsafe message.pointee.key_len = max(0, entry.keyCount)
        count += 1
        return count < Self.batchCount
    }

    /// Forgets what was collected: the transaction around it failed.
    func discard() {
        count = 0
    }

    /// Gives the collected records to librdkafka; the first error among them, if any.
    func flush() -> rd_kafka_resp_err_t? {
        guard count > 0 else { return nil }
        defer { count = 0 }
        // Safety: the call reads and marks the messages and keeps none of them; without the flags
        // to copy or to free, the values stay ours.
        let sent = unsafe rd_kafka_produce_batch(
            topic, RD_KAFKA_PARTITION_UA, Int32(RD_KAFKA_MSG_F_PARTITION), batch, Int32(count))
        if Int(sent) == count { return nil }
        for index in 0..<count where unsafe batch[index].err != RD_KAFKA_RESP_ERR_NO_ERROR {
            return unsafe batch[index].err
        }
        return RD_KAFKA_RESP_ERR__FAIL
    }

    /// Sends a record that has headers or a timestamp, after those collected before it.
    func send(
        _ entry: OutputBuffer.Entry, headers: [OutputHeader]?,
        _ base: UnsafeMutablePointer<UInt8>, client: OpaquePointer
    ) -> rd_kafka_resp_err_t? {
        if let failed = flush() { return failed }
        let list = unsafe headers.flatMap { unsafe headerList($0) }
        // Safety: as in `append`; the headers are librdkafka's on success, else still ours.
        let code = unsafe tw_kafka_produce(
            client, topic, entry.partition, 0,
            entry.valueCount < 0 ? nil : base + entry.valueStart, max(0, entry.valueCount),
            entry.keyCount < 0 ? nil : base + entry.start, max(0, entry.keyCount),
            entry.timestamp, list, nil)
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        if let list = unsafe list { unsafe rd_kafka_headers_destroy(list) }
        return code
    }
}

/// A list of headers for librdkafka, owned by the caller.
func headerList(_ headers: [OutputHeader]) -> OpaquePointer? {
    let list = unsafe rd_kafka_headers_new(headers.count)
    for header in headers {
        // Safety: names and values are copied.
        unsafe header.value.withUnsafeBytes { value in
            _ = unsafe rd_kafka_header_add(list, header.name, -1, value.baseAddress, value.count)
        }
    }
    return unsafe list
}
