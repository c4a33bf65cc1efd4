// Method: a task on logs and a chunk store in memory; what is stored is damaged, lost or exchanged,
// and the next process must say so and go on exactly, or stop.
import Core
import Engine
import State
import TestSupport
import Testing

@Suite("Snapshots")
struct SnapshotTests {
    /// A world whose first process has run to the end of its first `count` records.
    private func world(count: Int = 300, paddingBytes: Int = 0) throws -> DurableWorld {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: count, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash(paddingBytes: paddingBytes))
        try run.runToEnd()
        #expect(run.task.snapshots.installedCount >= 2)
        return world
    }

    private func lastEntry(_ world: DurableWorld) throws -> JournalEntry {
        try #require(try world.entries.last)
    }

    /// Appends records to the world's only partition.
    private func append(_ count: Int, to world: DurableWorld) {
        let last = world.records[0][world.records[0].count - 1]
        for index in 1...count {
            world.records[0].append(
                MemoryLog.Record(
                    offset: last.offset + Int64(index), timestamp: last.timestamp + Int64(index),
                    key: "", value: "w\(index)"))
        }
    }

    @Test("a restart loads the snapshot and replays only what came after it")
    func restart() throws {
        let world = try world()
        append(100, to: world)
        let run = try SnapshotRun(world, processor: RunningHash())
        #expect(run.start.notes.isEmpty)
        #expect(run.start.live == (try lastEntry(world).live))
        #expect(run.replayedRecords < 60)
        try run.runToEnd()
        #expect(world.predictions == RunningHash.predictions(world.records[0]))
    }

    @Test("where the inputs are in doubt, records of the last snapshot are replayed and compared")
    func doubtfulInput() throws {
        let world = try world()
        append(20, to: world)
        let run = try SnapshotRun(world, processor: RunningHash())
        try run.runToEnd()
        run.makeSnapshot()
        let entry = try lastEntry(world)
        #expect(try SnapshotRun(world, processor: RunningHash()).replayedRecords == 0)
        let again = try SnapshotRun(world, processor: RunningHash(), doubtsInput: true)
        #expect(again.replayedRecords > 0)
        #expect(again.start.loaded == entry.previous)
        #expect(again.start.live == entry.live, "the newest snapshot stays the one to restore from")
        #expect(again.start.previous == entry.previous)
        #expect(again.task.processor.stateHash() == run.task.processor.stateHash())
        append(10, to: world)
        let further = try SnapshotRun(
            world, processor: RunningHash(), recordsBetween: 1_000_000, doubtsInput: true)
        try further.runToEnd()
        further.makeSnapshot()
        #expect(world.predictions == RunningHash.predictions(world.records[0]))

        // Another record in the place of one that was learned.
        let last = world.records[0].count - 1
        let old = world.records[0][last]
        world.records[0][last] = MemoryLog.Record(
            offset: old.offset, timestamp: old.timestamp, key: [], value: Array("other".utf8))
        #expect(try SnapshotRun(world, processor: RunningHash()).replayedRecords == 0)
        let sequence = try #require(try lastEntry(world).live).sequence
        #expect(
            throws: TaskFailure.otherInput(sequence: sequence, what: "other prediction bytes")
        ) { _ = try SnapshotRun(world, processor: RunningHash(), doubtsInput: true) }

        // Records that retention has taken cannot be compared: the model goes on without.
        world.records[0].removeFirst(last)
        let spared = try SnapshotRun(world, processor: RunningHash(), doubtsInput: true)
        #expect(spared.replayedRecords == 0)
        #expect(spared.start.live == (try lastEntry(world).live))
    }

    @Test("inputs in doubt are compared from the journal's beginning where there is one snapshot")
    func doubtfulBeginning() throws {
        let records = (0..<40).map {
            MemoryLog.Record(offset: Int64($0), timestamp: 0, key: "", value: "v\($0)")
        }
        let world = DurableWorld(records: [records])
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 1_000_000)
        try run.runToEnd()
        run.makeSnapshot()
        #expect(try SnapshotRun(world, processor: RunningHash()).replayedRecords == 0)
        let again = try SnapshotRun(world, processor: RunningHash(), doubtsInput: true)
        #expect(again.replayedRecords == 40)
        #expect(again.start.live == (try lastEntry(world).live))
        #expect(again.start.notes.isEmpty)
        #expect(again.task.processor.stateHash() == run.task.processor.stateHash())
        world.records[0][0] = MemoryLog.Record(offset: 0, timestamp: 0, key: "", value: "other")
        #expect(throws: TaskFailure.otherInput(sequence: 1, what: "other prediction bytes")) {
            _ = try SnapshotRun(world, processor: RunningHash(), doubtsInput: true)
        }
        world.records[0] = records
        // A journal whose beginning is gone serves with its snapshot alone.
        try world.store.trim(
            journalBefore: Int64(world.output.committed(.journal).count * 2 - 2), chunksBefore: 0)
        let late = try SnapshotRun(world, processor: RunningHash(), doubtsInput: true)
        #expect(late.replayedRecords == 0)
        #expect(late.task.processor.stateHash() == run.task.processor.stateHash())
    }

    @Test("who asks for a replay without snapshots gets that or a failure, never a snapshot")
    func withoutSnapshots() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 40, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 1_000_000)
        try run.runToEnd()
        run.makeSnapshot()
        let whole = try SnapshotRun(world, processor: RunningHash(), references: [])
        #expect(whole.replayedRecords == 40)
        #expect(whole.start.live == nil)
        let old = world.records[0][0]
        world.records[0][0].value = Array("other".utf8)
        #expect(throws: TaskFailure.replayMismatch(sequence: 1, what: "other prediction bytes")) {
            _ = try SnapshotRun(world, processor: RunningHash(), references: [])
        }
        world.records[0][0] = old
        try world.store.trim(
            journalBefore: Int64(world.output.committed(.journal).count * 2 - 2), chunksBefore: 0)
        #expect(throws: TaskFailure.journalTruncated(start: world.store.journalStart)) {
            _ = try SnapshotRun(world, processor: RunningHash(), references: [])
        }
    }

    @Test("journal and chunks are trimmed below the snapshot before the last")
    func trims() throws {
        let world = try world()
        let entry = try lastEntry(world)
        let previous = try #require(entry.previous)
        #expect(world.store.journalStart == previous.journalOffset)
        #expect(world.store.chunksStart == previous.firstChunkOffset)
        #expect(world.store.chunks.keys.min() == previous.firstChunkOffset)
        #expect(world.journal[0].offset <= Int64(previous.sequence + 1) * 2)
    }

    @Test("in a store made anew the snapshots that are gone are neither referred to nor trimmed by")
    func madeAnew() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 300, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 50)
        try run.runToEnd()
        world.store.makeAnew()
        run.task.requestSnapshot()
        let installed = run.task.snapshots.installedCount
        while run.task.snapshots.installedCount == installed {
            let isWorking = run.stepSnapshot()
            #expect(run.commit())
            if !isWorking { break }
        }
        #expect(run.task.snapshots.installedCount == installed + 1)
        while run.stepSnapshot() {}
        let entry = try lastEntry(world)
        #expect(entry.live?.firstChunkOffset == 0)
        #expect(entry.previous == nil)
        #expect(world.store.chunksStart == 0)
        append(20, to: world)
        let again = try SnapshotRun(world, processor: RunningHash())
        #expect(again.start.notes.isEmpty)
        try again.runToEnd()
        #expect(world.predictions == RunningHash.predictions(world.records[0]))
    }

    @Test("chunks of a large state are cut, and put together again")
    func manyChunks() throws {
        let world = try world(paddingBytes: 1_300_000)
        let live = try #require(try lastEntry(world).live)
        #expect(live.byteCount > 1_300_000)
        #expect(live.indexOffset - live.firstChunkOffset == 3)
        for chunk in world.store.chunks.values { #expect(chunk.bytes.count < 525_000) }
        let processor = RunningHash()
        _ = try SnapshotRun(world, processor: processor)
        #expect(processor.padding.count == 1_300_000)
    }

    @Test("a flipped bit anywhere in a stored chunk is noticed; the snapshot before it serves")
    func flippedBits() throws {
        let world = try world()
        append(20, to: world)
        let live = try #require(try lastEntry(world).live)
        let plain = world.store.chunks
        for offset in [live.firstChunkOffset, live.indexOffset] {
            let count = try #require(plain[offset]).bytes.count
            for place in 0..<count {
                world.store.chunks[offset]?.bytes[place] ^= 1 << UInt8(place & 7)
                let processor = RunningHash()
                let run = try SnapshotRun(world, processor: processor)
                #expect(run.start.notes.count == 1, "offset \(offset), byte \(place)")
                #expect(run.start.live == (try lastEntry(world).previous))
                #expect(run.start.previous == nil)
                world.store.chunks = plain
            }
        }
        world.store.chunks[live.indexOffset] = nil
        let run = try SnapshotRun(world, processor: RunningHash())
        #expect(run.start.notes[0].contains("is missing"))
        try run.runToEnd()
        #expect(world.predictions == RunningHash.predictions(world.records[0]))
    }

    @Test("without any snapshot a trimmed journal stops the task, with the remedy")
    func stateTopicDeleted() throws {
        let world = try world()
        world.store.chunks = [:]
        do {
            _ = try SnapshotRun(world, processor: RunningHash())
            Issue.record("a state that is gone was restored")
        } catch let failure as TaskFailure {
            guard case .snapshotsLost(let problems, isNewer: false) = failure else {
                Issue.record("\(failure)")
                return
            }
            #expect(problems.count == 2)
            #expect(failure.message.contains("restore the state topic"))
        }
    }

    @Test("while the journal is whole, lost snapshots cost time only")
    func fullReplay() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 80, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash())
        try run.runToEnd()
        #expect(run.task.snapshots.installedCount == 1)
        #expect(world.store.journalStart == 0, "one snapshot alone is no reason to trim")
        world.store.chunks = [:]
        append(20, to: world)
        let again = try SnapshotRun(world, processor: RunningHash())
        #expect(again.replayedRecords == 80)
        #expect(again.start.notes.count == 2)
        try again.runToEnd()
        #expect(world.predictions == RunningHash.predictions(world.records[0]))
    }

    @Test("a truncated journal is said as such")
    func truncatedJournal() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 80, seed: 5))
        try SnapshotRun(world, processor: RunningHash(), recordsBetween: 10_000).runToEnd()
        try world.store.trim(journalBefore: 3, chunksBefore: 0)
        #expect(throws: TaskFailure.journalTruncated(start: 3)) {
            _ = try SnapshotRun(world, processor: RunningHash())
        }
        try world.store.trim(journalBefore: 1000, chunksBefore: 0)
        #expect(throws: TaskFailure.journalTruncated(start: 1000)) {
            _ = try SnapshotRun(world, processor: RunningHash())
        }
    }

    @Test("state of another pipeline, task, numeric contract or format is refused by name")
    func foreign() throws {
        let world = try world()
        let live = try #require(try lastEntry(world).live)
        #expect(throws: TaskFailure.otherPipeline(found: 42, expected: 43)) {
            _ = try SnapshotRun(world, processor: RunningHash(fingerprint: 43))
        }
        func problem(_ task: Int, _ fingerprint: UInt64) -> SnapshotProblem? {
            var reader = SnapshotReader(live, task: task, fingerprint: fingerprint)
            do throws(SnapshotProblem) {
                while true {
                    if try reader.step(on: world.store) != nil { return nil }
                }
            } catch {
                return error
            }
        }
        #expect(problem(0, 42) == nil)
        #expect(problem(0, 43) == .otherPipeline(found: 42, expected: 43))
        #expect(problem(1, 42) == .missingChunk(live.indexOffset))
        #expect(
            SnapshotProblem.newerFormat(section: "tree", version: 9).message.contains(
                "newer version"))
        #expect(
            TaskFailure.snapshotsLost([], isNewer: true).message.contains("run the newer version"))
    }

    @Test("a store that does not answer is waited for, not passed over")
    func unreachable() throws {
        let world = try world()
        world.store.failure = { $0 == .read ? .failed("no broker") : nil }
        #expect(throws: TaskFailure.stateUnreachable("no broker")) {
            _ = try SnapshotRun(world, processor: RunningHash())
        }
    }

    @Test("a failed snapshot is counted, tried again, and stops nothing")
    func failures() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 300, seed: 5))
        var draws = SplitMix64(seed: 9)
        world.store.failure = { _ in draws.next(below: 2) == 0 ? .failed("drawn") : nil }
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 20)
        try run.runToEnd()
        #expect(run.task.snapshots.failureCount > 0)
        #expect(run.task.snapshots.installedCount > 0)
        #expect(world.predictions == RunningHash.predictions(world.records[0]))
    }

    @Test("a request stands until a snapshot that was captured after it is referred to")
    func requests() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 30, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 1_000_000)
        try run.runToEnd()
        #expect(!run.task.snapshots.hasOpenRequest)
        run.task.requestSnapshot()
        var failures = 2
        world.store.failure = { _ in
            failures -= 1
            return failures >= 0 ? .failed("twice") : nil
        }
        while run.task.snapshots.failureCount < 2 {
            #expect(run.stepSnapshot())
            #expect(run.task.snapshots.hasOpenRequest)
        }
        // One that was captured before another request does not answer that one.
        guard case .findJournalEnd? = run.task.takeSnapshotJob(now: 0) else {
            Issue.record("a request that failed is not tried again")
            return
        }
        run.task.snapshotJobDone(
            .journalEnd(Int64(world.output.committed(.journal).count * 2)), now: 0)
        #expect(run.stepSnapshot())
        run.task.requestSnapshot()
        while run.task.snapshots.installedCount == 0 {
            _ = run.stepSnapshot()
            #expect(run.commit())
        }
        #expect(run.task.snapshots.hasOpenRequest)
        while run.task.snapshots.installedCount == 1 {
            _ = run.stepSnapshot()
            #expect(run.commit())
        }
        #expect(!run.task.snapshots.hasOpenRequest)
    }

    @Test("an idle task's snapshot is committed without records, and falls due by age")
    func idle() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 30, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 1_000_000)
        try run.runToEnd()
        #expect(try lastEntry(world).live == nil)
        run.task.snapshotPolicy?.ageMilliseconds = 1000
        #expect(run.task.takeSnapshotJob(now: 0) == nil)
        #expect(run.task.takeSnapshotJob(now: 999) == nil)
        guard case .findJournalEnd? = run.task.takeSnapshotJob(now: 1000) else {
            Issue.record("no snapshot is due by age")
            return
        }
        run.task.snapshotJobDone(
            .journalEnd(Int64(world.output.committed(.journal).count * 2)), now: 1000)
        while run.stepSnapshot() {}
        #expect(run.task.nextCommitTime() != nil)
        #expect(run.commit(force: false))
        #expect(try lastEntry(world).live != nil)
        #expect(try lastEntry(world).recordCount == 0)
        while run.stepSnapshot() {}
        let again = try SnapshotRun(world, processor: RunningHash())
        #expect(again.replayedRecords == 0)
        #expect(again.task.takeSnapshotJob(now: .max) == nil, "nothing new")
    }

    @Test("input lost between snapshot and journal's end stops the task, or is skipped and said")
    func lostInput() throws {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 200, seed: 5))
        let run = try SnapshotRun(world, processor: RunningHash(), recordsBetween: 1_000_000)
        run.log.visible = [100]
        try run.runToEnd()
        run.makeSnapshot()
        let atSnapshot = run.task.nextOffsets[0]
        run.log.visible = [150]
        try run.runToEnd()
        let whole = world.records[0]
        // Retention has deleted up to the 120th record.
        world.records[0].removeFirst(120)
        let first = world.records[0][0].offset
        #expect(
            throws: TaskFailure.log(
                .lostRecords(
                    TopicPartition(topic: "in", partition: 0), offset: atSnapshot,
                    firstOffset: first))
        ) {
            _ = try SnapshotRun(world, processor: RunningHash())
        }
        func goOn() throws -> SnapshotRun {
            try SnapshotRun(
                world, processor: RunningHash(), recordsBetween: 1_000_000,
                onLostInput: .continueFromSnapshot)
        }
        let next = try goOn()
        #expect(next.start.notes.count == 1)
        #expect(next.start.notes[0].contains("offsets \(atSnapshot) to"))
        try next.runToEnd()
        // The model of the snapshot went on with the 151st record.
        let state = whole[..<100] + whole[150...]
        #expect(
            world.predictions.map { $0.split(separator: ":")[1] }
                == (RunningHash.predictions(whole[..<150])
                + RunningHash.predictions(Array(state))[100...]).map {
                    $0.split(separator: ":")[1]
                })
        let last = try lastEntry(world)
        #expect(last.skipped?.nextOffsets == [whole[149].offset + 1])
        #expect(last.live.map { $0.sequence >= last.skipped!.through } == true)
        // From the new snapshot, and from the old one past the skipped entries: the same state.
        append(10, to: world)
        let third = try goOn()
        #expect(third.start.notes.isEmpty)
        try third.runToEnd()
        let digest = third.task.processor.stateHash()
        let live = try #require(try lastEntry(world).live)
        world.store.chunks[live.indexOffset] = nil
        world.records[0] = whole + world.records[0][(whole.count - 120)...]
        let fallback = try goOn()
        #expect(fallback.start.notes.count == 1)
        #expect(fallback.task.processor.stateHash() == digest)
    }
}
