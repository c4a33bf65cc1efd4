// Method: a processor whose output is a running hash of every record in order runs at least once on a
// log in memory; an output writes record by record and may die after any of them. What readers saw
// is compared with one plain pass (one input) and with a replay of the journal (several).
import Core
import Engine
import State
import TestSupport
import Testing

/// Writes without transactions, in the buffer's order, and dies after so many records.
private final class PlainOutput: TransactionalOutput, @unchecked Sendable {
    private(set) var written: [(stream: OutputStream, value: [UInt8])] = []
    private(set) var offsets: [Int64] = []
    /// Records that may still be written.
    var left = Int.max
    private var pending: [Int64] = []

    func journal() -> [[UInt8]] { written.filter { $0.stream == .journal }.map(\.value) }
    func predictions() -> [String] {
        written.filter { $0.stream == .predictions }.map {
            String(decoding: $0.value, as: UTF8.self)
        }
    }

    func initialize() throws(OutputFailure) {}
    func begin() throws(OutputFailure) { pending = [] }
    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        for entry in buffer.entries {
            guard left > 0 else { throw .fenced("dead") }
            left -= 1
            written.append((entry.stream, [UInt8](copying: buffer.value(of: entry))))
        }
    }
    func sendOffsets(_ positions: [InputPosition], sequence: UInt64) throws(OutputFailure) {
        pending = positions.map(\.nextOffset)
    }
    func commit() throws(OutputFailure) {
        guard left > 0 else { throw .fenced("dead") }
        if !pending.isEmpty { offsets = pending }
    }
    func abort() throws(OutputFailure) {}
    func recreate() throws(OutputFailure) {}
    func close() {}

    /// Writes a record that is no part of a commit.
    func append(journal bytes: [UInt8]) { written.append((.journal, bytes)) }
}

@Suite("At least once")
struct AtLeastOnceTests {
    private func makeRecords(_ partitions: Int, _ count: Int) -> [[MemoryLog.Record]] {
        (0..<partitions).map { partition in
            (0..<count).map { index in
                MemoryLog.Record(
                    offset: Int64(index), timestamp: Int64(index * 3 + partition % 2),
                    key: "\(partition)-\(index)", value: "v\(index)")
            }
        }
    }

    private func makeTask(
        _ records: [[MemoryLog.Record]], _ output: PlainOutput, claim: Int32
    ) throws -> PipelineTask {
        output.append(journal: JournalClaim(number: claim, generation: 1).encoded())
        let entries = output.journal().enumerated().map { index, bytes in
            MemoryLog.Record(offset: Int64(index), timestamp: 0, key: [], value: bytes)
        }
        let task = PipelineTask(
            index: 0, processor: RunningHash(fingerprint: 42), log: MemoryLog(topic: "in", records),
            startOffsets: records.map { _ in 0 },
            journal: MemoryLog(topic: "journal", [entries]), journalEnd: Int64(entries.count),
            generation: claim,
            policy: CommitPolicy(idleInterval: 2, busyInterval: 2, guarantee: .atLeastOnce),
            batchLimit: 7, waitLimit: 10)
        while !task.isLive { _ = try task.restore(now: 0) }
        return task
    }

    /// Commits what is due; nil if the task was dropped, else the requests made.
    private func commit(
        _ task: PipelineTask, _ output: PlainOutput, now: Int64, force: Bool = false
    ) -> Int? {
        var count = 0
        var cycle = CommitCycle(giveUpAfter: 1000)
        while let request = task.takeCommit(now: now, force: force) {
            count += 1
            cycle.start()
            stepping: while true {
                switch cycle.step(request, on: output, now: now) {
                case .again, .wait: continue
                case .committed:
                    task.commitDone(request)
                    break stepping
                case .dropped: return nil
                }
            }
        }
        return count
    }

