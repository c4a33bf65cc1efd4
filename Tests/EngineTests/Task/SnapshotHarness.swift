import Core
import Engine
import State
import TestSupport
import Testing

/// Predicts the hash of everything seen so far: any loss, repeat or change of order shows.
final class RunningHash: BatchProcessor {
    let fingerprint: UInt64
    let version: UInt32
    let settings: [TextPair]
    var hash: UInt64 = 1
    var stateBytes: Int { 8 + padding.count }
    /// Makes the state larger than a chunk.
    var padding: [UInt8]

    init(
        fingerprint: UInt64 = 42, paddingBytes: Int = 0, version: UInt32 = 1,
        settings: [TextPair] = []
    ) {
        self.fingerprint = fingerprint
        self.version = version
        self.settings = settings
        var random = SplitMix64(seed: 3)
        padding = (0..<paddingBytes).map { _ in UInt8(random.next(below: 256)) }
    }

    private struct Capture: StateCapture {
        let hash: UInt64
        let padding: [UInt8]
        var stateBytes: Int { 8 + padding.count }
        func encode(to encoder: inout StateEncoder) {
            encoder.section("hash", version: 1)
            encoder.write(hash)
            encoder.write(padding)
        }
    }

    func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        for index in records.indices {
            let record = records[index]
            var next = ContentHash(seed: hash)
            next.combine(record.value)
            next.combine(UInt64(record.partition))
            hash = next.value
            output.open(key: record.key, hasKey: true)
            output.content.append("\(record.offset):\(hash)")
            output.close(.predictions, partition: record.partition)
        }
    }

    /// What is predicted for the records of one input by a model that begins with the first.
    static func predictions(_ records: some Collection<MemoryLog.Record>) -> [String] {
        var hash: UInt64 = 1
        return records.map { record in
            var next = ContentHash(seed: hash)
            next.combine(record.value.span)
            next.combine(0 as UInt64)
            hash = next.value
            return "\(record.offset):\(hash)"
        }
    }

    func captureState() -> any StateCapture { Capture(hash: hash, padding: padding) }

    func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("hash", through: 1)
        let found = try decoder.readUInt64()
        let bytes = try decoder.readBytes()
        try decoder.finish()
        hash = found
        padding = bytes
    }
}

/// What stays when a process dies: inputs, committed output, stored chunks.
final class DurableWorld {
    var records: [[MemoryLog.Record]]
    let output = MemoryOutput()
    let store = MemoryChunkStore()

    init(records: [[MemoryLog.Record]]) { self.records = records }

    var entries: [JournalEntry] {
        get throws {
            try output.committed(.journal).map { try JournalEntry(decoding: $0.value) }
        }
    }

    /// The journal as it is stored: an entry at every second offset, less what is trimmed.
    var journal: [MemoryLog.Record] {
        output.committed(.journal).enumerated().compactMap { index, record in
            let offset = Int64(index * 2)
            guard offset >= store.journalStart else { return nil }
            return MemoryLog.Record(offset: offset, timestamp: 0, key: [], value: record.value)
        }
    }

    /// The committed predictions of ``RunningHash``.
    var predictions: [String] {
        output.committed(.predictions).map { String(decoding: $0.value, as: UTF8.self) }
    }

    var journalEnd: Int64 { Int64(max(0, output.committed(.journal).count * 2 - 1)) }
}

/// One process on a ``DurableWorld``: a task that was restored, and its snapshot work.
final class SnapshotRun {
    let world: DurableWorld
    let task: PipelineTask
    let log: MemoryLog
    let start: TaskStart
    private(set) var replayedRecords = 0
    private var cycle = CommitCycle(giveUpAfter: 60_000)
    private var work: SnapshotWork?

    init(
        _ world: DurableWorld, processor: any BatchProcessor, recordsBetween: Int = 50,
        commits: CommitPolicy = .every(0), batchLimit: Int = 7,
        onLostInput: Pipeline.State.LostInputPolicy = .stop, doubtsInput: Bool = false,
        references: [SnapshotReference]? = nil
    ) throws {
        self.world = world
        try world.output.initialize()
        log = MemoryLog(topic: "in", world.records)
        let journal = MemoryLog(topic: "journal", [world.journal])
        try journal.seek(
            0,
            to: TaskLoading.journalOffset(start: world.store.journalStart, end: world.journalEnd))
        var loading = TaskLoading(
            task: 0, processor: processor, journal: journal,
            journalStart: world.store.journalStart, journalEnd: world.journalEnd,
            store: world.store, inputs: log.partitions,
            startOffsets: world.records.map { $0.first?.offset ?? 0 }, onLostInput: onLostInput,
            doubtsInput: doubtsInput, references: references)
        var found: TaskStart?
        while found == nil {
            switch try loading.step() {
            case .working: continue
            case .waiting: throw HarnessError("loading of what is there never waits")
            case .done(let start): found = start
            }
        }
        start = try #require(found)
        for (input, offset) in start.offsets.enumerated() { try log.seek(input, to: offset) }
        task = PipelineTask(
            index: 0, processor: processor, log: log, start: start, journal: journal,
            journalEnd: world.journalEnd, generation: 1, policy: commits,
            snapshots: SnapshotPolicy(
                recordsBetween: recordsBetween, ageMilliseconds: .max, retryMilliseconds: 0),
            batchLimit: batchLimit, waitLimit: 10)
        while !task.isLive {
            let progress = try task.restore(now: 0)
            replayedRecords += progress.records
            if progress.isWaiting { throw HarnessError("a replay of what is there never waits") }
        }
    }

    /// Commits what there is; false if the task was dropped.
    func commit(force: Bool = true) -> Bool {
        guard let request = task.takeCommit(now: 0, force: force) else { return true }
        cycle.start()
        while true {
            switch cycle.step(request, on: world.output, now: 0) {
            case .again, .wait: continue
            case .committed:
                task.commitDone(request)
                return true
            case .dropped: return false
            }
        }
    }

    /// Makes one step of the snapshot's work, if there is any; false if there is none.
    func stepSnapshot() -> Bool {
        world.store.journalEndOffset = Int64(world.output.committed(.journal).count * 2)
        if work == nil { work = task.takeSnapshotJob(now: 0).map { SnapshotWork($0) } }
        guard var current = work.take() else { return false }
        if let outcome = current.step(on: world.store) {
            task.snapshotJobDone(outcome, now: 0)
        } else {
            work = current
        }
        return true
    }

    /// Takes everything there is, with all snapshots that fall due.
    func runToEnd() throws {
        #expect(commit())
        while try task.step(now: 0) != .idle {
            #expect(commit())
            while stepSnapshot() {}
        }
        #expect(commit())
        while stepSnapshot() { #expect(commit()) }
    }

    /// Makes a snapshot now, and commits the entry that refers to it.
    func makeSnapshot() {
        task.requestSnapshot()
        while stepSnapshot() {}
        #expect(commit())
        while stepSnapshot() {}
    }
}

struct HarnessError: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// Records with gaps in their offsets and times that go on by 0 to 3 ms.
func randomRecords(
    partitions: Int, count: Int, seed: UInt64, value: (Int) -> String = { "v\($0)" }
) -> [[MemoryLog.Record]] {
    var random = SplitMix64(seed: seed)
    return (0..<partitions).map { partition in
        var offset: Int64 = 0
        var time: Int64 = 0
        return (0..<count).map { index in
            offset += random.next(below: 5) == 0 ? 2 : 1
            time += Int64(random.next(below: 4))
            return MemoryLog.Record(
                offset: offset, timestamp: time, key: "\(partition)-\(index)", value: value(index))
        }
    }
}
