// Method: transactions on a real broker, read back by a read-committed consumer; two producers with
// the same transactional id, and tokens of group generations that have passed.
import Core
import Foundation
import KafkaIO
import State
import TestSupport
import Testing

@Suite(
    "Transactional output",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct TransactionTests {
    private func position(_ pipeline: TestPipeline, _ offset: Int64) -> [InputPosition] {
        [
            InputPosition(
                partition: TopicPartition(topic: pipeline.input, partition: 0), nextOffset: offset)
        ]
    }

    @Test("outputs, journal and offsets become visible together")
    func atomic() throws {
        let pipeline = try TestPipeline.shared()
        let member = try pipeline.member("a")
        try member.subscribe()
        let assigned = try #require(assignment(member))
        #expect(assigned.partitions == [0])
        #expect(assigned.token.generation > 0)

        let output = pipeline.output(assigned.token)
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, ["one", "two"])
        try output.begin()
        try output.send(buffer)
        try output.sendOffsets(position(pipeline, 2), sequence: 1)
        #expect(try pipeline.committed(pipeline.output) == [])
        let input = [TopicPartition(topic: pipeline.input, partition: 0)]
        try definite(output.commit)

        #expect(try pipeline.committed(pipeline.output, count: 2) == ["one", "two"])
        #expect(try pipeline.committed(pipeline.journal, count: 1) == ["entry"])
        let commits = try pipeline.admin.commits(of: pipeline.name, input)
        #expect(commits == [CommittedOffset(offset: 2, metadata: "seq=1")])
        #expect(commits.map(\.sequence) == [1])
        member.leave { _ in }
    }

    @Test("an aborted transaction leaves nothing; its bytes sent again appear once")
    func abortAndResend() throws {
        let pipeline = try TestPipeline.shared()
        let output = pipeline.output()
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, (0..<3000).map { "value \($0)" })
        try output.begin()
        try output.send(buffer)
        try abort(output)
        #expect(try pipeline.committed(pipeline.output) == [])
        try output.begin()
        try output.send(buffer)
        try definite(output.commit)
        #expect(
            try pipeline.committed(pipeline.output, count: 3000) == (0..<3000).map { "value \($0)" }
        )
        #expect(try pipeline.committed(pipeline.journal, count: 1) == ["entry"])
    }

    @Test("a second producer of the task fences the first")
    func fencing() throws {
        let pipeline = try TestPipeline.shared()
        let first = pipeline.output()
        try definite(first.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, ["from the first"])
        try first.begin()
        try first.send(buffer)

        let second = pipeline.output()
        try definite(second.initialize)
        let failed = failure(of: first.commit)
        #expect(failed?.isFenced == true, "\(String(describing: failed))")
        #expect(try pipeline.committed(pipeline.output) == [])

        // Made anew, the first takes over again.
        try definite(first.recreate)
        try first.begin()
        try first.send(buffer)
        try definite(first.commit)
        #expect(try pipeline.committed(pipeline.output, count: 1) == ["from the first"])
    }

    /// The ends of the output's 12 partitions, whether committed or not.
    private func ends(_ pipeline: TestPipeline) throws -> [Int64] {
        try (0..<12).map { partition in
            try pipeline.admin.watermarks(
                of: TopicPartition(topic: pipeline.output, partition: partition)
            ).high
        }
    }

    @Test("a fenced producer ends in order while refusals of its records still come in")
    func refusalsWhileEnding() throws {
        let pipeline = try TestPipeline.shared(partitions: 12)
        var buffer = OutputBuffer()
        for partition in 0..<12 as Range<Int32> {
            add(&buffer, .predictions, "from the first", partition: partition)
        }
        // Without the purge before the destruction librdkafka frees twice, and the C library ends the
        // process, in one to twenty of these.
        for _ in 0..<20 {
            let first = pipeline.output()
            try definite(first.initialize)
            let ends = try ends(pipeline)
            try first.begin()
            try first.send(buffer)
            // Now its partitions are in the transaction, and records go out without a question.
            let isWritten = try wait { zip(try self.ends(pipeline), ends).allSatisfy { $0 > $1 } }
            #expect(isWritten)
            let second = pipeline.output()
            try definite(second.initialize)
            let failed = failure { () throws(OutputFailure) in
                for _ in 0..<5000 { try first.send(buffer) }
                try first.commit()
            }
            #expect(failed?.isFenced == true, "\(String(describing: failed))")
            second.close()
        }
    }

    @Test("a zombie cannot commit under the token of a generation that has passed")
    func zombie() throws {
        let pipeline = try TestPipeline.shared()
        let (old, new, successor) = try passedAssignment(of: pipeline)
        #expect(new.generation > old.generation)

        let zombie = pipeline.output(old, task: 1)
        try definite(zombie.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, ["zombie"])
        try zombie.begin()
        try zombie.send(buffer)
        let offsets = position(pipeline, 9)
        let failed = failure { () throws(OutputFailure) in
            try zombie.sendOffsets(offsets, sequence: 1)
        }
        #expect(failed?.isFenced == true, "\(String(describing: failed))")
        zombie.close()

        let output = pipeline.output(new)
        try definite(output.initialize)
        fill(&buffer, ["rightful"])
        try output.begin()
        try output.send(buffer)
        try definite { () throws(OutputFailure) in try output.sendOffsets(offsets, sequence: 1) }
        try definite(output.commit)
        #expect(try pipeline.committed(pipeline.output, count: 1) == ["rightful"])
        successor.leave { _ in }
    }

    @Test("headers, timestamps, tombstones and missing keys arrive as written, in order")
    func contents() throws {
        let pipeline = try TestPipeline.shared()
        let output = pipeline.output()
        try definite(output.initialize)
        var buffer = OutputBuffer()
        let header = OutputHeader(name: "reason", value: [1, 0, 255])
        add(&buffer, .predictions, "plain")
        add(&buffer, .predictions, "with header", headers: [header])
        let none: [UInt8] = []
        buffer.open(key: none.span, hasKey: false)
        buffer.content.append("no key")
        buffer.close(.predictions, partition: 0, timestamp: 1_700_000_000_000)
        buffer.open(key: [7].span, hasKey: true)
        buffer.close(.predictions, partition: 0, isTombstone: true)
        buffer.open(key: none.span, hasKey: true)
        buffer.close(.predictions, partition: 0)
        try output.begin()
        try output.send(buffer)
        try definite(output.commit)

        let tail = try KafkaTail(
            settings: pipeline.settings, topic: pipeline.output, from: KafkaOffset.beginning,
            log: pipeline.log)
        var records: [KafkaRecord] = []
        let arrived = try wait {
            if let record = try tail.next(milliseconds: 100) { records.append(record) }
            return records.count == 5
        }
        try #require(arrived)
        #expect(records.map(\.offset) == [0, 1, 2, 3, 4])
        #expect(records[0].headers.isEmpty && records[0].key == Array("plain".utf8))
        #expect(records[1].headers == [header])
        #expect(records[1].value == Array("with header".utf8))
        #expect(records[2].key == nil && records[2].timestamp == 1_700_000_000_000)
        #expect(records[3].key == [7] && records[3].value == nil)
        #expect(records[4].key == [] && records[4].value == [])
    }

    @Test("a record for a partition that does not exist is refused with the remedy")
    func missingPartition() throws {
        let pipeline = try TestPipeline.shared()
        let output = pipeline.output()
        try definite(output.initialize)
        var buffer = OutputBuffer()
        add(&buffer, .predictions, "astray", partition: 7)
        try output.begin()
        var failed: OutputFailure?
        do throws(OutputFailure) {
            try output.send(buffer)
        } catch {
            failed = error
        }
        guard case .fatal(let sentence)? = failed else {
            Issue.record("\(String(describing: failed))")
            return
        }
        #expect(sentence.contains("has 1 partitions") && sentence.contains("partition 7"))
    }

    @Test("a record beyond the size limit is fatal, with the remedy")
    func tooLarge() throws {
        let pipeline = try TestPipeline.shared()
        let output = pipeline.output()
        try definite(output.initialize)
        var buffer = OutputBuffer()
        let huge = [UInt8](repeating: 65, count: 2_000_000)
        buffer.open(key: [1].span, hasKey: true)
        buffer.content.append(huge.span)
        buffer.close(.predictions, partition: 0)
        try output.begin()
        var failed: OutputFailure?
        do throws(OutputFailure) {
            try output.send(buffer)
        } catch {
            failed = error
        }
        #expect(failed?.isFatal == true, "\(String(describing: failed))")
    }
}
