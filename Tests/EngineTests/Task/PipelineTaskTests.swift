// Method: a processor whose output is a running hash of every record in order runs on a log in
// memory; where records become visible, commits fall and processes die is drawn from a seed, and
// the committed outputs must be those of one uninterrupted run over the journal's order.
import Core
import Engine
import State
import TestSupport
import Testing

/// One process: a task on a log, with its committed journal replayed first.
private final class Run {
    let task: PipelineTask
    var cycle = CommitCycle(giveUpAfter: 60_000)

    init(
        records: [[MemoryLog.Record]], output: MemoryOutput, fingerprint: UInt64 = 42,
        policy: CommitPolicy = .every(0), batchLimit: Int = 7,
        edit: (inout JournalEntry) -> Void = { _ in }
    ) throws {
        try output.initialize()
        let log = MemoryLog(topic: "in", records)
        let entries = try output.committed(.journal).enumerated().map { index, record in
            var entry = try JournalEntry(decoding: record.value)
            edit(&entry)
            return MemoryLog.Record(
                offset: Int64(index * 2), timestamp: 0, key: record.key, value: entry.encoded())
        }
        let journal = MemoryLog(topic: "journal", [entries])
        task = PipelineTask(
            index: 0, processor: RunningHash(fingerprint: fingerprint), log: log,
            startOffsets: records.map { $0.first?.offset ?? 0 }, journal: journal,
            journalEnd: Int64(max(0, entries.count * 2 - 1)), generation: 1, policy: policy,
            batchLimit: batchLimit, waitLimit: 10)
        while !task.isLive {
            let progress = try task.restore(now: 0)
            #expect(!progress.isWaiting, "a replay of what is there never waits")
        }
    }

    var log: MemoryLog? { task.log as? MemoryLog }

    /// Commits what is there; false if the task was dropped.
    func commit(_ output: MemoryOutput, now: Int64 = 0, force: Bool = true) -> Bool {
        guard let request = task.takeCommit(now: now, force: force) else { return true }
        cycle.start()
        while true {
            switch cycle.step(request, on: output, now: now) {
            case .again, .wait: continue
            case .committed:
                task.commitDone(request)
                return true
            case .dropped: return false
            }
        }
    }
}

/// Replays the committed journal with the simplest code that can: the order of each round by
/// sorting, the hash by one record after another.
private func oracle(_ records: [[MemoryLog.Record]], _ journal: [MemoryOutput.Record]) throws
    -> [String]
{
    var hash: UInt64 = 1
    var lines: [String] = []
    var next = records.map { _ in 0 }
    for entry in try journal.map({ try JournalEntry(decoding: $0.value) }) {
        for round in entry.rounds {
            while true {
                var best: Int?
                for input in records.indices where next[input] < records[input].count {
                    let record = records[input][next[input]]
                    guard record.offset < round[input] else { continue }
                    if let other = best,
                        records[other][next[other]].timestamp <= record.timestamp
                    {
                        continue
                    }
                    best = input
                }
                guard let input = best else { break }
                let record = records[input][next[input]]
                var step = ContentHash(seed: hash)
                step.combine(record.value.span)
                step.combine(UInt64(input))
                hash = step.value
                lines.append("\(record.offset):\(hash)")
                next[input] += 1
            }
        }
    }
    return lines
}

@Suite("Pipeline task")
struct PipelineTaskTests {
    @Test("kills at random moments lose, double and change nothing", arguments: UInt64(1)...40)
    func randomKills(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let records = randomRecords(
            partitions: 1 + random.next(below: 4), count: 150, seed: seed &* 31)
        let output = MemoryOutput()
        var failures = 0
        var draws = SplitMix64(seed: seed &+ 1000)
        output.failure = { call in
            guard failures < 40, draws.next(below: 12) == 0 else { return nil }
            failures += 1
            switch draws.next(below: 3) {
            case 0: return .abortable("drawn")
            case 1 where call == .commit || call == .abort: return .uncertain("drawn")
            default: return .fenced("drawn")
            }
        }
        var run = try Run(records: records, output: output)
        var visible = records.map { _ in 0 }
        while true {
            for input in visible.indices {
                visible[input] = min(
                    records[input].count, visible[input] + random.next(below: 20))
            }
            run.log?.visible = visible
            var isDropped = false
            for _ in 0..<random.next(below: 6) where !isDropped {
                _ = try run.task.step(now: 0)
                if random.next(below: 2) == 0 { isDropped = !run.commit(output) }
            }
            if isDropped || random.next(below: 8) == 0 {
                run = try Run(records: records, output: output)
                run.log?.visible = visible
            }
            let total = records.map(\.count).reduce(0, +)
            if output.committed(.predictions).count == total { break }
            #expect(output.committed(.predictions).count < total, "seed \(seed)")
        }
        let lines = output.committed(.predictions).map { String(decoding: $0.value, as: UTF8.self) }
        #expect(try lines == oracle(records, output.committed(.journal)), "seed \(seed)")
        for (input, position) in output.positions.enumerated() {
            #expect(position.nextOffset > records[input][149].offset, "seed \(seed)")
        }
    }

    @Test("preloaded inputs are merged by time, whatever the batch", arguments: [1, 7, 1000])
    func preloadedOrder(batchLimit: Int) throws {
        let records = randomRecords(partitions: 3, count: 200, seed: 5)
        let output = MemoryOutput()
        let run = try Run(records: records, output: output, batchLimit: batchLimit)
        #expect(run.commit(output))
        while output.committed(.predictions).count < 600 {
            _ = try run.task.step(now: 0)
            #expect(run.commit(output))
        }
        let times = output.committed(.predictions).map { prediction in
            let key = String(decoding: prediction.key, as: UTF8.self).split(separator: "-")
            return records[Int(key[0])!][Int(key[1])!].timestamp
        }
        #expect(times == times.sorted())
    }

