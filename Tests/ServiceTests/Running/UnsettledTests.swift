// Method: transactions that nobody ends, as a killed broker can leave them, made by a producer of
// another name; a pipeline must go on by its journal where that is safe, and say what it waits for.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Transactions that hang",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct UnsettledTests {
    /// A producer with an open transaction.
    private func open(_ fixture: PipelineFixture, _ stream: Core.OutputStream, _ topic: String)
        throws -> KafkaTransactionalOutput
    {
        let output = KafkaTransactionalOutput(
            settings: fixture.patientSettings, transactionalID: "\(fixture.name).somebody",
            topics: [stream: topic], token: GroupToken(groupID: fixture.pipeline.groupID),
            callMilliseconds: PipelineFixture.patience, log: fixture.log)
        try output.initialize()
        try output.begin()
        return output
    }

    @Test(
        "offsets that never settle: the journal says where to go on, the next commit settles them")
    func offsets() throws {
        let fixture = try PipelineFixture("unsettled", partitions: 1)
        try fixture.produce(0..<200)
        let first = fixture.start()
        try fixture.waitForPredictions(200)
        #expect(first.stop() == .stopped)
        let input = TopicPartition(topic: fixture.name, partition: 0)
        let somebody = try open(fixture, .predictions, fixture.pipeline.output.predictionsTopic)
        defer { somebody.close() }
        try somebody.sendOffsets(
            [InputPosition(partition: input, nextOffset: 7)], sequence: 0)
        try fixture.produce(200..<300)
        let second = fixture.start()
        try fixture.waitForPredictions(300, seconds: 180)
        #expect(second.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("the journal says where to go on") })
        #expect(try fixture.coverageProblem() == nil)
        let expected = try fixture.oracle(try fixture.read(fixture.name))[0]
        #expect(try fixture.committed(.predictions)[0].map(\.text) == expected)
    }

    @Test("a journal whose end is held is waited for, and that is said")
    func journal() throws {
        let fixture = try PipelineFixture("held", partitions: 1)
        try fixture.produce(0..<200)
        let first = fixture.start()
        try fixture.waitForPredictions(200)
        #expect(first.stop() == .stopped)
        let somebody = try open(fixture, .journal, fixture.pipeline.output.journalTopic)
        defer { somebody.close() }
        var buffer = OutputBuffer()
        let nothing: [UInt8] = [0]
        buffer.open(key: nothing.span, hasKey: false)
        buffer.close(.journal, partition: 0)
        try somebody.send(buffer)
        try fixture.produce(200..<300)
        let second = fixture.start()
        try fixture.wait("the word", seconds: 180) {
            fixture.said.contains { $0.contains("waits for the end of its journal") }
        }
        try somebody.abort()
        try fixture.waitForPredictions(300, seconds: 180)
        #expect(second.stop() == .stopped)
        #expect(try fixture.coverageProblem() == nil)
    }
}
