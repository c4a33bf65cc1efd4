// Method: outputs without transactions on a real broker, read back; two owners of one task, the first
// of them writing on after the second has taken over.
import Core
import Foundation
import KafkaIO
import State
import TestSupport
import Testing

@Suite(
    "At-least-once output",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct AtLeastOnceOutputTests {
    private func makeOutput(
        _ pipeline: TestPipeline, _ token: GroupToken? = nil
    ) -> KafkaAtLeastOnceOutput {
        KafkaAtLeastOnceOutput(
            settings: pipeline.settings, groupID: pipeline.name,
            transactionalID: "\(pipeline.name)-0",
            topics: [.predictions: pipeline.output, .journal: pipeline.journal],
            journal: TopicPartition(topic: pipeline.journal, partition: 0),
            token: token ?? GroupToken(groupID: pipeline.name), admin: pipeline.admin,
            callMilliseconds: 30_000, log: pipeline.log)
    }

    private func entry(_ sequence: UInt64, _ generation: Int32) -> [UInt8] {
        JournalEntry(
            fingerprint: 1, sequence: sequence, generation: generation, inputs: [],
            nextOffsets: [], rounds: [], recordCount: 0, predictionCount: 0, predictionHash: 0,
            learnedHash: nil, isClaimed: true
        ).encoded()
    }

    /// A commit of one prediction with its entry in front of it or behind.
    private func fill(
        _ buffer: inout OutputBuffer, _ value: String, _ entry: [UInt8], entryFirst: Bool
    ) {
        buffer.clear()
        add(&buffer, .predictions, value)
        buffer.append(entry.span, to: .journal, partition: 0)
        if entryFirst { buffer.moveLastToFront() }
    }

    private func commit(
        _ output: KafkaAtLeastOnceOutput, _ buffer: borrowing OutputBuffer,
        _ pipeline: TestPipeline, next: Int64
    ) throws {
        try output.begin()
        try output.send(buffer)
        try output.sendOffsets(
            [
                InputPosition(
                    partition: TopicPartition(topic: pipeline.input, partition: 0),
                    nextOffset: next)
            ], sequence: 0)
        try output.commit()
    }

    /// The entries that count, as sequence and owner.
    private func counted(_ pipeline: TestPipeline) throws -> [String] {
        let tail = try KafkaTail(
            settings: pipeline.settings, topic: pipeline.journal, from: KafkaOffset.beginning,
            log: pipeline.log)
        defer { tail.close() }
        var bytes: [[UInt8]] = []
        #expect(try tail.readToEnd { bytes.append($0.value ?? []) })
        var filter = JournalFilter()
        return try bytes.compactMap { try filter.entry(in: $0) }.map {
            "\($0.sequence)/\($0.generation)"
        }
    }

    /// Whether this becomes the input's committed offset.
    private func arrives(_ offset: Int64, _ pipeline: TestPipeline) throws -> Bool {
        let inputs = [TopicPartition(topic: pipeline.input, partition: 0)]
        return try wait {
            try pipeline.admin.committedOffsets(of: pipeline.name, inputs) == [offset]
        }
    }

    @Test("outputs and entry are there when a commit returns, offsets soon after")
    func commit() throws {
        let pipeline = try TestPipeline.shared()
        let member = try pipeline.member("a")
        try member.subscribe()
        let token = try #require(assignment(member)).token
        let output = makeOutput(pipeline, token)
        try definite(output.initialize)
        #expect(output.generation == 1)
        var buffer = OutputBuffer()
        for (index, entryFirst) in [true, false, true].enumerated() {
            fill(&buffer, "p\(index)", entry(UInt64(index), 1), entryFirst: entryFirst)
            try commit(output, buffer, pipeline, next: Int64(index + 1))
            #expect(try pipeline.committed(pipeline.output).count == index + 1)
        }
        #expect(try counted(pipeline) == ["0/1", "1/1", "2/1"])
        #expect(try arrives(3, pipeline))
        output.close()
        member.leave { _ in }
    }

    @Test("an owner that was replaced is refused its offsets, and its entries count for nothing")
    func zombie() throws {
        let pipeline = try TestPipeline.shared()
        let first = makeOutput(pipeline)
        try definite(first.initialize)
        #expect(!first.confirmsEntries(), "there is none yet")
        var buffer = OutputBuffer()
        fill(&buffer, "first", entry(0, 1), entryFirst: true)
        try commit(first, buffer, pipeline, next: 1)
        #expect(first.confirmsEntries())

        let second = makeOutput(pipeline)
        try definite(second.initialize)
        #expect(second.generation == 2)
        fill(&buffer, "zombie", entry(1, 1), entryFirst: true)
        try? commit(first, buffer, pipeline, next: 2)
        var after = OutputBuffer()
        fill(&after, "second", entry(1, 2), entryFirst: true)
        try commit(second, after, pipeline, next: 2)
        #expect(try counted(pipeline) == ["0/1", "1/2"])
        #expect(!first.confirmsEntries(), "so that it trims nothing")
        #expect(second.confirmsEntries())
        // Its offsets are refused, and so it learns that it is none any more.
        var failed: OutputFailure?
        _ = wait(seconds: 120) {
            do throws(OutputFailure) {
                try first.begin()
            } catch {
                failed = error
            }
            return failed != nil
        }
        #expect(failed?.isFenced == true, "\(String(describing: failed))")
        first.close()
        second.close()
    }

    @Test("an assignment that has passed cannot claim")
    func lateClaim() throws {
        let pipeline = try TestPipeline.shared()
        let (old, new, successor) = try passedAssignment(of: pipeline)
        let output = makeOutput(pipeline, new)
        try definite(output.initialize)
        let late = makeOutput(pipeline, old)
        let failed = failure(of: late.initialize)
        #expect(failed?.isFenced == true, "\(String(describing: failed))")
        #expect(try pipeline.committed(pipeline.journal).count == 1, "one claim")
        late.close()
        output.close()
        successor.leave { _ in }
    }

    @Test("a killed and restarted broker is survived; what waits is written once")
    func outage() throws {
        let cluster = try KafkaCluster()
        let pipeline = try TestPipeline(bootstrap: cluster.bootstrap)
        try pipeline.createTopics(partitions: 1)
        let output = makeOutput(pipeline)
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, "before", entry(0, 1), entryFirst: true)
        try commit(output, buffer, pipeline, next: 1)
        try cluster.kill()
        fill(&buffer, "during", entry(1, 1), entryFirst: true)
        var failures = 0
        for _ in 0..<20 {
            do {
                try commit(output, buffer, pipeline, next: 2)
                break
            } catch OutputFailure.abortable {
                failures += 1
                if failures == 1 { try cluster.restart() }
                try output.abort()
            }
        }
        #expect(failures > 0)
        fill(&buffer, "after", entry(2, 1), entryFirst: false)
        try commit(output, buffer, pipeline, next: 3)
        #expect(try pipeline.committed(pipeline.output) == ["before", "during", "after"])
        #expect(try counted(pipeline) == ["0/1", "1/1", "2/1"])
        #expect(try arrives(3, pipeline))
        output.close()
    }

    @Test("a commit that was begun again after a time-out writes nothing twice")
    func resumed() throws {
        let pipeline = try TestPipeline.shared()
        let output = makeOutput(pipeline)
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, "once", entry(0, 1), entryFirst: true)
        try output.begin()
        try output.send(buffer)
        try output.abort()
        try commit(output, buffer, pipeline, next: 1)
        #expect(try pipeline.committed(pipeline.output) == ["once"])
        #expect(try counted(pipeline) == ["0/1"])
        output.close()
    }
}
