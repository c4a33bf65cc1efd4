// Method: a pipeline on a real broker takes snapshots; its state is verified and replayed, then topics
// are emptied step by step, and each command must say what is left and what to do.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Stored snapshots",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct StateSnapshotTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// A pipeline that has written at least three snapshots and has stopped.
    private func stopped(
        _ prefix: String, state: String = ""
    ) throws -> (fixture: PipelineFixture, file: String) {
        let fixture = try PipelineFixture(
            prefix, partitions: 1,
            state: "restore_within: 1 ms" + (state.isEmpty ? "" : ", \(state)"))
        let running = fixture.start { $0.snapshotRecordsMax = 1000 }
        var produced = 0
        try fixture.wait("snapshots", seconds: 180) {
            if running.process.status.snapshots >= 3 { return true }
            if running.process.status.records + 2000 > produced {
                try fixture.produce(produced..<produced + 2000)
                produced += 2000
            }
            return false
        }
        try fixture.waitForPredictions(produced, seconds: 180)
        #expect(running.stop() == .stopped)
        return (fixture, try folder.file("\(fixture.name).yaml", fixture.text))
    }

    private func json(_ words: String...) throws -> JSONValue {
        let run = ProgramRun(words + ["--json"])
        return try #require(JSONValue(Array(run.output.utf8)), "\(run.messages)\(run.output)")
    }

    private func task(_ result: JSONValue) throws -> JSONValue {
        try #require(result["tasks"]?.list?.first)
    }

    private func empty(_ topic: String, before offset: Int64?, _ fixture: PipelineFixture) throws {
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        let place = TopicPartition(topic: topic, partition: 0)
        try admin.deleteRecords(
            of: place, before: try offset ?? admin.watermarks(of: place).high)
    }

    @Test("the newer snapshot is proved from the older one, and moments from the nearest")
    func proves() throws {
        let (fixture, file) = try stopped("proved")
        let last = try #require(try fixture.journal().last)
        let live = try #require(last.live)
        let previous = try #require(last.previous)
        let listed = try task(json("state", "list", file))
        #expect(listed["live"]?["sequence"]?.integer == Int(live.sequence))
        #expect(listed["live"]?["bytes"]?.integer == Int(live.byteCount))
        #expect(listed["previous"]?["sequence"]?.integer == Int(previous.sequence))
        #expect(listed["live"]?["age_records"]?.integer ?? -1 >= 0)
        #expect(listed["journal"]?["first_offset"]?.integer ?? 0 > 0, "trimmed")
        let verified = ProgramRun("state", "verify", file)
        #expect(verified.code == .success, "\(verified.output)")
        #expect(
            verified.output.contains(
                "is bit for bit what the one after entry \(previous.sequence) and"))

        // Between the two snapshots.
        let entries = try fixture.journal()
        let middle = try #require(
            entries.first { $0.sequence > previous.sequence && $0.recordCount > 0 })
        let moment = try json("replay", file, "--until", "\(middle.nextOffsets[0] - 1)")
        #expect(moment["sequence"]?.integer == Int(middle.sequence))
        let nearest = middle.sequence < live.sequence ? previous : live
        #expect(moment["from_sequence"]?.integer == Int(nearest.sequence))
        // At the snapshot itself: nothing is replayed, and the bytes are the snapshot's.
        let atLive = try #require(entries.first { $0.sequence == live.sequence })
        let state = folder.path("state")
        let same = try json(
            "replay", file, "--until", "\(atLive.nextOffsets[0] - 1)", "--state", state)
        #expect(same["replayed_records"]?.integer == 0)
        let written = [UInt8](try Data(contentsOf: URL(filePath: state)))
        #expect(written.count == Int(live.byteCount))
        let stored = try fixture.read(fixture.pipeline.output.stateTopic)[0].first {
            $0.offset == live.indexOffset
        }
        let index = try SnapshotIndex(decoding: #require(stored?.value))
        #expect(contentHash(of: written) == index.stateHash)
        // What came before is no longer kept.
        let gone = ProgramRun("replay", file, "--until", "0")
        #expect(gone.code == .failure)
        #expect(!gone.messages.isEmpty)
    }

    @Test("with a history, moments from before the older snapshot can be had")
    func history() throws {
        let (fixture, file) = try stopped("history", state: "history: 1 day")
        let entries = try fixture.journal()
        #expect(entries[0].sequence == 0)
        let early = try #require(entries.first { $0.recordCount > 0 })
        let result = try json("replay", file, "--until", "\(early.nextOffsets[0] - 1)")
        #expect(result["sequence"]?.integer == Int(early.sequence))
        #expect(result["model"]?["records"]?.integer == Int(early.recordCount))
        let verified = ProgramRun("state", "verify", file)
        #expect(verified.code == .success, "\(verified.output)")
    }

    @Test("lost chunks weaken a task, then break it, with the remedy; a reset helps")
    func lost() throws {
        let (fixture, file) = try stopped("lost-chunks")
        let last = try #require(try fixture.journal().last)
        let live = try #require(last.live)
        let topic = fixture.pipeline.output.stateTopic
        try empty(topic, before: live.firstChunkOffset, fixture)
        let weakened = ProgramRun("state", "verify", file)
        #expect(weakened.code == .failure)
        #expect(weakened.output.contains("task 0: weakened"), "\(weakened.output)")
        #expect(weakened.output.contains("the next snapshot replaces it"))
        let listed = try task(json("state", "list", file))
        #expect(listed["remarks"]?.list?.count == 1)
        #expect(
            listed["remarks"]?.list?[0].text?.contains("the previous snapshot") == true)

        try empty(topic, before: nil, fixture)
        let broken = ProgramRun("state", "verify", file)
        #expect(broken.code == .failure)
        #expect(broken.output.contains("task 0: broken"), "\(broken.output)")
        #expect(broken.output.contains("state reset"), "\(broken.output)")
        guard case .failed(let reason)? = fixture.start().wait(seconds: 180) else {
            Issue.record("started without its state")
            return
        }
        #expect(reason.contains("state reset"), "\(reason)")

        let offset = last.nextOffsets[0]
        let reset = ProgramRun("state", "reset", file, "--yes")
        #expect(reset.code == .success, "\(reset.messages)")
        #expect(reset.output.contains("[0]@\(offset)"))
        let count = Int(offset)
        try fixture.produce(count..<count + 100)
        let running = fixture.start()
        try fixture.waitForPredictions(count + 100)
        #expect(running.stop() == .stopped)
        #expect(try fixture.coverageProblem() == nil)
        #expect(ProgramRun("state", "verify", file).code == .success)
    }
}
