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
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// Runs a pipeline over 100 records, deletes a topic, gives it 100 more, and returns what it
    /// ends with.
    private func end(_ fixture: PipelineFixture, deleting topic: String) throws -> String {
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try fixture.produce(0..<100)
        let running = fixture.start()
        try fixture.waitForPredictions(100)
        try admin.delete(topic)
        try fixture.wait("the topic is gone") { try admin.partitionCount(of: topic) == nil }
        if topic != fixture.name { try fixture.produce(100..<200) }
        guard case .failed(let reason)? = running.wait(seconds: 180) else {
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
        guard case .failed(let refusal)? = again.wait(seconds: 180) else {
            Issue.record("an empty journal was accepted: \(fixture.said)")
            return
        }
        #expect(refusal.contains("--trust offsets"), "\(refusal)")
    }

    @Test(
        "a journal that is gone with the group's offsets is told by what is left",
        arguments: ["exactly_once", "at_least_once"])
    func everythingButOutputs(guarantee: String) throws {
        let fixture = try PipelineFixture(
            "gone", partitions: 2, more: "delivery: { guarantee: \(guarantee) }")
        try fixture.produce(0..<100)
        let running = fixture.start()
        try fixture.waitForPredictions(100)
        #expect(running.stop() == .stopped)
        let output = fixture.pipeline.output
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.delete(output.journalTopic)
        try fixture.wait("the journal is gone") {
            try admin.partitionCount(of: output.journalTopic) == nil
        }
        try KafkaCluster.tool([
            "groups", "--bootstrap-server", fixture.cluster.bootstrap, "--group",
            fixture.pipeline.groupID, "--topic", fixture.name, "--delete-offsets",
        ])
        func refusal() -> String {
            let ended = fixture.start().wait(seconds: 180)
            guard case .failed(let reason)? = ended else {
                return "it began an empty model: \(String(describing: ended))"
            }
            return reason
        }
        let first = refusal()
        #expect(first.contains("\(output.predictionsTopic)[0] has predictions up to"), "\(first)")
        #expect(first.contains("--trust journal"), "\(first)")
        let file = try folder.file("gone-\(guarantee).yaml", fixture.text)
        let check = ProgramRun("check", file, "--connect")
        #expect(check.code == .failure)
        #expect(check.output.contains("is empty, but"), "\(check.output)")
        let chunks = try KafkaFeeder(
            settings: fixture.settings, topic: output.stateTopic, log: fixture.log)
        try chunks.send(key: [], value: [1], partition: 0)
        try chunks.flush()
        let second = refusal()
        #expect(second.contains("\(output.stateTopic)[0] has had snapshots"), "\(second)")
        let anew = fixture.start { $0.trust = .journal }
        try fixture.waitForPredictions(200)
        #expect(anew.stop() == .stopped)
        let again = fixture.start()
        try fixture.produce(100..<110)
        try fixture.waitForPredictions(210)
        #expect(again.stop() == .stopped)
    }

    @Test("an input made anew with as many records is refused when nothing was left to replay")
    func otherInput() throws {
        let fixture = try PipelineFixture("gone", partitions: 1, state: "restore_within: 1 min")
        try fixture.produce(0..<1500)
        let first = fixture.start { $0.instrument = StateProbe(microsecondsPerRecord: 4000) }
        try fixture.waitForPredictions(1500)
        #expect(first.stop() == .stopped)
        #expect(first.process.status.snapshots == 1)
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        func makeAnew(_ value: (Int) -> String) throws {
            try admin.delete(fixture.name)
            try fixture.wait("the input is gone") {
                try admin.partitionCount(of: fixture.name) == nil
            }
            try fixture.cluster.createTopic(fixture.name)
            try fixture.produce(0..<1600, value: value)
        }
        try makeAnew { PipelineFixture.value($0 + 7) }
        guard case .failed(let refusal)? = fixture.start().wait(seconds: 180) else {
            Issue.record("another topic was taken for the one that is gone: \(fixture.said)")
            return
        }
        #expect(refusal.contains("the topic was made anew"), "\(refusal)")
        // One that holds what was learned, and more: it goes on, and says what it knows.
        try makeAnew(PipelineFixture.value)
        let again = fixture.start()
        try fixture.waitForPredictions(1600)
        #expect(again.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("they go with a topic that is deleted") })
        try fixture.expectPlainPass()
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
        guard case .failed(let refusal)? = fixture.start().wait(seconds: 180) else {
            Issue.record("another topic was taken for the one that is gone: \(fixture.said)")
            return
        }
        #expect(refusal.contains("\(fixture.name)[0] ends at 10"), "\(refusal)")
    }
}
