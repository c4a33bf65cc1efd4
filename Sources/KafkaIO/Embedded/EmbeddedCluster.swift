import CRdKafka
import Core

/// librdkafka's in-process brokers: for the demo and for tests of what needs no real one.
///
/// Other librdkafka clients (kcat, confluent-kafka) reach it at ``bootstrapServers``, Java's do
/// not. It keeps 5 MiB for each partition and knows neither isolation nor the offsets of
/// transactions: it never proves exactly-once.
@safe
package final class EmbeddedCluster: @unchecked Sendable {
    // Safety: librdkafka's calls on a cluster are thread-safe; `close` is the owner's last call.
    private let handle: KafkaHandle
    private var cluster: OpaquePointer?
    /// Where clients connect.
    package let bootstrapServers: String

    /// Starts brokers on free ports of this host.
    package init(brokerCount: Int = 1, log: KafkaLog) throws(KafkaError) {
        handle = try KafkaHandle(
            .producer, name: "embedded cluster", configuration: KafkaConfiguration(), log: log)
        guard let cluster = unsafe rd_kafka_mock_cluster_new(handle.pointer, Int32(brokerCount)),
            let bootstrap = unsafe rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            throw KafkaError(
                kind: .other, problem: "the embedded cluster cannot start",
                remedy: "check that this process may listen on 127.0.0.1")
        }
        unsafe self.cluster = unsafe cluster
        bootstrapServers = unsafe String(cString: bootstrap)
    }

    deinit { close() }

    /// Creates a topic.
    package func createTopic(_ name: String, partitionCount: Int) throws(KafkaError) {
        let code = unsafe rd_kafka_mock_topic_create(cluster, name, Int32(partitionCount), 1)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(code, doing: "cannot create topic \(name) in the embedded cluster")
        }
    }

    /// Stops a broker (the first is 1); clients see it as an outage.
    package func stopBroker(_ broker: Int = 1) throws(KafkaError) {
        try unsafe check(rd_kafka_mock_broker_set_down(cluster, Int32(broker)), "stop a broker")
    }

    /// Starts a stopped broker again.
    package func startBroker(_ broker: Int = 1) throws(KafkaError) {
        try unsafe check(rd_kafka_mock_broker_set_up(cluster, Int32(broker)), "start a broker")
    }

    /// Makes a broker the coordinator of a group.
    package func moveGroup(_ groupID: String, to broker: Int) throws(KafkaError) {
        try unsafe check(
            rd_kafka_mock_coordinator_set(cluster, "group", groupID, Int32(broker)), "move a group")
    }

    /// Stops the brokers; every client should be closed before.
    package func close() {
        guard let cluster = unsafe cluster else { return }
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe self.cluster = nil
        handle.close()
    }

    private func check(_ code: rd_kafka_resp_err_t, _ doing: String) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(code, doing: "cannot \(doing) of the embedded cluster")
        }
    }
}
