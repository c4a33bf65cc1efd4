// Method: a secure broker gives a user every right that a pipeline needs but one; the run must end
// with the command that grants that one, and, once it is given, go on and cover every record.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import TestSupport
import Testing

@Suite(
    "Rights of a pipeline",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct RightsTests {
    /// A pipeline on a secure cluster: what it may do is up to the test.
    private final class SecurePipeline {
        let cluster: KafkaCluster
        let name: String
        let pipeline: Pipeline
        let admin: KafkaAdmin
        let access: KafkaAccess
        let tls: String
        let state: URL
        /// The pipeline file.
        let text: String
        private let log = KafkaLog { _ in }

        init(_ cluster: KafkaCluster, createsTopics: Bool = true) throws {
            self.cluster = cluster
            name = cluster.uniqueName("rights")
            tls = cluster.folder.appending(path: "cluster/tls").path
            state = FileManager.default.temporaryDirectory.appending(path: "\(name).state")
            text = """
                version: 1
                pipeline: \(name)
                kafka:
                  bootstrap.servers: \(cluster.bootstrap)
                  security.protocol: SASL_SSL
                  sasl.mechanism: PLAIN
                  sasl.username: alice
                  sasl.password: alice-secret
                  ssl.ca.location: \(tls)/ca.pem
                input: { topic: \(name), format: json }
                features: { a: numeric, b: numeric }
                label: { field: y, classes: ["0", "1"] }
                model: { logistic_regression: { learning_rate: 0.05 } }
                metrics: { every: 5 records }
                state: { folder: \(state.path) }
                """
            pipeline = try PipelineReader.read(bytes: Array(text.utf8), file: "test.yaml").pipeline
            let properties = Self.login(cluster, "admin", "admin-secret", tls)
            admin = try KafkaAdmin(settings: KafkaSettings(common: properties), log: log)
            access = try KafkaAccess(properties: properties.map { ($0.name, $0.text) })
            try admin.create(TopicSpecification(name: name, partitionCount: 1))
        }

        deinit { try? FileManager.default.removeItem(at: state) }

        static func login(
            _ cluster: KafkaCluster, _ user: String, _ password: String, _ tls: String
        ) -> [TextPair] {
            [
                TextPair("bootstrap.servers", cluster.bootstrap),
                TextPair("security.protocol", "SASL_SSL"), TextPair("sasl.mechanism", "PLAIN"),
                TextPair("sasl.username", user), TextPair("sasl.password", password),
                TextPair("ssl.ca.location", "\(tls)/ca.pem"),
            ]
        }

        /// The rights of docs/guide/production.md for topics that are there.
        var rights: [KafkaAccess.Right] {
            let output = pipeline.output
            return [
                .init("Read", topic: name), .init("Read", group: pipeline.groupID),
                .init("Write", topic: output.predictionsTopic),
                .init("Write", topic: output.metricsTopic),
                .init("Write", topic: output.deadLettersTopic),
                .init("Write", topic: output.journalTopic),
                .init("Read", topic: output.journalTopic),
                .init("DescribeConfigs", topic: output.journalTopic),
                .init("Delete", topic: output.journalTopic),
                .init("Write", topic: output.stateTopic),
                .init("Read", topic: output.stateTopic),
                .init("DescribeConfigs", topic: output.stateTopic),
                .init("Delete", topic: output.stateTopic),
            ]
        }

        /// Those that so short a run does not come to: bad records, snapshots, trimming.
        func isMissed(_ right: KafkaAccess.Right) -> Bool {
            right.name != pipeline.output.deadLettersTopic && right.operation != "Delete"
                && (right.name != pipeline.output.stateTopic
                    || right.operation == "DescribeConfigs")
        }

        func createTopics() throws {
            let output = pipeline.output
            for topic in [output.predictionsTopic, output.metricsTopic, output.deadLettersTopic] {
                try admin.create(TopicSpecification(name: topic, partitionCount: 1))
            }
            try admin.create(.journal(output.journalTopic, partitionCount: 1))
            try admin.create(.state(output.stateTopic, partitionCount: 1))
        }

        func produce(_ range: Range<Int>) throws {
            let login = Self.login(cluster, "admin", "admin-secret", tls)
            let feeder = try KafkaFeeder(
                settings: KafkaSettings(common: login), topic: name, log: log)
            for index in range {
                try feeder.send(
                    key: Array("k\(index)".utf8), value: Array(PipelineFixture.value(index).utf8))
            }
            try feeder.flush()
        }

        func predictions() throws -> Int {
            let login = Self.login(cluster, "admin", "admin-secret", tls)
            let tail = try KafkaTail(
                settings: KafkaSettings(common: login), topic: pipeline.output.predictionsTopic,
                from: KafkaOffset.beginning, log: log)
            defer { tail.close() }
            var count = 0
            _ = try tail.readToEnd { _ in count += 1 }
            return count
        }

        func start() -> RunningProcess {
            RunningProcess(PipelineProcess(pipeline: pipeline, log: ProcessLog { _, _ in }))
        }

        /// Runs until this many predictions are committed, then stops in order.
        func runs(until count: Int) throws -> Bool {
            let running = start()
            var found = 0
            for _ in 0..<600 where found < count {
                if running.wait(seconds: 0.05) != nil { break }
                found = (try? predictions()) ?? 0
            }
            let outcome = running.stop()
            return found == count && outcome == .stopped
        }
    }

    /// What a process that must fail says.
    private func failure(_ running: RunningProcess) -> String {
        guard case .failed(let reason)? = running.wait(seconds: 180) else {
            return "did not fail: \(String(describing: running.stop()))"
        }
        return reason
    }

    private func expect(_ reason: String, tells right: KafkaAccess.Right) {
        let kind = right.isGroup ? "group" : "topic"
        let command =
            "kafka-acls --add --allow-principal User:alice --operation \(right.operation) "
            + "--\(kind) \(right.name)"
        #expect(reason.contains("(\(right.operation) on \(kind) \(right.name))"), "\(reason)")
        #expect(reason.contains("grant it (\(command))"), "\(reason)")
        #expect(reason.count(of: "grant") == 1, "\(reason)")
        #expect(!reason.contains("secret"))
    }

    @Test("each right that is refused is named with the command that grants it")
    func oneByOne() throws {
        let cluster = try KafkaCluster(secure: true)
        let first = try SecurePipeline(cluster)

        // Without any right, the first question is refused: that about the input.
        expect(failure(first.start()), tells: first.rights[0])

        // The transactional id's right, which only Kafka's own tool can give.
        try first.createTopics()
        try first.access.grant(first.rights)
        let id = failure(first.start())
        #expect(
            id.contains(
                "grant it (kafka-acls --add --allow-principal User:alice --operation Write "
                    + "--transactional-id tidewheel.\(first.name).0)"), "\(id)")
        try KafkaCluster.tool([
            "acls", "--bootstrap-server", cluster.bootstrap, "--command-config",
            "\(first.tls)/admin.properties", "--add", "--allow-principal", "User:alice",
            "--operation", "Write", "--transactional-id", "tidewheel.",
            "--resource-pattern-type", "prefixed",
        ])
        try first.produce(0..<10)
        #expect(try first.runs(until: 10))

        // What the pipeline need not know is no right that it needs.
        let folder = try TestFolder()
        let check = ProgramRun("check", try folder.file("it.yaml", first.text), "--connect")
        #expect(check.code == .success, "\(check.output)")
        let unknown = "note       whether input \(first.name) is compacted is not known: "
        #expect(check.output.contains(unknown), "\(check.output)")
        #expect(check.output.contains("(DescribeConfigs on topic \(first.name))"))

        // Each of the others, for a pipeline that has run.
        for (index, right) in first.rights.enumerated() {
            // Writing implies asking about a topic: keep that, so that the commit is what is refused.
            let asking = KafkaAccess.Right("Describe", topic: right.name)
            if right.operation == "Write" { try first.access.grant([asking]) }
            try first.access.revoke([right])
            let range = 10 * (index + 1)..<10 * (index + 2)
            try first.produce(range)
            if !first.isMissed(right) {
                #expect(try first.runs(until: range.upperBound))
                try first.access.grant([right])
                continue
            }
            expect(failure(first.start()), tells: right)
            try first.access.grant([right])
            #expect(try first.runs(until: range.upperBound), "\(right)")
        }

        // Topics that are not there.
        let second = try SecurePipeline(cluster)
        try second.access.grant(second.rights)
        let journal = second.pipeline.output.journalTopic
        expect(failure(second.start()), tells: .init("Create", topic: journal))
        try second.access.grant(
            second.rights.filter { $0.operation == "Write" }.map { .init("Create", topic: $0.name) }
        )
        try second.produce(0..<10)
        #expect(try second.runs(until: 10))
        try second.admin.grow(second.name, to: 2)
        let predictions = second.pipeline.output.predictionsTopic
        expect(failure(second.start()), tells: .init("Alter", topic: predictions))
        try cluster.stop()
    }

    @Test("rights that are taken away from a running pipeline and given back lose nothing")
    func takenAway() throws {
        let cluster = try KafkaCluster(secure: true)
        let secure = try SecurePipeline(cluster)
        try secure.createTopics()
        try secure.access.grant(secure.rights)
        try KafkaCluster.tool([
            "acls", "--bootstrap-server", cluster.bootstrap, "--command-config",
            "\(secure.tls)/admin.properties", "--add", "--allow-principal", "User:alice",
            "--operation", "Write", "--transactional-id", "tidewheel.\(secure.name).0",
        ])
        try secure.produce(0..<10)
        for (round, index) in [0, 1, 2].enumerated() {
            let right = secure.rights[index]
            let running = secure.start()
            var isLive = false
            for _ in 0..<600 where !isLive {
                isLive = !running.process.status.liveTasks.isEmpty
                if running.wait(seconds: 0.05) != nil { break }
            }
            #expect(isLive)
            try secure.access.revoke([right])
            try secure.produce(10 * (round + 1)..<10 * (round + 2))
            expect(failure(running), tells: right)
            try secure.access.grant([right])
            #expect(try secure.runs(until: 10 * (round + 2)), "\(right)")
        }
        try cluster.stop()
    }
}

extension String {
    fileprivate func count(of text: String) -> Int {
        components(separatedBy: text).count - 1
    }
}
