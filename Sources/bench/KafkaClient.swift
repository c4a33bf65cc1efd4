import CRdKafka
import Foundation
import TestSupport

/// The few things that the benchmarks ask of librdkafka themselves.
final class KafkaClient: @unchecked Sendable {
    let handle: OpaquePointer

    init(producer bootstrap: String, _ settings: [String: String] = [:]) throws {
        handle = try Self.make(RD_KAFKA_PRODUCER, bootstrap, settings)
    }

    init(consumer bootstrap: String, group: String, _ settings: [String: String] = [:]) throws {
        let all = settings.merging(["group.id": group]) { first, _ in first }
        handle = try Self.make(RD_KAFKA_CONSUMER, bootstrap, all)
        rd_kafka_poll_set_consumer(handle)
    }

    deinit { rd_kafka_destroy(handle) }

    /// Opens a topic and fetches its metadata; the caller destroys it.
    func topic(_ name: String) throws -> OpaquePointer {
        guard let topic = rd_kafka_topic_new(handle, name, nil) else {
            throw ToolFailure.running("cannot open topic \(name)")
        }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try check("metadata of \(name)", rd_kafka_metadata(handle, 0, topic, &metadata, 30_000))
        rd_kafka_metadata_destroy(metadata)
        return topic
    }

    /// Hands one record over, waiting while the queue is full.
    func produce(
        _ topic: OpaquePointer, partition: Int, key: [UInt8], value: [UInt8]
    ) throws {
        while true {
            let status = key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in
                    rd_kafka_produce(
                        topic, Int32(partition), RD_KAFKA_MSG_F_COPY,
                        UnsafeMutableRawPointer(mutating: value.baseAddress), value.count,
                        key.baseAddress, key.count, nil)
                }
            }
            if status == 0 { return }
            let error = rd_kafka_last_error()
            guard error == RD_KAFKA_RESP_ERR__QUEUE_FULL else { return try check("produce", error) }
            rd_kafka_poll(handle, 10)
        }
    }

    func flush(seconds: Int) throws {
        try check("flush", rd_kafka_flush(handle, Int32(seconds * 1_000)))
    }

    /// The sum over partitions 0..<`partitions` of what the group has committed; 0 where nothing.
    func committed(_ topic: String, partitions: Int) throws -> Int {
        let list = rd_kafka_topic_partition_list_new(Int32(partitions))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for partition in 0..<partitions {
            rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
        }
        let status = rd_kafka_committed(handle, list, 5_000)
        guard status == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return 0 }
        return (0..<partitions).reduce(0) { $0 + max(0, Int(list.pointee.elems[$1].offset)) }
    }

    /// Deletes the topics that `isWanted` names.
    func deleteTopics(where isWanted: (String) -> Bool) throws {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try check("metadata", rd_kafka_metadata(handle, 1, nil, &metadata, 30_000))
        let all = (0..<Int(metadata?.pointee.topic_cnt ?? 0)).compactMap {
            metadata?.pointee.topics[$0].topic.map { String(cString: $0) }
        }
        rd_kafka_metadata_destroy(metadata)
        var requests = all.filter(isWanted).map { rd_kafka_DeleteTopic_new($0) }
        guard !requests.isEmpty else { return }
        defer { rd_kafka_DeleteTopic_destroy_array(&requests, requests.count) }
        let queue = rd_kafka_queue_new(handle)
        defer { rd_kafka_queue_destroy(queue) }
        rd_kafka_DeleteTopics(handle, &requests, requests.count, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, 60_000) else {
            throw ToolFailure.running("deleting topics: no answer in 60 s")
        }
        defer { rd_kafka_event_destroy(event) }
        try check("deleting topics", rd_kafka_event_error(event))
    }

    /// Reads all partitions of a topic from their first record on.
    func assign(_ topic: String, partitions: Int) throws {
        let list = rd_kafka_topic_partition_list_new(Int32(partitions))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for partition in 0..<partitions {
            let entry = rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
            entry?.pointee.offset = Int64(RD_KAFKA_OFFSET_BEGINNING)
        }
        try check("assign", rd_kafka_assign(handle, list))
    }

    private static func make(
        _ type: rd_kafka_type_t, _ bootstrap: String, _ settings: [String: String]
    ) throws -> OpaquePointer {
        var reason = [CChar](repeating: 0, count: 512)
        let configuration = rd_kafka_conf_new()
        let all = settings.merging(["bootstrap.servers": bootstrap]) { $1 }
        for (key, value) in all {
            guard
                rd_kafka_conf_set(configuration, key, value, &reason, reason.count)
                    == RD_KAFKA_CONF_OK
            else { throw ToolFailure.usage("\(key): \(text(reason))") }
        }
        guard let handle = rd_kafka_new(type, configuration, &reason, reason.count) else {
            throw ToolFailure.running(text(reason))
        }
        return handle
    }
}

/// Throws what librdkafka's error code says.
func check(_ what: String, _ error: rd_kafka_resp_err_t) throws {
    guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
    throw ToolFailure.running("\(what): \(String(cString: rd_kafka_err2str(error)))")
}
