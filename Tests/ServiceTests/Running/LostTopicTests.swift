// Method: topics of a running pipeline are deleted on a real broker; the process must end with the
// topic's name, no client may bring the topic back, and what a restart does is looked at.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import TestSupport
import Testing

@Suite(
    "Topics that are deleted",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct LostTopicTests {
    /// Runs a pipeline over 100 records, deletes a topic, gives it 100 more, and returns what it
    /// ends with.
    private func end(_ fixture: PipelineFixture, deleting topic: String) throws -> String {
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try fixture.produce(0..<100)
        let running = fixture.start()
        try fixture.waitForPredictions(100)
        try admin.delete(topic)
        if topic != fixture.name { try fixture.produce(100..<200) }
        guard case .failed(let reason)? = running.wait(seconds: 60) else {
            throw FixtureError("it goes on: \(fixture.said)")
        }
        let count = try admin.partitionCount(of: topic)
        #expect(count == nil, "\(topic) came back with \(String(describing: count)) partitions")
        return reason
    }

    @Test("an output that is gone ends the process by name, and is made anew at the next start")
    func output() throws {
        let fixture = try PipelineFixture("gone", partitions: 1)
        let topic = fixture.pipeline.output.predictionsTopic
        let reason = try end(fixture, deleting: topic)
        #expect(reason.contains(topic) && reason.contains("start again"), "\(reason)")
        let again = fixture.start()
        // The first hundred went with the topic; the others were not committed yet.
        try fixture.waitForPredictions(100)
        #expect(again.stop() == .stopped)
        let offsets = try fixture.committed(.predictions)[0].map(\.text)
        #expect(offsets.first?.contains("\"offset\":100") == true)
    }

    @Test("a journal that is gone is never replaced in silence")
    func journal() throws {
        let fixture = try PipelineFixture("gone", partitions: 1)
        let topic = fixture.pipeline.output.journalTopic
        let reason = try end(fixture, deleting: topic)
        #expect(reason.contains(topic), "\(reason)")
        let again = fixture.start()
        guard case .failed(let refusal)? = again.wait(seconds: 60) else {
            Issue.record("an empty journal was accepted: \(fixture.said)")
            return
        }
        #expect(refusal.contains("--trust offsets"), "\(refusal)")
    }

    @Test("an input that is gone ends the process by name; the next one waits for it")
    func input() throws {
        let fixture = try PipelineFixture("gone", partitions: 1)
        let reason = try end(fixture, deleting: fixture.name)
        #expect(reason.contains("\(fixture.name)[0]: the topic does not exist any more"))
        let again = fixture.start()
        try fixture.wait("waiting for the input") {
            fixture.said.contains { $0.contains("does not exist; waiting") }
        }
        #expect(again.stop() == .stopped)
        // Made anew, it is not what the model has learned.
        try fixture.cluster.createTopic(fixture.name)
        try fixture.produce(0..<10)
        guard case .failed(let refusal)? = fixture.start().wait(seconds: 60) else {
            Issue.record("another topic was taken for the one that is gone: \(fixture.said)")
            return
        }
        #expect(refusal.contains("\(fixture.name)[0] ends at 10"), "\(refusal)")
    }
}
