// Method: whole pipelines on a real broker; what they commit is compared, byte for byte, with one
// uninterrupted pass of the same records through the stages in memory.
import Core
import Engine
import Formats
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Pipeline process",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct PipelineProcessTests {
    @Test("one partition: predictions equal those of a plain pass, keys and order kept")
    func onePartition() throws {
        let fixture = try PipelineFixture("single", partitions: 1)
        try fixture.produce(0..<3000)
        let running = fixture.start()
        try fixture.waitForPredictions(3000)
        #expect(running.stop() == .stopped)
        let predictions = try fixture.committed(.predictions)[0]
        let inputs = try fixture.read(fixture.name)
        try fixture.expectPlainPass()
        #expect(predictions.map(\.key) == inputs[0].map(\.key))
        let metrics = try fixture.committed(.metrics).joined().filter {
            $0.text.hasPrefix(#"{"type":"metrics""#)
        }
        #expect(metrics.count == 30)
    }

    @Test("a restart replays the journal and goes on where it stood")
    func restart() throws {
        let fixture = try PipelineFixture("restart", partitions: 2)
        try fixture.produce(0..<1000)
        let first = fixture.start()
        try fixture.waitForPredictions(1000)
        #expect(first.stop() == .stopped)
        try fixture.produce(1000..<2000)
        let second = fixture.start()
        try fixture.waitForPredictions(2000)
        #expect(second.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("task restored") })
        let count = try fixture.committed(.predictions).joined().count
        #expect(count == 2000)
        let third = fixture.start()
        try fixture.wait("the whole journal replays to the same hash") {
            third.process.status.liveTasks == [0]
        }
        #expect(third.stop() == .stopped)
    }

    @Test("one model per partition: two processes share the tasks and lose nothing at a stop")
    func sharing() throws {
        let fixture = try PipelineFixture("sharing", partitions: 4, scope: "partition")
        try fixture.produce(0..<2000)
        let first = fixture.start(instanceID: "a")
        try fixture.waitForPredictions(500)
        let second = fixture.start(instanceID: "b")
        try fixture.produce(2000..<4000)
        try fixture.waitForPredictions(3000)
        #expect(first.stop() == .stopped)
        try fixture.produce(4000..<5000)
        try fixture.waitForPredictions(5000)
        #expect(second.stop() == .stopped)
        try fixture.expectPlainPass()
    }

    @Test("bad records become dead letters with their reason and position, in order")
    func deadLetters() throws {
        let fixture = try PipelineFixture(
            "letters", partitions: 1, more: "on_bad_record: dead_letter")
        try fixture.produce(0..<100) { index in
            index % 10 == 3 ? "not json \(index)" : PipelineFixture.value(index)
        }
        let running = fixture.start()
        try fixture.waitForPredictions(90)
        #expect(running.stop() == .stopped)
        let letters = try fixture.committed(.deadLetters).joined().map { $0 }
        #expect(letters.map(\.text) == (0..<10).map { "not json \($0 * 10 + 3)" })
        #expect(
            letters.map { String(decoding: $0.key ?? [], as: UTF8.self) }
                == (0..<10).map { "k\($0 * 10 + 3)" })
        let reasons = letters.map { letter in
            letter.headers.first { $0.name == "tidewheel.reason" }.map {
                String(decoding: $0.value, as: UTF8.self)
            }
        }
        #expect(reasons == Array(repeating: "malformed", count: 10))
    }

    @Test("a killed broker that comes back is survived, and said once")
    func brokerKilled() throws {
        let cluster = try KafkaCluster()
        defer { try? cluster.stop() }
        let fixture = try PipelineFixture("killed", partitions: 1, cluster: cluster)
        try fixture.produce(0..<500)
        let running = fixture.start()
        try fixture.waitForPredictions(500)
        try cluster.kill()
        try cluster.restart()
        try fixture.produce(500..<1500)
        try fixture.waitForPredictions(1500)
        #expect(running.stop() == .stopped)
        try fixture.expectPlainPass()
        #expect(fixture.said.count { $0.contains("does not answer") } <= 1, "\(fixture.said)")
    }
}
