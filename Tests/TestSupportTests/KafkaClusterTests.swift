// Method: real brokers are started, paused, killed and left behind, and looked for afterwards.
import CPlatform
import Foundation
import TestSupport
import Testing

@Suite(
    "Kafka cluster for tests",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct KafkaClusterTests {
    @Test("a topic is created with the partitions asked for, once")
    func createsTopics() throws {
        let cluster = try KafkaCluster.shared()
        let name = cluster.uniqueName("created")
        try cluster.createTopic(name, partitions: 3, settings: ["retention.ms": "-1"])
        let described = try KafkaCluster.tool(
            ["topics", "--bootstrap-server", cluster.bootstrap, "--describe", "--topic", name])
        #expect(described.contains("PartitionCount: 3"))
        #expect(described.contains("retention.ms=-1"))
        #expect(throws: ChildFailure.self) { try cluster.createTopic(name, partitions: 3) }
    }

    @Test("a killed broker comes back, and nothing is left when the cluster is let go")
    func restartsAndCleansUp() throws {
        var cluster: KafkaCluster? = try KafkaCluster()
        let folder = try #require(cluster?.folder)
        let pidFile = folder.appending(path: "cluster/node1/pid")
        try cluster?.pause()
        try cluster?.resume()
        try cluster?.kill()
        try cluster?.restart()
        try cluster?.createTopic("after-restart")
        let pid = try #require(
            Int32(String(contentsOf: pidFile, encoding: .utf8).trimmingCharacters(in: .newlines)))
        #expect(kill(pid, 0) == 0)
        cluster = nil
        for _ in 0..<1_500 where FileManager.default.fileExists(atPath: folder.path) {
            usleep(20_000)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        let arguments = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
        #expect(arguments?.contains(folder.path) != true)
    }
}
