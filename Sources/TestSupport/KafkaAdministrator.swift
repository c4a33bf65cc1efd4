import CRdKafka
import Foundation

/// The one administrative request that tests need, made through librdkafka because it answers in
/// milliseconds where Kafka's own tools take seconds to start.
package struct KafkaAdministrator: ~Copyable {
    private let client: OpaquePointer
    private let queue: OpaquePointer

    package init(bootstrap: String) throws {
        var reason = [CChar](repeating: 0, count: 512)
        let settings = rd_kafka_conf_new()
        rd_kafka_conf_set(settings, "bootstrap.servers", bootstrap, &reason, reason.count)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, settings, &reason, reason.count),
            let queue = rd_kafka_queue_new(client)
        else {
            throw ChildFailure(
                command: "connect to \(bootstrap)", code: -1,
                output: reason.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
        }
        self.client = client
        self.queue = queue
    }

    deinit {
        rd_kafka_queue_destroy(queue)
        rd_kafka_destroy(client)
    }

    /// Creates a topic and waits until each of its partitions has a leader; 30 s at most for each.
    package func create(_ name: String, partitions: Int, _ topic: OpaquePointer?) throws {
        let options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var reason = [CChar](repeating: 0, count: 512)
        rd_kafka_AdminOptions_set_operation_timeout(options, 30_000, &reason, reason.count)
        var topics = [topic]
        rd_kafka_CreateTopics(client, &topics, 1, options, queue)
        guard let event = rd_kafka_queue_poll(queue, 40_000) else {
            throw ChildFailure(command: "create topic", code: -1, output: "no answer in 40 s")
        }
        defer { rd_kafka_event_destroy(event) }
        var failure = rd_kafka_event_error(event)
        if failure == RD_KAFKA_RESP_ERR_NO_ERROR,
            let result = rd_kafka_event_CreateTopics_result(event)
        {
            var count = 0
            if let answers = rd_kafka_CreateTopics_result_topics(result, &count), count > 0 {
                failure = rd_kafka_topic_result_error(answers[0])
            }
        }
        guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw ChildFailure(
                command: "create topic", code: failure.rawValue,
                output: String(cString: rd_kafka_err2str(failure)))
        }
        for _ in 0..<3_000 {
            if try hasLeaders(name, partitions: partitions) { return }
            usleep(10_000)
        }
        throw ChildFailure(command: "create topic", code: -1, output: "no leaders in 30 s")
    }

    private func hasLeaders(_ name: String, partitions: Int) throws -> Bool {
        let topic = rd_kafka_topic_new(client, name, nil)
        defer { rd_kafka_topic_destroy(topic) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let status = rd_kafka_metadata(client, 0, topic, &metadata, 10_000)
        guard status == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return false }
        defer { rd_kafka_metadata_destroy(metadata) }
        let found = metadata.pointee.topics[0]
        guard found.partition_cnt == Int32(partitions) else { return false }
        return (0..<partitions).allSatisfy { found.partitions[$0].leader >= 0 }
    }
}
