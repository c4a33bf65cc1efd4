import CPlatform
import Core
import Engine
import Foundation
import Service
import State
import Synchronization

/// What the parts of one task in a worker know of each other.
final class TaskCell: @unchecked Sendable {
    // Safety: `processor` is set before the task is handed to its lane, and read there alone.
    let pipeline: String
    let task: Int
    let trap: CrashTrap
    let events: EventWriter
    /// Set until the task is live.
    let isReplaying = Atomic<Bool>(true)
    /// Whether the state is to be told once the task is live.
    let wantsState = Atomic<Bool>(false)
    /// Set once the process was asked to stop.
    let isStopping: @Sendable () -> Bool
    var processor: (any BatchProcessor)?

    init(
        pipeline: String, task: Int, trap: CrashTrap, events: EventWriter,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        self.pipeline = pipeline
        self.task = task
        self.trap = trap
        self.events = events
        self.isStopping = isStopping
    }
}

/// A task's output with points to die at; tells of commits.
final class InstrumentedOutput: TransactionalOutput, @unchecked Sendable {
    // Safety: used by the task's committer thread alone.
    private let inner: any TransactionalOutput
    private let cell: TaskCell
    private let trap: CrashTrap
    private var lastTold = Int64.min / 2
    private var sequence: UInt64 = 0
    /// The snapshot that the last committed entry named, and the one that the entry under way does.
    private var namedSnapshot: UInt64?
    private var namesSnapshot: UInt64?
    private var hasCommitted = false
    private var dying = OutputBuffer()
    private var namesNewSnapshot: Bool {
        hasCommitted && namesSnapshot != nil && namesSnapshot != namedSnapshot
    }

    init(_ inner: any TransactionalOutput, _ cell: TaskCell) {
        self.inner = inner
        self.cell = cell
        trap = cell.trap
    }

    func initialize() throws(OutputFailure) {
        trap.reach(.beforeInitialize)
        trap.reachDuring(.duringInitialize)
        try inner.initialize()
        trap.reach(.afterInitialize)
    }

    func begin() throws(OutputFailure) {
        cell.isReplaying.store(false, ordering: .relaxed)
        if cell.isStopping() { trap.reach(.stoppingCommit) }
        trap.reach(.beforeBegin)
        try inner.begin()
        trap.reach(.afterBegin)
    }

    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        if trap.isDue(.betweenSends) != nil {
            // Kept beyond the call: its memory is lent until the process is dead.
            dying = firstHalf(of: buffer)
            try? inner.send(dying)
            // Long enough for the records to leave, so that the broker holds an open transaction.
            usleep(UInt32.random(in: 0..<20_000))
            trap.die(.betweenSends)
        }
        namesSnapshot = Self.snapshotNamed(in: buffer)
        try inner.send(buffer)
        trap.reach(.afterSend)
    }

    func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        self.sequence = sequence
        trap.reachDuring(.duringOffsets)
        try inner.sendOffsets(positions, sequence: sequence)
        trap.reach(.afterOffsets)
    }

    func commit() throws(OutputFailure) {
        if namesNewSnapshot {
            trap.reach(.beforeReference)
            trap.reachDuring(.duringReference)
        }
        trap.reachDuring(.duringCommit)
        try inner.commit()
        trap.reach(.afterCommit)
        if namesNewSnapshot { trap.reach(.afterReference) }
        namedSnapshot = namesSnapshot
        hasCommitted = true
        let now = tw_monotonic_nanoseconds()
        // The first one of a process always; sequence 0 holds no predictions.
        if sequence > 0, now - lastTold >= 50_000_000 {
            lastTold = now
            cell.events.write("commit \(cell.pipeline) \(cell.task) \(sequence)")
        }
    }

    func abort() throws(OutputFailure) { try inner.abort() }
    func recreate() throws(OutputFailure) { try inner.recreate() }
    func close() { inner.close() }

    /// The sequence number of the snapshot that the buffer's journal entry names.
    private static func snapshotNamed(in buffer: borrowing OutputBuffer) -> UInt64? {
        guard let index = buffer.journalIndex else { return nil }
        let bytes = [UInt8](copying: buffer.value(of: buffer.entries[index]))
        return (try? JournalEntry(decoding: bytes))?.live?.sequence
    }

    /// The first half of the records, as a buffer of its own.
    private func firstHalf(of buffer: borrowing OutputBuffer) -> OutputBuffer {
        var part = OutputBuffer(capacity: buffer.byteCount + 1)
        for entry in buffer.entries.prefix(max(1, buffer.entries.count / 2)) {
            part.open(key: buffer.key(of: entry), hasKey: entry.keyCount >= 0)
            part.content.append(buffer.value(of: entry))
            part.close(
                entry.stream, partition: entry.partition, timestamp: entry.timestamp,
                headers: entry.headerIndex < 0 ? [] : buffer.headers[entry.headerIndex],
                isTombstone: entry.valueCount < 0)
        }
        return part
    }
}

