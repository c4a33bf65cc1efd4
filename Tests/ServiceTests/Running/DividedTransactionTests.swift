// Method: after a stop, a producer of another name commits offsets of the pipeline's group as Kafka
// leaves them where it commits a transaction in one topic and aborts it in another; then the
// pipeline starts again.
import Core
import Engine
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Transactions that ended differently in different topics",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct DividedTransactionTests {
    /// A stopped pipeline that has learned 200 of 300 records.
    private func stopped() throws -> PipelineFixture {
        let fixture = try PipelineFixture("divided", partitions: 1)
        try fixture.produce(0..<200)
        let first = fixture.start()
        try fixture.waitForPredictions(200)
        #expect(first.stop() == .stopped)
        try fixture.produce(200..<300)
        return fixture
    }

    private func producer(
        _ fixture: PipelineFixture, _ name: String = "somebody"
    ) throws -> KafkaTransactionalOutput {
        let output = KafkaTransactionalOutput(
            settings: fixture.patientSettings, transactionalID: "\(fixture.name).\(name)",
            topics: [
                .predictions: fixture.pipeline.output.predictionsTopic,
                .deadLetters: fixture.pipeline.output.deadLettersTopic,
                .metrics: fixture.pipeline.output.metricsTopic,
            ],
            token: GroupToken(groupID: fixture.pipeline.groupID),
            callMilliseconds: PipelineFixture.patience, log: fixture.log)
        try output.initialize()
        return output
    }

    private func sequence(_ fixture: PipelineFixture, _ distance: UInt64 = 1) throws -> UInt64 {
        try #require(try fixture.journal().last).sequence + distance
    }

    private func prediction(of offset: Int, times: Int = 1) -> OutputBuffer {
        var buffer = OutputBuffer()
        let bytes = Array(#"{"id":0,"prediction":"1","partition":0,"offset":\#(offset)}"#.utf8)
        for _ in 0..<times { buffer.append(bytes.span, to: .predictions, partition: 0) }
        return buffer
    }

    /// Sends predictions and waits until they stand in the topic: what is not sent yet leaves nothing
    /// behind when it is aborted.
    private func write(
        _ buffer: borrowing OutputBuffer, by output: KafkaTransactionalOutput,
        _ fixture: PipelineFixture
    ) throws {
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        let place = TopicPartition(topic: fixture.pipeline.output.predictionsTopic, partition: 0)
        let end = try admin.watermarks(of: place).high + Int64(buffer.entries.count)
        try output.send(buffer)
        try fixture.wait("the records are written") {
            try admin.watermarks(of: place).high >= end
        }
    }

    /// Commits offset 230 of the input.
    private func commitOffsets(
        _ fixture: PipelineFixture, by output: KafkaTransactionalOutput, sequence: UInt64
    ) throws {
        let input = TopicPartition(topic: fixture.name, partition: 0)
        try output.sendOffsets(
            [InputPosition(partition: input, nextOffset: 230)], sequence: sequence)
        try output.commit()
    }

    private func refusal(_ fixture: PipelineFixture) -> String {
        let ended = fixture.start().wait(seconds: 180)
        guard case .failed(let reason)? = ended else {
            return "it went on: \(String(describing: ended))"
        }
        return reason
    }

    @Test("offsets alone: the pipeline goes on by its journal, exactly once")
    func offsetsAlone() throws {
        let fixture = try stopped()
        let next = try sequence(fixture)
        let somebody = try producer(fixture)
        defer { somebody.close() }
        // More than are looked at first.
        let aborted = prediction(of: 229, times: 300)
        try somebody.begin()
        try write(aborted, by: somebody, fixture)
        try somebody.abort()
        try somebody.begin()
        try commitOffsets(fixture, by: somebody, sequence: next)
        let second = fixture.start()
        try fixture.waitForPredictions(300, seconds: 180)
        #expect(second.stop() == .stopped)
        let note = "transaction \(next), the one after the journal's last entry"
        #expect(fixture.said.contains { $0.contains(note) && $0.contains("goes on") })
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
        let admin = try KafkaAdmin(
            settings: fixture.settings, groupID: fixture.pipeline.groupID, log: fixture.log)
        defer { admin.close() }
        let input = TopicPartition(topic: fixture.name, partition: 0)
        let last = try #require(try fixture.journal().last)
        #expect(
            try admin.commits(of: fixture.pipeline.groupID, [input]) == [
                CommittedOffset(offset: 300, metadata: "seq=\(last.sequence)")
            ])
    }

    /// An output of the record before offset 230.
    private func output(_ kind: String, of fixture: PipelineFixture) -> OutputBuffer {
        let report = #""pipeline":"\#(fixture.name)","task":0"#
        var buffer = OutputBuffer()
        switch kind {
        case "predictions": return prediction(of: 229)
        case "dead_letters":
            let place = [("topic", fixture.name), ("partition", "0"), ("offset", "229")]
            let nothing: [UInt8] = []
            buffer.open(key: nothing.span, hasKey: false)
            buffer.close(
                .deadLetters, partition: 0,
                headers: place.map {
                    OutputHeader(name: "tidewheel.\($0.0)", value: Array($0.1.utf8))
                })
        case "metrics":
            let bytes = Array(#"{"type":"metrics",\#(report),"offsets":{"0":230}}"#.utf8)
            buffer.append(bytes.span, to: .metrics, partition: 0)
        default:
            let bytes = Array(#"{"type":"drift",\#(report),"partition":0,"offset":229}"#.utf8)
            buffer.append(bytes.span, to: .metrics, partition: 0)
        }
        return buffer
    }

    @Test(
        "an output beyond the journal is refused by name",
        arguments: ["predictions", "dead_letters", "metrics", "drift"])
    func outputBeyond(kind: String) throws {
        let fixture = try stopped()
        let somebody = try producer(fixture)
        defer { somebody.close() }
        let beyond = output(kind, of: fixture)
        try somebody.begin()
        try somebody.send(beyond)
        try commitOffsets(fixture, by: somebody, sequence: try sequence(fixture))
        let reason = refusal(fixture)
        let place = "\(fixture.name).\(kind == "drift" ? "metrics" : kind)[0]"
        #expect(
            reason.contains("\(place), which has outputs up to offset 230 of \(fixture.name)[0]"),
            "\(reason)")
    }

    @Test("where an open transaction hides the end of the predictions, nothing is guessed")
    func hiddenEnd() throws {
        let fixture = try stopped()
        let hiding = try producer(fixture, "hiding")
        defer { hiding.close() }
        let open = prediction(of: 229)
        try hiding.begin()
        try write(open, by: hiding, fixture)
        let somebody = try producer(fixture)
        defer { somebody.close() }
        try somebody.begin()
        try commitOffsets(fixture, by: somebody, sequence: try sequence(fixture))
        let reason = refusal(fixture)
        #expect(reason.contains("has an open transaction at offset"), "\(reason)")
        try hiding.abort()
        let second = fixture.start()
        try fixture.waitForPredictions(300, seconds: 180)
        #expect(second.stop() == .stopped)
        try fixture.expectPlainPass()
    }

    @Test("offsets of another transaction are refused")
    func otherSequence() throws {
        let fixture = try stopped()
        let somebody = try producer(fixture)
        defer { somebody.close() }
        try somebody.begin()
        try commitOffsets(fixture, by: somebody, sequence: try sequence(fixture, 2))
        let reason = refusal(fixture)
        #expect(reason.contains("[0]@230") && reason.contains("somebody changed"), "\(reason)")
        #expect(reason.contains("--trust offsets"), "\(reason)")
    }
}
