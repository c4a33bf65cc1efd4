// Method: a log on a real broker, compared with what was written to it; ends, seeks, losses.
import Core
import Foundation
import KafkaIO
import State
import TestSupport
import Testing

@Suite(
    "Reader and its logs",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct ReaderTests {
    private func logError(_ call: () throws(LogError) -> Void) -> LogError? {
        do throws(LogError) {
            try call()
            return nil
        } catch {
            return error
        }
    }

    @Test("records come in order, in pieces of any limit, and their ends are seen")
    func readsInOrder() throws {
        let pipeline = try TestPipeline.shared(partitions: 2)
        let written = (0..<5000).map { "record \($0)" }
        try pipeline.feed(written, partition: 0)
        try pipeline.feed(["other"], partition: 1)
        let reader = try pipeline.reader()
        let partitions = (0..<2).map { TopicPartition(topic: pipeline.input, partition: $0) }
        let log = try reader.openLog(partitions.map { ($0, 0) }, wake: -1)
        #expect(log.partitions == partitions)

        var seen: [String] = []
        while seen.count < written.count {
            let piece = try read(log, count: min(7 + seen.count % 900, written.count - seen.count))
            #expect(log.withQueued(0) { $0[0].offset } == Int64(seen.count))
            seen += piece
            log.release(0, piece.count)
        }
        #expect(seen == written)
        #expect(try read(log, 1, count: 1) == ["other"])
        let ended = try wait {
            try log.poll(0, upTo: 10)
            try log.poll(1, upTo: 10)
            return log.endOffset(0) == 5000 && log.endOffset(1) == 1
        }
        #expect(ended)
        try pipeline.feed(["late"])
        #expect(try read(log, count: 1) == ["late"])
        try reader.close(log)
        reader.close()
    }

    @Test("a seek right after opening, while the fetch has not begun, reads on", arguments: 0..<5)
    func seeksAtOnce(attempt: Int) throws {
        let pipeline = try TestPipeline.shared(partitions: 2)
        for partition in 0..<2 {
            try pipeline.feed((0..<100).map { "record \($0)" }, partition: Int32(partition))
        }
        let reader = try pipeline.reader()
        let partitions = (0..<2).map { TopicPartition(topic: pipeline.input, partition: $0) }
        let log = try reader.openLog(partitions.map { ($0, 0) }, wake: -1)
        if attempt > 2 { _ = try read(log, count: 1) }
        for input in 0..<2 { try log.seek(input, to: 40) }
        for input in 0..<2 {
            #expect(try read(log, input, count: 60).first == "record 40")
            let ended = try wait {
                try log.poll(input, upTo: 100)
                return log.endOffset(input) == 100
            }
            #expect(ended)
        }
        try reader.close(log)
        reader.close()
    }

    @Test("the end stands past transaction markers and aborted records")
    func endPastMarkers() throws {
        let pipeline = try TestPipeline.shared()
        let output = pipeline.output()
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, ["committed"])
        try output.begin()
        try output.send(buffer)
        try definite(output.commit)
        fill(&buffer, ["aborted", "too"])
        try output.begin()
        try output.send(buffer)
        try abort(output)

        let partition = TopicPartition(topic: pipeline.output, partition: 0)
        #expect(try pipeline.committed(pipeline.output, count: 1) == ["committed"])
        let reader = try pipeline.reader()
        var high: Int64 = -1
        let settled = try wait {
            high = try pipeline.admin.watermarks(of: partition).high
            return reader.watermarks(of: partition, milliseconds: 5000)?.high == high
        }
        try #require(settled)
        let log = try reader.openLog([(partition, 0)], wake: -1)
        let ended = try wait {
            try log.poll(0, upTo: 100)
            return log.endOffset(0) == high
        }
        #expect(ended, "the end was \(String(describing: log.endOffset(0))), not \(high)")
        #expect(values(log) == ["committed"])

        // An open transaction is not read, nor is its end past it.
        fill(&buffer, ["open"])
        try output.begin()
        try output.send(buffer)
        let written = try wait { try pipeline.admin.watermarks(of: partition).high > high }
        #expect(written)
        #expect(reader.watermarks(of: partition, milliseconds: 5000)?.high == high)
        try log.poll(0, upTo: 100)
        #expect(values(log) == ["committed"])
        try definite(output.commit)
        #expect(try read(log, count: 2) == ["committed", "open"])
        try reader.close(log)
        reader.close()
    }

    @Test("a log wakes the descriptor that it was opened with")
    func wakes() throws {
        let pipeline = try TestPipeline.shared()
        let event = try EventDescriptor()
        let reader = try pipeline.reader()
        let partition = TopicPartition(topic: pipeline.input, partition: 0)
        let log = try reader.openLog([(partition, 0)], wake: event.descriptor)
        _ = try wait {
            try log.poll(0, upTo: 10)
            return log.endOffset(0) == 0
        }
        event.drain()
        try pipeline.feed(["wake up"])
        let woke = event.wait(seconds: 120)
        #expect(woke)
        #expect(try read(log, count: 1) == ["wake up"])
        try reader.close(log)
        reader.close()
    }

    @Test("seek goes back and forth, and one log never disturbs another")
    func seeks() throws {
        let pipeline = try TestPipeline.shared(partitions: 2)
        try pipeline.feed((0..<100).map { "a\($0)" }, partition: 0)
        try pipeline.feed((0..<100).map { "b\($0)" }, partition: 1)
        let reader = try pipeline.reader()
        let first = try reader.openLog(
            [(TopicPartition(topic: pipeline.input, partition: 0), 0)], wake: -1)
        #expect(try read(first, count: 10).last == "a9")
        let second = try reader.openLog(
            [(TopicPartition(topic: pipeline.input, partition: 1), 50)], wake: -1)
        #expect(try read(second, count: 1) == ["b50"])
        for offset in [Int64(90), 3, 40] {
            try second.seek(0, to: offset)
            #expect(try read(second, count: 1) == ["b\(offset)"])
        }
        try reader.close(second)
        first.release(0, 10)
        #expect(try read(first, count: 90) == (10..<100).map { "a\($0)" })
        let again = try reader.openLog(
            [(TopicPartition(topic: pipeline.input, partition: 1), 99)], wake: -1)
        #expect(try read(again, count: 1) == ["b99"])
        try reader.close(again)
        try reader.close(first)
        reader.close()
    }

    @Test("wakeFetcher tells the stable ends")
    func ends() throws {
        let pipeline = try TestPipeline.shared(partitions: 3)
        for partition in 0..<3 {
            try pipeline.feed(
                (0...partition).map { "\($0)" }, partition: Int32(partition))
        }
        let reader = try pipeline.reader()
        let partitions = (0..<3).map { TopicPartition(topic: pipeline.input, partition: $0) }
        let log = try reader.openLog(partitions.map { ($0, 0) }, wake: -1)
        let known = wait {
            reader.wakeFetcher(milliseconds: 1000)
            return reader.stableEnds == [partitions[0]: 1, partitions[1]: 2, partitions[2]: 3]
        }
        #expect(known, "\(reader.stableEnds)")
        try reader.close(log)
        #expect(reader.stableEnds.isEmpty)
        reader.close()
    }

    @Test("records that were deleted are told as lost, with the first that is left")
    func lost() throws {
        let pipeline = try TestPipeline.shared()
        try pipeline.feed((0..<10).map { "\($0)" })
        let partition = TopicPartition(topic: pipeline.input, partition: 0)
        try pipeline.admin.deleteRecords(of: partition, before: 6)
        let reader = try pipeline.reader()
        let log = try reader.openLog([(partition, 2)], wake: -1)
        var error: LogError?
        _ = wait {
            error = logError { () throws(LogError) in try log.poll(0, upTo: 10) }
            return error != nil
        }
        #expect(error == .lostRecords(partition, offset: 2, firstOffset: 6))
        // The owner may go on from there.
        try log.seek(0, to: 6)
        #expect(try read(log, count: 4) == ["6", "7", "8", "9"])
        try reader.close(log)
        reader.close()
    }

    @Test("a deleted topic is told as gone")
    func gone() throws {
        let pipeline = try TestPipeline.shared()
        try pipeline.feed(["only"])
        let partition = TopicPartition(topic: pipeline.input, partition: 0)
        let reader = try pipeline.reader()
        let log = try reader.openLog([(partition, 0)], wake: -1)
        #expect(try read(log, count: 1) == ["only"])
        try pipeline.admin.delete(pipeline.input)
        var error: LogError?
        _ = wait(seconds: 60) {
            reader.serve()
            reader.wakeFetcher()
            error = logError { () throws(LogError) in try log.poll(0, upTo: 10) }
            return error != nil
        }
        #expect(error == .topicGone(partition))
        try reader.close(log)
        reader.close()
    }
}
