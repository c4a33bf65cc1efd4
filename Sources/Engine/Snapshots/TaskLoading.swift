import Core
package import State

/// Finds out where a task begins: reads the journal's last entry and loads the snapshot that it
/// refers to, or the one before it, or says that everything must be replayed.
///
/// A state machine without threads or clocks: each step reads what the journal's log has, or makes
/// at most one call of the store. The processor has the loaded state in the end, and the journal
/// stands where its replay begins. Comes after the output's `initialize`, which settles what the
/// predecessor left, and with the journal's end that was asked for after that.
package struct TaskLoading {
    /// How far a loading is.
    package enum Progress: Sendable, Equatable {
        /// Step again at once.
        case working(bytes: Int, of: Int)
        /// Step again when the journal's log may have something new.
        case waiting
        /// The task can be made.
        case done(TaskStart)
    }

    enum Stage {
        /// Looks for the last committed entry from this offset on.
        case findEntry(from: Int64)
        /// Reads the `attempt`th of the references.
        case load(SnapshotReader, attempt: Int)
        /// Looks for the last entry that began a pipeline version, in the whole journal.
        case findBeginning(Int64?)
        /// Looks for the settings that the state was recorded with, to name what has changed.
        case findSettings(RecordedSettings, failure: TaskFailure)
    }

    /// Offsets before the journal's end where the last entry is looked for first; an entry takes
    /// two, with its transaction's marker.
    private static let firstWindow: Int64 = 64

    let task: Int
    let processor: any BatchProcessor
    private let journal: any InputLog
    let journalStart: Int64
    private let journalEnd: Int64
    private let confirmedEnd: Int64?
    let store: any ChunkStore
    let inputs: [TopicPartition]
    let startOffsets: [Int64]
    let lostInputPolicy: Pipeline.State.LostInputPolicy
    private let doubtsInput: Bool
    private var chosen: [SnapshotReference]?
    var stage: Stage
    private var window: Int64 = firstWindow
    private var journalReached: Int64
    var journalHadRecords = false
    private var filter = JournalFilter()
    var last: JournalEntry?
    private var lastDamage: TaskFailure?
    private var notes: [String] = []
    private var sawNewerFormat = false

    /// Where the journal's log must stand at the beginning.
    package static func journalOffset(start: Int64, end: Int64) -> Int64 {
        max(start, end - firstWindow)
    }

    /// - Parameters:
    ///   - processor: In its first state; in the end in the loaded one.
    ///   - journal: The task's journal, with one input, at
    ///     ``journalOffset(start:end:)``.
    ///   - journalStart: The first offset that the journal has.
    ///   - journalEnd: The offset after its last record, uncommitted ones included.
    ///   - confirmedEnd: The offset after an entry that the group confirmed, if it did: where entries
    ///     are claimed, those before it do not tell which of the ones after it count.
    ///   - startOffsets: The first offset that each input has, or where a new task begins.
    ///   - doubtsInput: Whether the inputs may not be the ones that were learned. Then the snapshot
    ///     before the live one is loaded, so that the replay of what came between compares the
    ///     predictions; without one, everything is replayed if the inputs begin at offset 0.
    ///   - references: The snapshots to begin with, the best first, when a moment is wanted that the
    ///     last entry's references do not serve best.
    package init(
        task: Int, processor: any BatchProcessor, journal: any InputLog, journalStart: Int64,
        journalEnd: Int64, confirmedEnd: Int64? = nil, store: any ChunkStore,
        inputs: [TopicPartition], startOffsets: [Int64],
        onLostInput: Pipeline.State.LostInputPolicy = .stop, doubtsInput: Bool = false,
        references: [SnapshotReference]? = nil
    ) {
        precondition(startOffsets.count == inputs.count, "a start offset for each input")
        precondition(!doubtsInput || references == nil, "doubt chooses by itself")
        self.task = task
        self.processor = processor
        self.journal = journal
        self.journalStart = journalStart
        self.journalEnd = journalEnd
        self.confirmedEnd = confirmedEnd
        self.store = store
        self.inputs = inputs
        self.startOffsets = startOffsets
        lostInputPolicy = onLostInput
        self.doubtsInput = doubtsInput
        chosen = references
        let first = Self.journalOffset(start: journalStart, end: journalEnd)
        stage = .findEntry(from: first)
        journalReached = first
    }

    /// Goes on by one piece of work.
    package mutating func step() throws(TaskFailure) -> Progress {
        switch stage {
        case .findEntry(let from): return try findEntry(from: from)
        case .load(var reader, let attempt):
            let content: SnapshotReader.Content?
            do throws(SnapshotProblem) {
                content = try reader.step(on: store)
            } catch {
                return try fallBack(from: attempt, problem: error)
            }
            stage = .load(reader, attempt: attempt)
            if let content { return try restore(content, attempt: attempt) }
            return .working(bytes: reader.byteCount, of: reader.byteTotal)
        case .findBeginning(let found): return try findBeginning(found)
        case .findSettings(let found, let failure): return try findSettings(found, failure)
        }
    }

    // MARK: The last entry

    private mutating func findEntry(from: Int64) throws(TaskFailure) -> Progress {
        try JournalReplay.poll(journal, upTo: 256)
        let count = journal.queuedCount(0)
        if count > 0 {
            readQueued()
            journal.release(0, count)
        } else if let end = journal.endOffset(0) {
            journalReached = max(journalReached, end)
        } else if journalReached < journalEnd {
            return .waiting
        }
        guard journalReached >= journalEnd else {
            return count > 0 ? .working(bytes: 0, of: 0) : .waiting
        }
        if let lastDamage { throw lastDamage }
        let certain = max(journalStart, (confirmedEnd ?? 0) - 1)
        if let last, !last.isClaimed || from <= certain { return try choose(by: last) }
        if from > journalStart {
            window *= 8
            let earlier = max(journalStart, journalEnd - window)
            try journal.move(0, to: last == nil ? earlier : certain)
            journalReached = last == nil ? earlier : certain
            stage = .findEntry(from: journalReached)
            filter = JournalFilter()
            last = nil
            return .working(bytes: 0, of: 0)
        }
        // No commit ever happened: what stands there, if anything, was aborted.
        if journalStart > 0 { throw .journalTruncated(start: journalStart) }
        return .done(start(needsReplay: false))
    }

    /// Follows the journal's queue to its last entry that counts; what another owner has written
    /// since the journal's end was asked for is not this restore's.
    private mutating func readQueued() {
        for index in 0..<journal.queuedCount(0) {
            let (bytes, offset) = queued(index)
            journalReached = max(journalReached, offset + 1)
            guard offset < journalEnd else { return }
            do throws(StateError) {
                if let entry = try filter.entry(in: bytes) {
                    last = entry
                    lastDamage = nil
                }
            } catch {
                last = nil
                lastDamage = .journalDamaged(offset: offset, error)
            }
        }
    }

    /// A record of the journal's queue, copied.
    private func queued(_ index: Int) -> (bytes: [UInt8], offset: Int64) {
        journal.withQueued(0) { span in
            ([UInt8](copying: span[index].value), span[index].offset)
        }
    }

    private mutating func choose(by entry: JournalEntry) throws(TaskFailure) -> Progress {
        guard entry.version <= processor.version else {
            throw .olderVersion(found: entry.version, expected: processor.version)
        }
        if entry.version < processor.version { return .done(try beginVersion(after: entry)) }
        do throws(TaskFailure) {
            try JournalReplay.check(entry, fingerprint: processor.fingerprint, partitions: inputs)
        } catch {
            guard case .otherPipeline = error else { throw error }
            try journal.move(0, to: journalStart)
            journalReached = journalStart
            filter = JournalFilter()
            stage = .findSettings(
                RecordedSettings(inSnapshot: snapshotSettings(entry)), failure: error)
            return .working(bytes: 0, of: 0)
        }
        if doubtsInput { try beginEarlier(than: entry) }
        return try load(attempt: 0)
    }

    /// Whether it begins earlier than the live snapshot allows, out of doubt.
    private var comparesInput: Bool { doubtsInput && chosen != nil }

    /// Has what came before the live snapshot replayed, if journal and inputs still have it.
    private mutating func beginEarlier(than entry: JournalEntry) throws(TaskFailure) {
        guard let live = entry.live else { return }
        guard let previous = entry.previous else {
            if startOffsets.allSatisfy({ $0 == 0 }) { chosen = [] }
            return
        }
        let index: SnapshotIndex
        do throws(SnapshotProblem) {
            index = try previous.index(ofTask: task, from: store)
        } catch {
            // Once offsets are committed again nobody doubts any more: better asked again than not.
            if case .unreachable(let reason) = error { throw .stateUnreachable(reason) }
            return
        }
        guard previous.journalOffset >= journalStart, index.inputs == inputs,
            zip(index.nextOffsets, startOffsets).allSatisfy({ $0 >= $1 })
        else { return }
        chosen = [previous, live]
    }

    // MARK: Snapshots

    /// The snapshots to try, the best first.
    private var references: [SnapshotReference] {
        chosen ?? [last?.live, last?.previous].compactMap { $0 }
    }

    /// Starts to load a snapshot; when none is left, everything is replayed.
    private mutating func load(attempt: Int) throws(TaskFailure) -> Progress {
        if attempt < references.count {
            let reference = references[attempt]
            stage = .load(
                SnapshotReader(reference, task: task, fingerprint: processor.fingerprint),
                attempt: attempt)
            return .working(bytes: 0, of: Int(clamping: reference.byteCount))
        }
        try journal.move(0, to: journalStart)
        journalReached = journalStart
        filter = JournalFilter()
        stage = .findBeginning(nil)
        return .working(bytes: 0, of: 0)
    }

    /// Reads the journal from its start for the entry that everything is replayed from: the last
    /// one with sequence 0. Entries before it are of an earlier version of the pipeline.
    private mutating func findBeginning(_ earlier: Int64?) throws(TaskFailure) -> Progress {
        var beginning = earlier
        let isAtEnd = try readJournal { entry, offset in
            if entry.sequence == 0 { beginning = offset }
        }
        guard isAtEnd else {
            stage = .findBeginning(beginning)
            return journalHadRecords ? .working(bytes: 0, of: 0) : .waiting
        }
        guard let beginning else {
            if comparesInput, references.isEmpty {
                chosen = nil
                return try load(attempt: 0)
            }
            if notes.isEmpty { throw .journalTruncated(start: journalStart) }
            throw .snapshotsLost(notes, isNewer: sawNewerFormat)
        }
        if !notes.isEmpty { notes.append("the whole journal is replayed instead") }
        try journal.move(0, to: beginning)
        var start = start(needsReplay: true)
        start.journalOffset = beginning
        start.skipped = last?.skipped
        if comparesInput, references.isEmpty { keepReferences(&start) }
        return .done(start)
    }

    /// What was replayed out of doubt does not take the place of the snapshots that stand.
    private func keepReferences(_ start: inout TaskStart) {
        start.live = last?.live
        start.previous = last?.previous
        start.doubtedThrough = last?.live?.sequence
    }

    private mutating func fallBack(
        from attempt: Int, problem: SnapshotProblem
    ) throws(TaskFailure) -> Progress {
        if case .unreachable(let reason) = problem { throw .stateUnreachable(reason) }
        if case .newerFormat = problem { sawNewerFormat = true }
        notes.append(
            "the snapshot after entry \(references[attempt].sequence) cannot be loaded: "
                + problem.message)
        return try load(attempt: attempt + 1)
    }

    /// Takes what the journal's log has; true at the journal's end.
    ///
    /// An entry that cannot be read is passed over: the replay tells it, if it comes that way.
    mutating func readJournal(
        _ body: (JournalEntry, Int64) -> Void
    ) throws(TaskFailure) -> Bool {
        try JournalReplay.poll(journal, upTo: 256)
        let count = journal.queuedCount(0)
        journalHadRecords = count > 0
        for index in 0..<count {
            let (bytes, offset) = queued(index)
            journalReached = max(journalReached, offset + 1)
            guard offset < journalEnd else { break }
            if let entry = try? filter.entry(in: bytes) { body(entry, offset) }
        }
        if count > 0 {
            journal.release(0, count)
        } else if let end = journal.endOffset(0) {
            journalReached = max(journalReached, end)
        }
        return journalReached >= journalEnd
    }

    private mutating func restore(
        _ content: SnapshotReader.Content, attempt: Int
    ) throws(TaskFailure) -> Progress {
        let index = content.index
        guard let last, index.inputs.count <= inputs.count,
            Array(inputs.prefix(index.inputs.count)) == index.inputs,
            index.sequence <= last.sequence
        else { return try fallBack(from: attempt, problem: .otherTask) }
        var decoder = content.state
        do throws(StateError) {
            try processor.restoreState(from: &decoder)
        } catch {
            return try fallBack(from: attempt, problem: SnapshotProblem(error))
        }
        var start = start(needsReplay: true)
        start.offsets.replaceSubrange(index.nextOffsets.indices, with: index.nextOffsets)
        start.nextSequence = index.sequence + 1
        if let range = last.skipped, range.after == index.sequence {
            start.nextSequence = range.through + 1
            start.offsets.replaceSubrange(range.nextOffsets.indices, with: range.nextOffsets)
        }
        start.needsReplay = start.nextSequence <= last.sequence
        start.namedInputCount = start.needsReplay ? index.inputs.count : last.inputs.count
        start.loaded = references[attempt]
        if comparesInput, attempt == 0 {
            keepReferences(&start)
        } else {
            start.live = start.loaded
            start.previous = attempt + 1 < references.count ? references[attempt + 1] : nil
        }
        start.skipped = last.skipped
        start.journalOffset = max(journalStart, start.loaded?.journalOffset ?? 0)
        try findLostInput(&start, snapshot: index.sequence, last: last)
        if start.needsReplay { try journal.move(0, to: start.journalOffset) }
        return .done(start)
    }

    /// Compares where the snapshot goes on with what the inputs still have.
    private func findLostInput(
        _ start: inout TaskStart, snapshot: UInt64, last: JournalEntry
    ) throws(TaskFailure) {
        let offsets = start.offsets
        guard let input = inputs.indices.first(where: { offsets[$0] < startOffsets[$0] }) else {
            return
        }
        guard lostInputPolicy == .continueFromSnapshot else {
            throw .log(
                .lostRecords(
                    inputs[input], offset: offsets[input], firstOffset: startOffsets[input]))
        }
        for input in inputs.indices {
            let done = input < last.nextOffsets.count ? last.nextOffsets[input] : offsets[input]
            let next = max(done, startOffsets[input])
            start.offsets[input] = next
            guard next > offsets[input] else { continue }
            start.notes.append(
                "\(inputs[input].topic)[\(inputs[input].partition)]: offsets \(offsets[input]) to "
                    + "\(next - 1) are skipped: the records from \(offsets[input]) to "
                    + "\(startOffsets[input] - 1) are gone; those before \(done) have their "
                    + "predictions, but the model goes on without having learned them")
        }
        start.nextSequence = last.sequence + 1
        start.skipped = SkippedEntries(
            after: snapshot, through: last.sequence + 1, nextOffsets: start.offsets)
        start.needsReplay = false
        start.hasLostInput = true
    }

    func start(needsReplay: Bool) -> TaskStart {
        var start = TaskStart(offsets: startOffsets)
        start.needsReplay = needsReplay
        start.notes = notes
        return start
    }
}
