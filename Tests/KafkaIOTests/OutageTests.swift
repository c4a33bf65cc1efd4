// Method: a broker of its own that is killed and started again under a reader, a member and a
// transactional output; everything written must be there once, and the outage be said once.
import Core
import Foundation
import KafkaIO
import State
import TestSupport
import Testing

@Suite(
    "Outages of a real broker",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct OutageTests {
    /// Sends a buffer until it is committed, as a task's committer does.
    private func commit(
        _ output: KafkaTransactionalOutput, _ buffer: borrowing OutputBuffer
    ) throws {
        var isUncertain = false
        for _ in 0..<20 {
            do throws(OutputFailure) {
                if isUncertain {
                    try definite(output.recreate)
                    isUncertain = false
                }
                try definite(output.begin)
                try output.send(buffer)
                do throws(OutputFailure) {
                    try output.commit()
                } catch {
                    guard case .uncertain = error else { throw error }
                    isUncertain = true
                    try definite(output.commit)
                }
                return
            } catch {
                guard case .abortable = error else { throw error }
                try abort(output)
            }
        }
        Issue.record("not committed in 20 attempts")
    }

    @Test("a killed and restarted broker is survived")
    func restart() throws {
        let cluster = try KafkaCluster()
        let pipeline = try TestPipeline(bootstrap: cluster.bootstrap)
        try pipeline.createTopics(partitions: 1)
        try pipeline.feed(["before"])
        let reader = try pipeline.reader()
        let partition = TopicPartition(topic: pipeline.input, partition: 0)
        let log = try reader.openLog([(partition, 0)], wake: -1)
        #expect(try read(log, count: 1) == ["before"])
        let output = pipeline.output(milliseconds: 5000)
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, ["one"])
        try commit(output, buffer)

        // Killed with a transaction under way.
        fill(&buffer, ["two", "three"])
        try output.begin()
        try output.send(buffer)
        try cluster.kill()
        let said = try wait {
            reader.serve()
            reader.wakeFetcher()
            try log.poll(0, upTo: 10)
            return pipeline.lines.contains("does not answer")
        }
        #expect(said)
        try cluster.restart()
        do throws(OutputFailure) {
            try definite(output.commit)
        } catch {
            guard case .abortable = error else { throw error }
            try abort(output)
            try commit(output, buffer)
        }
        fill(&buffer, ["four"])
        try commit(output, buffer)
        try pipeline.feed(["after"])
        #expect(try read(log, count: 2) == ["before", "after"])
        #expect(
            try pipeline.committed(pipeline.output, count: 4) == ["one", "two", "three", "four"])
        let over = wait(seconds: 90) {
            reader.wakeFetcher(milliseconds: 1000)
            return pipeline.lines.contains("answers again")
        }
        #expect(over)
        #expect(pipeline.lines.count(of: "does not answer") == 1, "\(pipeline.lines.all)")
        #expect(pipeline.lines.count(of: "answers again") == 1, "\(pipeline.lines.all)")
        try reader.close(log)
        reader.close()
        output.close()
        try cluster.stop()
    }

    @Test("refused rights and logins are told in one sentence each")
    func refused() throws {
        let cluster = try KafkaCluster(secure: true)
        let tls = cluster.folder.appending(path: "cluster/tls").path
        func settings(_ user: String, _ password: String) -> KafkaSettings {
            KafkaSettings(common: [
                TextPair("bootstrap.servers", cluster.bootstrap),
                TextPair("security.protocol", "SASL_SSL"), TextPair("sasl.mechanism", "PLAIN"),
                TextPair("sasl.username", user), TextPair("sasl.password", password),
                TextPair("ssl.ca.location", "\(tls)/ca.pem"),
            ])
        }
        let lines = LogLines()
        let log = KafkaLog { lines.add($0) }
        let admin = try KafkaAdmin(settings: settings("admin", "admin-secret"), log: log)
        try admin.create(TopicSpecification(name: "private", partitionCount: 1))

        // A wrong password.
        let stranger = try KafkaAdmin(settings: settings("alice", "wrong-secret"), log: log)
        let login = kafkaError { () throws(KafkaError) in
            try stranger.connect(milliseconds: 30_000)
        }
        #expect(login?.kind == .unauthenticated, "\(String(describing: login))")
        #expect(login?.description.contains("wrong-secret") == false)

        // A right login without rights.
        let alice = settings("alice", "alice-secret")
        let limited = try KafkaAdmin(settings: alice, log: log)
        let topic = TopicSpecification(name: "forbidden", partitionCount: 1)
        let creation = kafkaError { () throws(KafkaError) in try limited.create(topic) }
        #expect(creation?.kind == .unauthorised, "\(String(describing: creation))")
        let asked = kafkaError { () throws(KafkaError) in
            _ = try limited.partitionCount(of: "private")
        }
        #expect(asked?.kind == .unauthorised, "\(String(describing: asked))")

        let output = KafkaTransactionalOutput(
            settings: alice, transactionalID: "task", topics: [.predictions: "private"],
            token: GroupToken(groupID: "group"), log: log)
        let failed = failure(of: output.initialize)
        #expect(failed?.isFatal == true, "\(String(describing: failed))")

        let reader = try KafkaReader(
            settings: alice, groupID: "group", partitionCount: 1, log: log)
        let partition = TopicPartition(topic: "private", partition: 0)
        let inputLog = try reader.openLog([(partition, 0)], wake: -1)
        var refusal: LogError?
        _ = wait {
            reader.serve()
            reader.wakeFetcher()
            do throws(LogError) {
                try inputLog.poll(0, upTo: 10)
            } catch {
                refusal = error
            }
            return refusal != nil
        }
        guard case .unauthorised(partition, let sentence)? = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(sentence.contains("private") && sentence.contains("grant"))
        #expect(!lines.all.contains { $0.message.contains("secret") })
        try reader.close(inputLog)
        reader.close()
        try cluster.stop()
    }
}

/// The error that a call ends with; nil when it succeeds.
func kafkaError(_ call: () throws(KafkaError) -> Void) -> KafkaError? {
    do throws(KafkaError) {
        try call()
        return nil
    } catch {
        return error
    }
}
