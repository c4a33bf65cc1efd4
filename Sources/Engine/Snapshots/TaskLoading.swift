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

    private enum Stage {
        /// Looks for the last committed entry from this offset on.
        case findEntry(from: Int64)
        /// Reads the `attempt`th of the last entry's references.
        case load(SnapshotReader, attempt: Int)
    }

    /// Offsets before the journal's end where the last entry is looked for first; an entry takes
    /// two, with its transaction's marker.
    private static let firstWindow: Int64 = 64

    private let task: Int
    private let processor: any BatchProcessor
    private let journal: any InputLog
    private let journalStart: Int64
    private let journalEnd: Int64
    private let store: any ChunkStore
    private let inputs: [TopicPartition]
    private let startOffsets: [Int64]
    private let lostInputPolicy: Pipeline.State.LostInputPolicy
    private var stage: Stage
    private var window: Int64 = firstWindow
    private var journalReached: Int64
    private var last: JournalEntry?
    private var lastDamage: TaskFailure?
    private var notes: [String] = []

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
    ///   - startOffsets: The first offset that each input has, or where a new task begins.
    package init(
        task: Int, processor: any BatchProcessor, journal: any InputLog, journalStart: Int64,
        journalEnd: Int64, store: any ChunkStore, inputs: [TopicPartition],
        startOffsets: [Int64], onLostInput: Pipeline.State.LostInputPolicy = .stop
    ) {
        precondition(startOffsets.count == inputs.count, "a start offset for each input")
        self.task = task
        self.processor = processor
        self.journal = journal
        self.journalStart = journalStart
        self.journalEnd = journalEnd
        self.store = store
        self.inputs = inputs
        self.startOffsets = startOffsets
        lostInputPolicy = onLostInput
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
        }
    }

    // MARK: The last entry

    private mutating func findEntry(from: Int64) throws(TaskFailure) -> Progress {
        do throws(LogError) {
            try journal.poll(0, upTo: 256)
        } catch {
            throw .log(error)
        }
        let count = journal.queuedCount(0)
        if count > 0 {
            readLastQueued()
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
        if let last { return try choose(by: last) }
        if from > journalStart {
            window *= 8
            let earlier = max(journalStart, journalEnd - window)
            try seekJournal(to: earlier)
            journalReached = earlier
            stage = .findEntry(from: earlier)
            return .working(bytes: 0, of: 0)
        }
        // No commit ever happened: what stands there, if anything, was aborted.
        if journalStart > 0 { throw .journalTruncated(start: journalStart) }
        return .done(start(needsReplay: false))
    }

    /// Reads the last entry of the journal's queue.
    private mutating func readLastQueued() {
        let (bytes, offset) = journal.withQueued(0) { span -> ([UInt8], Int64) in
            let record = span[span.count - 1]
            let value = record.value
            var bytes: [UInt8] = []
            bytes.reserveCapacity(value.count)
            for index in value.indices { bytes.append(value[index]) }
            return (bytes, record.offset)
        }
        journalReached = max(journalReached, offset + 1)
        lastDamage = nil
        last = nil
        do throws(StateError) {
            last = try JournalEntry(decoding: bytes)
        } catch {
            lastDamage = .journalDamaged(offset: offset, error)
        }
    }

    private mutating func choose(by entry: JournalEntry) throws(TaskFailure) -> Progress {
        try JournalReplay.check(entry, fingerprint: processor.fingerprint, partitions: inputs)
        return try load(attempt: 0)
    }

    // MARK: Snapshots

    /// Starts to load a reference of the last entry; when none is left, everything is replayed.
    private mutating func load(attempt: Int) throws(TaskFailure) -> Progress {
        let references = [last?.live, last?.previous]
        if attempt < references.count, let reference = references[attempt] {
            stage = .load(
                SnapshotReader(reference, task: task, fingerprint: processor.fingerprint),
                attempt: attempt)
            return .working(bytes: 0, of: Int(clamping: reference.byteCount))
        }
        guard journalStart == 0 else {
            if notes.isEmpty { throw .journalTruncated(start: journalStart) }
            throw .snapshotsLost(notes)
        }
        if !notes.isEmpty { notes.append("the whole journal is replayed instead") }
        try seekJournal(to: journalStart)
        var start = start(needsReplay: true)
        start.skipped = last?.skipped
        return .done(start)
    }

    private mutating func fallBack(
        from attempt: Int, problem: SnapshotProblem
    ) throws(TaskFailure) -> Progress {
        if case .unreachable(let reason) = problem { throw .stateUnreachable(reason) }
        let reference = attempt == 0 ? last?.live : last?.previous
        notes.append(
            "the snapshot after entry \(reference?.sequence ?? 0) cannot be loaded: "
                + problem.message)
        return try load(attempt: attempt + 1)
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
        start.live = attempt == 0 ? last.live : last.previous
        start.previous = attempt == 0 ? last.previous : nil
        start.skipped = last.skipped
        start.journalOffset = max(journalStart, start.live?.journalOffset ?? 0)
        try findLostInput(&start, snapshot: index.sequence, last: last)
        if start.needsReplay { try seekJournal(to: start.journalOffset) }
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

    private func start(needsReplay: Bool) -> TaskStart {
        var start = TaskStart(offsets: startOffsets)
        start.needsReplay = needsReplay
        start.notes = notes
        return start
    }

    private func seekJournal(to offset: Int64) throws(TaskFailure) {
        do throws(LogError) {
            try journal.seek(0, to: offset)
        } catch {
            throw .log(error)
        }
    }
}