    @Test("a partition that has not said its end is waited for, once, with a bound")
    func waiting() throws {
        let records = randomRecords(partitions: 2, count: 10, seed: 9)
        let output = MemoryOutput()
        let run = try Run(records: records, output: output)
        #expect(run.commit(output))
        run.log?.visible = [10, 0]
        run.log?.signalsEnd = [true, false]
        #expect(try run.task.step(now: 0) == .waiting)
        #expect(try run.task.step(now: 9) == .waiting)
        #expect(try run.task.step(now: 10) == .worked(records: 7))
        #expect(try run.task.step(now: 10) == .worked(records: 3), "the gap is waited for once")
    }

    /// Twenty records, and what a task has committed of them in two commits.
    private func committedRun() throws -> (records: [[MemoryLog.Record]], output: MemoryOutput) {
        let records = randomRecords(partitions: 1, count: 20, seed: 3)
        let output = MemoryOutput()
        let run = try Run(records: records, output: output)
        #expect(run.commit(output))
        _ = try run.task.step(now: 0)
        #expect(run.commit(output))
        return (records, output)
    }

    @Test("changed input is noticed by the replay")
    func changedInput() throws {
        var (records, output) = try committedRun()
        records[0][3].value = Array("other".utf8)
        #expect(throws: TaskFailure.replayMismatch(sequence: 1, what: "other prediction bytes")) {
            _ = try Run(records: records, output: output)
        }
    }

    @Test("another state is noticed by the replay, unless its hash is of another format's bytes")
    func otherState() throws {
        let (records, output) = try committedRun()
        func replay(_ hash: LearnedHash) throws {
            _ = try Run(records: records, output: output) { entry in
                if entry.sequence == 1 { entry.learnedHash = hash }
            }
        }
        let right = try Run(records: records, output: output).task.processor.learnedHash()
        try replay(LearnedHash(right))
        #expect(throws: TaskFailure.replayMismatch(sequence: 1, what: "another state")) {
            try replay(LearnedHash(right ^ 1))
        }
        try replay(LearnedHash(right ^ 1, stateFormat: stateFormat + 1))
    }

    @Test("a record that compaction took from the input is noticed by the replay, and told")
    func compactedInput() throws {
        var (records, output) = try committedRun()
        records[0].remove(at: 3)
        let failure = TaskFailure.replayMismatch(sequence: 1, what: "6 records instead of 7")
        #expect(throws: failure) { _ = try Run(records: records, output: output) }
        #expect(failure.message.contains("are gone (compaction or deletion)"))
        #expect(failure.message.contains("restore the records"))
        #expect(failure.message.contains("cleanup.policy=delete"))
    }

    @Test("another pipeline's journal is refused")
    func otherPipeline() throws {
        let records = randomRecords(partitions: 1, count: 20, seed: 3)
        let output = MemoryOutput()
        let run = try Run(records: records, output: output)
        #expect(run.commit(output))
        #expect(throws: TaskFailure.otherPipeline(found: 42, expected: 43)) {
            _ = try Run(records: records, output: output, fingerprint: 43)
        }
    }

    @Test("the positions of a drained input pass transaction markers")
    func markers() throws {
        let records = randomRecords(partitions: 1, count: 5, seed: 3)
        let output = MemoryOutput()
        let run = try Run(records: records, output: output)
        run.log?.trailingMarkers = 3
        #expect(run.commit(output))
        _ = try run.task.step(now: 0)
        #expect(run.commit(output))
        #expect(output.positions[0].nextOffset == records[0][4].offset + 4)
    }

    @Test("commits follow the policy: soon when idle, seldom when busy")
    func policy() throws {
        let records = randomRecords(partitions: 1, count: 100, seed: 3)
        let output = MemoryOutput()
        let run = try Run(records: records, output: output, policy: .auto())
        #expect(run.commit(output, now: 0, force: false))
        _ = try run.task.step(now: 10)
        #expect(!run.task.isCommitDue(now: 50), "more to read")
        #expect(run.task.isCommitDue(now: 100))
        while try run.task.step(now: 50) != .idle {}
        #expect(run.task.isCommitDue(now: 15), "all read")
        #expect(!run.task.isCommitDue(now: 14))
    }

    @Test("a trickle that never ends is committed soon, a flood that pauses for breath is not")
    func trickle() throws {
        let records = randomRecords(partitions: 1, count: 1000, seed: 3)
        let output = MemoryOutput()
        let run = try Run(
            records: records, output: output, policy: .auto(), batchLimit: 100)
        run.log?.signalsEnd = [false]
        run.log?.visible = [30]
        #expect(run.commit(output, now: 0, force: false))
        _ = try run.task.step(now: 10)
        #expect(run.task.isCommitDue(now: 15), "all that came, though it says no end")
        #expect(!run.task.isCommitDue(now: 14))
        #expect(run.task.nextCommitTime() == 15)
        run.log?.visible = [30 + 300 + 50]
        for _ in 0..<4 { _ = try run.task.step(now: 12) }
        #expect(run.task.nextOffsets[0] > records[0][379].offset)
        #expect(!run.task.isCommitDue(now: 99))
        #expect(run.task.isCommitDue(now: 100))
    }
}
