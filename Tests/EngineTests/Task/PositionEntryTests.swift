// Method: tasks on logs in memory whose inputs grow, and that skip records on purpose; the journal's
// entries are read back, and a later task must replay them to the same state.
import Core
import Engine
import State
import TestSupport
import Testing

@Suite("Entries that hold positions")
struct PositionEntryTests {
    private func records(_ partition: Int, _ count: Int) -> [MemoryLog.Record] {
        (0..<count).map { index in
            MemoryLog.Record(
                offset: Int64(index), timestamp: Int64(10 * index + partition),
                key: "\(partition)-\(index)", value: "v\(index)")
        }
    }

    private func entries(_ output: MemoryOutput) throws -> [JournalEntry] {
        try output.committed(.journal).map { try JournalEntry(decoding: $0.value) }
    }

    /// Restores a task from what is committed.
    private func restored(
        _ inputs: [[MemoryLog.Record]], _ output: MemoryOutput, starts: [Int64]
    ) throws -> PipelineTask {
        let journal = MemoryLog(
            topic: "journal",
            [
                output.committed(.journal).enumerated().map { index, record in
                    var entry = MemoryLog.Record(
                        offset: Int64(index), timestamp: 0, key: "", value: "")
                    entry.value = record.value
                    return entry
                }
            ])
        let task = PipelineTask(
            index: 0, processor: RunningHash(), log: MemoryLog(topic: "in", inputs),
            startOffsets: starts, journal: journal,
            journalEnd: Int64(output.committed(.journal).count), generation: 1,
            policy: .every(0), batchLimit: 7)
        while !task.isLive { _ = try task.restore(now: 0) }
        return task
    }

    private func commit(_ task: PipelineTask, _ output: MemoryOutput) {
        guard let request = task.takeCommit(now: 0, force: true) else { return }
        var cycle = CommitCycle(giveUpAfter: 1000)
        cycle.start()
        while true {
            let progress = cycle.step(request, on: output, now: 0)
            if progress == .committed { break }
        }
        task.commitDone(request)
    }

    private func runToEnd(_ task: PipelineTask, _ output: MemoryOutput) throws {
        commit(task, output)
        while try task.step(now: 0) != .idle { commit(task, output) }
        commit(task, output)
    }

    @Test("an added input is announced before its first record, and replays later")
    func growth() throws {
        let output = MemoryOutput()
        let two = [records(0, 20), records(1, 20)]
        try runToEnd(try restored(two, output, starts: [0, 0]), output)
        let before = try entries(output).count
        let three = two + [records(2, 15)]
        let grown = try restored(three, output, starts: [0, 0, 0])
        #expect(grown.nextOffsets == [20, 20, 0])
        #expect(try grown.step(now: 0) == .blocked, "the entry comes before any record")
        try runToEnd(grown, output)
        let announcement = try entries(output)[before]
        #expect(announcement.inputs.count == 3)
        #expect(announcement.rounds.isEmpty)
        #expect(announcement.nextOffsets == [20, 20, 0])
        #expect(announcement.recordCount == 0)
        // The new input has lost its first records since: the journal says where it began.
        let again = try restored(three, output, starts: [0, 0, 3])
        #expect(again.nextOffsets == [20, 20, 15])
        #expect(again.sequence == grown.sequence)
        let count = try entries(output).count
        commit(again, output)
        #expect(try entries(output).count == count, "announced once")
    }

    @Test("skipped records are in the journal, and a replay skips them, too")
    func skipping() throws {
        let output = MemoryOutput()
        let start = [records(0, 20)]
        try runToEnd(try restored(start, output, starts: [0]), output)
        let all = [records(0, 50)]
        let moved = try restored(all, output, starts: [0])
        try moved.moveOn(to: [35])
        #expect(try moved.step(now: 0) == .blocked)
        try runToEnd(moved, output)
        let keys = output.committed(.predictions).map { String(decoding: $0.key, as: UTF8.self) }
        #expect(keys == (Array(0..<20) + Array(35..<50)).map { "0-\($0)" })
        let again = try restored(all, output, starts: [0])
        #expect(again.nextOffsets == [50])
        #expect(again.sequence == moved.sequence)
    }

    @Test("a task is clean only with nothing computed since its last commit")
    func clean() throws {
        let output = MemoryOutput()
        let task = try restored([records(0, 20)], output, starts: [0])
        #expect(task.isClean)
        commit(task, output)
        _ = try task.step(now: 0)
        #expect(!task.isClean, "computed, not committed")
        guard let request = task.takeCommit(now: 0, force: true) else {
            Issue.record("nothing to commit")
            return
        }
        #expect(!task.isClean, "under way")
        task.commitDone(request)
        #expect(task.isClean)
        task.adopt(generation: 9)
        _ = try task.step(now: 0)
        commit(task, output)
        #expect(try entries(output).last?.generation == 9)
    }
}