/// A task's inputs or its journal with points to die at.
final class InstrumentedLog: InputLog {
    private let inner: any InputLog
    private let cell: TaskCell
    private let isJournal: Bool

    init(_ inner: any InputLog, _ cell: TaskCell, isJournal: Bool) {
        self.inner = inner
        self.cell = cell
        self.isJournal = isJournal
    }

    var partitions: [TopicPartition] { inner.partitions }

    func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        try inner.poll(input, upTo: limit)
        if isJournal {
            if inner.queuedCount(0) > 0 { cell.trap.reach(.journalRead) }
        } else if cell.wantsState.exchange(false, ordering: .acquiringAndReleasing) {
            tellState()
        }
    }

    func queuedCount(_ input: Int) -> Int { inner.queuedCount(input) }

    func withQueued<Result>(_ input: Int, _ body: (Span<RawRecord>) -> Result) -> Result {
        inner.withQueued(input, body)
    }

    func release(_ input: Int, _ count: Int) { inner.release(input, count) }
    func endOffset(_ input: Int) -> Int64? { inner.endOffset(input) }

    func seek(_ input: Int, to offset: Int64) throws(LogError) {
        cell.trap.reach(.seek)
        try inner.seek(input, to: offset)
    }

    func headers(_ input: Int, _ index: Int) -> [OutputHeader] { inner.headers(input, index) }

    private func tellState() {
        guard let processor = cell.processor else { return }
        cell.events.write("state \(cell.pipeline) \(cell.task) \(processor.stateHash())")
    }
}

/// Where a task's snapshots are kept, with points to die at; keeps the journal whole when told to.
final class InstrumentedStore: ChunkStore, @unchecked Sendable {
    // Safety: what is used of it is as safe as the store inside.
    private let inner: any ChunkStore
    private let trap: CrashTrap
    private let events: EventWriter
    private let keepsJournal: Bool

    init(_ inner: any ChunkStore, _ cell: TaskCell, keepsJournal: Bool) {
        self.inner = inner
        trap = cell.trap
        events = cell.events
        self.keepsJournal = keepsJournal
    }

    func journalEnd() throws(ChunkError) -> Int64 { try inner.journalEnd() }

    func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        let isIndex = key.suffix(4).allSatisfy { $0 == 0xFF }
        trap.reach(isIndex ? .beforeIndex : .beforeChunk)
        if !isIndex { trap.reachDuring(.duringChunk) }
        let position = try inner.write(key: key, chunk: chunk)
        if isIndex { events.write("snapshot") }
        trap.reach(isIndex ? .afterIndex : .afterChunk)
        return position
    }

    func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8] {
        trap.reach(key.suffix(4).allSatisfy { $0 == 0xFF } ? .loadIndex : .loadChunk)
        return try inner.read(position, key: key)
    }

    func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError) {
        trap.reach(.beforeTrim)
        try inner.trim(
            journalBefore: keepsJournal ? 0 : journalBefore, chunksBefore: chunksBefore)
        trap.reach(.afterTrim)
    }
}

/// A task's computation with points to die at, slowed down when told to.
final class InstrumentedProcessor: BatchProcessor {
    private let inner: any BatchProcessor
    private let cell: TaskCell
    private let nanosecondsPerRecord: Int64

    init(_ inner: any BatchProcessor, _ cell: TaskCell, nanosecondsPerRecord: Int64) {
        self.inner = inner
        self.cell = cell
        self.nanosecondsPerRecord = nanosecondsPerRecord
    }

    var fingerprint: UInt64 { inner.fingerprint }
    var version: UInt32 { inner.version }
    var settings: [TextPair] { inner.settings }
    var stateBytes: Int { inner.stateBytes }

    func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        if cell.isReplaying.load(ordering: .relaxed) {
            cell.trap.reach(.replay)
        } else if nanosecondsPerRecord > 0 {
            usleep(UInt32(Int64(records.count) * nanosecondsPerRecord / 1000))
        }
        try inner.process(records, headers: headers, into: &output)
    }

    func captureState() -> any StateCapture { inner.captureState() }

    func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        try inner.restoreState(from: &decoder)
    }
}
