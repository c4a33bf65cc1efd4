import CRdKafka
import Foundation
import TestSupport

/// What the driver asks the cluster itself.
final class ClusterProbe {
    private let client: OpaquePointer

    init(bootstrap: String) throws {
        var reason = [CChar](repeating: 0, count: 512)
        let settings = rd_kafka_conf_new()
        for (key, value) in [
            ("bootstrap.servers", bootstrap), ("isolation.level", "read_committed"),
            ("group.id", "crash-probe"),
        ] {
            rd_kafka_conf_set(settings, key, value, &reason, reason.count)
        }
        guard let made = rd_kafka_new(RD_KAFKA_CONSUMER, settings, &reason, reason.count) else {
            throw ToolFailure.running("no client for \(bootstrap)")
        }
        client = made
    }

    deinit { rd_kafka_destroy(client) }

    /// The last stable offset of a partition; nil when nobody answers.
    func lastStableOffset(_ topic: String, _ partition: Int32) -> Int64? {
        var low: Int64 = 0
        var high: Int64 = 0
        let status = rd_kafka_query_watermark_offsets(client, topic, partition, &low, &high, 10_000)
        return status == RD_KAFKA_RESP_ERR_NO_ERROR ? high : nil
    }

    /// The broker that leads each partition of a topic; empty when nobody answers.
    func leaders(of topic: String) -> [Int32] {
        guard let handle = rd_kafka_topic_new(client, topic, nil) else { return [] }
        defer { rd_kafka_topic_destroy(handle) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        guard rd_kafka_metadata(client, 0, handle, &metadata, 10_000) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let metadata
        else { return [] }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard metadata.pointee.topic_cnt > 0 else { return [] }
        let found = metadata.pointee.topics[0]
        return (0..<Int(found.partition_cnt)).map { found.partitions[$0].leader }
    }
}
