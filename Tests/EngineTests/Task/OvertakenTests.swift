// Method: another owner goes on with the task, and trims its journal, while this one restores it; the
// restore must end as of the moment that it was begun in, or ask to be begun again.
import Core
import Engine
import State
import TestSupport
import Testing

@Suite("A restore that was overtaken")
struct OvertakenTests {
    /// A world with many entries, and the offset after the first `count` of them.
    private func world(entries count: Int) throws -> (DurableWorld, end: Int64) {
        let world = DurableWorld(records: randomRecords(partitions: 1, count: 300, seed: 5))
        let run = try SnapshotRun(
            world, processor: RunningHash(), recordsBetween: 1_000_000, batchLimit: 7)
        try run.runToEnd()
        #expect(try world.entries.count > count + 10)
        return (world, Int64(count * 2 - 1))
    }

    private func load(
        _ world: DurableWorld, journal: any InputLog, end: Int64, processor: any BatchProcessor
    ) throws -> TaskStart {
        var loading = TaskLoading(
            task: 0, processor: processor, journal: journal, journalStart: 0, journalEnd: end,
            store: world.store, inputs: [TopicPartition(topic: "in", partition: 0)],
            startOffsets: [world.records[0][0].offset])
        while true {
            switch try loading.step() {
            case .working: continue
            case .waiting: throw HarnessError("what is there is never waited for")
            case .done(let start): return start
            }
        }
    }

    @Test("it ends at the journal's end that it was begun with", arguments: [1, 4, 9])
    func endsThere(count: Int) throws {
        let (world, end) = try world(entries: count)
        let entries = try world.entries
        let journal = MemoryLog(topic: "journal", [world.journal])
        let processor = RunningHash()
        let start = try load(world, journal: journal, end: end, processor: processor)
        let log = MemoryLog(topic: "in", world.records)
        let task = PipelineTask(
            index: 0, processor: processor, log: log, start: start, journal: journal,
            journalEnd: end, generation: 1, policy: .every(0), batchLimit: 7, waitLimit: 10)
        while !task.isLive { _ = try task.restore(now: 0) }
        #expect(task.sequence == UInt64(count))
        #expect(task.nextOffsets == entries[count - 1].nextOffsets)
    }

    @Test("it is begun again when the journal is trimmed under it")
    func trimmed() throws {
        let (world, end) = try world(entries: 9)
        let journal = TrimmedLog(MemoryLog(topic: "journal", [world.journal]))
        journal.isTrimmed = true
        #expect(throws: TaskFailure.overtaken) {
            _ = try load(world, journal: journal, end: end, processor: RunningHash())
        }
        journal.isTrimmed = false
        let processor = RunningHash()
        let start = try load(world, journal: journal, end: end, processor: processor)
        let task = PipelineTask(
            index: 0, processor: processor, log: MemoryLog(topic: "in", world.records),
            start: start, journal: journal, journalEnd: end, generation: 1, policy: .every(0))
        journal.isTrimmed = true
        #expect(throws: TaskFailure.overtaken) {
            while !task.isLive { _ = try task.restore(now: 0) }
        }
    }
}

/// A log whose beginning may be deleted while it is read.
private final class TrimmedLog: InputLog {
    let log: MemoryLog
    var isTrimmed = false

    init(_ log: MemoryLog) { self.log = log }

    var partitions: [TopicPartition] { log.partitions }

    func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        if isTrimmed { throw .lostRecords(partitions[0], offset: 0, firstOffset: 8) }
        try log.poll(input, upTo: limit)
    }

    func queuedCount(_ input: Int) -> Int { log.queuedCount(input) }

    func withQueued<Result>(_ input: Int, _ body: (Span<RawRecord>) -> Result) -> Result {
        log.withQueued(input, body)
    }

    func release(_ input: Int, _ count: Int) { log.release(input, count) }

    func endOffset(_ input: Int) -> Int64? { log.endOffset(input) }

    func seek(_ input: Int, to offset: Int64) throws(LogError) {
        try log.seek(input, to: offset)
    }

    func headers(_ input: Int, _ index: Int) -> [OutputHeader] { [] }
}