    /// Runs processes one after the other until everything is read, each but the last dying somewhere.
    private func runWithDeaths(
        _ records: [[MemoryLog.Record]], _ output: PlainOutput, seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        var now: Int64 = 0
        for life in 1...30 {
            output.left = life == 30 ? .max : random.next(below: 60)
            let task = try makeTask(records, output, claim: Int32(life))
            let log = try #require(task.log as? MemoryLog)
            log.visible = records.map { min($0.count, life * 12 + random.next(below: 9)) }
            if life == 30 { log.visible = records.map(\.count) }
            var isAlive = true
            while isAlive {
                now += Int64(random.next(below: 3))
                isAlive = commit(task, output, now: now) != nil
                guard isAlive else { break }
                let activity = try task.step(now: now)
                if activity == .idle || activity == .waiting { break }
            }
            if isAlive { isAlive = commit(task, output, now: now, force: true) != nil }
            if life == 30 { #expect(isAlive) }
        }
    }

    /// The predictions in the order of their first appearance.
    private func firsts(_ lines: [String]) -> [String] {
        var seen = Set<String>()
        return lines.filter { seen.insert($0).inserted }
    }

    @Test(
        "one input: everything of a plain pass is there, and nothing else",
        arguments: UInt64(1)...30)
    func oneInput(seed: UInt64) throws {
        let records = makeRecords(1, 300)
        let output = PlainOutput()
        try runWithDeaths(records, output, seed: seed)
        let plain = PlainOutput()
        let task = try makeTask(records, plain, claim: 1)
        while true {
            _ = commit(task, plain, now: 0, force: true)
            if try task.step(now: 0) == .idle { break }
        }
        #expect(plain.predictions().count == 300)
        #expect(firsts(output.predictions()) == plain.predictions())
        #expect(output.predictions().count > 300, "deaths led to no duplicate")
    }

    @Test(
        "several inputs: the outputs are those of the journal's order", arguments: UInt64(1)...30)
    func severalInputs(seed: UInt64) throws {
        let records = makeRecords(3, 120)
        let output = PlainOutput()
        try runWithDeaths(records, output, seed: seed)
        // A last restore computes the journal's order with nothing else.
        let check = PlainOutput()
        for bytes in output.journal() { check.append(journal: bytes) }
        let task = try makeTask(records, check, claim: 1000)
        #expect(task.nextOffsets == [120, 120, 120])
        #expect(Set(output.predictions()).count == 360, "a prediction is lost or changed")
        #expect(output.offsets == [120, 120, 120])
    }

    @Test("several inputs: the entry comes first, and its outputs again if they may be missing")
    func resent() throws {
        let records = makeRecords(2, 20)
        let output = PlainOutput()
        var task = try makeTask(records, output, claim: 1)
        _ = commit(task, output, now: 0)
        _ = try task.step(now: 10)
        // The claim, the entry of the start, and the next entry: no output.
        output.left = 1
        #expect(commit(task, output, now: 20) == nil)
        #expect(output.journal().count == 3)
        #expect(output.predictions().isEmpty)

        output.left = .max
        task = try makeTask(records, output, claim: 2)
        #expect(try task.step(now: 0) == .blocked, "nothing is computed before they are sent")
        #expect(task.isCommitDue(now: 0))
        #expect(!task.isClean)
        #expect(commit(task, output, now: 0) == 1)
        let sent = output.predictions()
        #expect(sent.count == 7)
        #expect(output.journal().count == 4, "they need no entry of their own")
        #expect(output.offsets == task.nextOffsets)

        // Restored again, with the offsets to say that they are written.
        task = try makeTask(records, output, claim: 3)
        task.confirmOutputs()
        #expect(!task.isCommitDue(now: 0, force: true))
        #expect(task.isClean)
    }

    @Test("one input: outputs go ahead, their entry and the offsets follow")
    func ahead() throws {
        let records = makeRecords(1, 21)
        let output = PlainOutput()
        let task = try makeTask(records, output, claim: 1)
        _ = commit(task, output, now: 0)
        #expect(output.journal().count == 2)
        _ = try task.step(now: 0)
        _ = commit(task, output, now: 1)
        #expect(output.predictions().count == 7)
        #expect(output.journal().count == 2)
        #expect(output.offsets == [0])
        #expect(task.nextCommitTime() == 2)
        _ = try task.step(now: 1)
        _ = commit(task, output, now: 2)
        #expect(output.predictions().count == 14)
        #expect(output.journal().count == 3)
        #expect(output.offsets == [14])
        let last = try JournalEntry(decoding: output.journal()[2])
        #expect(last.recordCount == 14 && last.predictionCount == 14 && last.isClaimed)
        #expect(last.generation == 1)
    }

    @Test("a zombie's entries between those of its successor change nothing")
    func zombie() throws {
        let records = makeRecords(2, 40)
        let output = PlainOutput()
        let zombie = try makeTask(records, output, claim: 1)
        _ = commit(zombie, output, now: 0)
        _ = try zombie.step(now: 0)
        _ = commit(zombie, output, now: 10)
        let successor = try makeTask(records, output, claim: 2)
        successor.confirmOutputs()
        // Other cuts than the successor's: its clock and its log stand elsewhere.
        (zombie.log as? MemoryLog)?.visible = [11, 30]
        for turn in 0..<4 {
            _ = try zombie.step(now: Int64(100 + turn * 20))
            _ = commit(zombie, output, now: Int64(110 + turn * 20))
            _ = try successor.step(now: Int64(100 + turn * 20))
            _ = commit(successor, output, now: Int64(110 + turn * 20))
        }
        let restored = try makeTask(records, output, claim: 3)
        #expect(restored.nextOffsets == successor.nextOffsets)
        #expect(restored.sequence == successor.sequence)
        #expect(restored.processor.stateHash() == successor.processor.stateHash())
        #expect(zombie.processor.stateHash() != successor.processor.stateHash())
    }
}
