import Core
import State

/// How far a restore is.
package struct RestoreProgress: Sendable, Equatable {
    /// Whether the journal's end is reached and the task is live.
    package var isDone: Bool
    /// Whether nothing could be done because records have not arrived yet.
    package var isWaiting = false
    /// Input records replayed by this step.
    package var records = 0
    /// The journal offset reached, between where the replay began and `journalEnd`.
    package var journalOffset: Int64 = 0
    package var journalStart: Int64 = 0
    package var journalEnd: Int64 = 0
    /// While a snapshot is loaded: the bytes of the state read so far, and all of them.
    package var loadedBytes = 0
    package var loadBytes = 0

    /// The part of the replay that is done, from 0 to 1; 0 while a snapshot is loaded.
    package var share: Double {
        guard journalEnd > journalStart else { return isDone ? 1 : 0 }
        return Double(max(0, journalOffset - journalStart)) / Double(journalEnd - journalStart)
    }

    package init(isDone: Bool) {
        self.isDone = isDone
    }
}

/// Follows a task's journal from where the task begins: the same records in the same order, without
/// output, comparing the hash of what would have been written with what was.
struct JournalReplay {
    private let journal: any InputLog
    private let journalStart: Int64
    private let journalEnd: Int64
    private let fingerprint: UInt64
    private let skipped: SkippedEntries?
    private let doubtedThrough: UInt64?
    /// The next offset of each input, after what is replayed so far.
    private(set) var positions: [Int64]
    /// The sequence number of the entry after the last one replayed.
    private(set) var nextSequence: UInt64
    /// The inputs that the entries so far name: the first ones of the log's.
    private(set) var namedInputCount: Int
    /// Input records replayed.
    private(set) var recordCount = 0
    /// Whether entries before `nextSequence` may still come, to be passed over.
    private var passesOver: Bool
    private var filter: JournalFilter
    private var entry: JournalEntry?
    private var roundIndex = 0
    private var recordsOfEntry: UInt64 = 0
    private var journalOffset: Int64
    private var ends: [Int64]
    private var mayRunDry: [Bool]

    init(journal: any InputLog, journalEnd: Int64, fingerprint: UInt64, start: TaskStart) {
        self.journal = journal
        self.journalEnd = journalEnd
        self.fingerprint = fingerprint
        journalStart = start.journalOffset
        journalOffset = start.journalOffset
        skipped = start.skipped
        doubtedThrough = start.doubtedThrough
        filter = JournalFilter(claim: start.loaded?.generation ?? 0)
        positions = start.offsets
        nextSequence = start.nextSequence
        namedInputCount = start.namedInputCount
        passesOver = start.nextSequence > 0
        ends = start.offsets
        mayRunDry = [Bool](repeating: false, count: start.offsets.count)
    }

    /// Replays at most a batch of records, or reads on in the journal.
    mutating func advance(
        log: any InputLog, merge: inout MergeRound, processor: any BatchProcessor,
        scratch: inout OutputBuffer, batchLimit: Int
    ) throws(TaskFailure) -> RestoreProgress {
        var progress = RestoreProgress(isDone: false)
        if entry == nil {
            try skipEntries(log: log)
            let found = try nextEntry(log: log)
            // The entry before is not the last one: its outputs were acknowledged.
            if entry != nil { scratch.clear() }
            progress.isDone = !found && journalOffset >= journalEnd
            progress.isWaiting = !found && !progress.isDone
        }
        if let current = entry {
            if roundIndex < current.rounds.count {
                progress.records = try replayRound(
                    current.rounds[roundIndex], inputCount: current.inputs.count, log: log,
                    merge: &merge, processor: processor, scratch: &scratch, limit: batchLimit)
                progress.isWaiting = progress.records == 0 && !isRoundDone
                if isRoundDone { roundIndex += 1 }
            }
            if roundIndex == current.rounds.count {
                try finish(current, processor: processor, scratch: &scratch)
            }
        }
        recordCount += progress.records
        progress.journalOffset = journalOffset
        progress.journalStart = journalStart
        progress.journalEnd = journalEnd
        return progress
    }

    /// Reads the next record of the journal and, if it counts, checks that it follows; false if there
    /// is none yet.
    private mutating func nextEntry(log: any InputLog) throws(TaskFailure) -> Bool {
        try Self.poll(journal, upTo: 16)
        guard journal.queuedCount(0) > 0 else {
            if let end = journal.endOffset(0) { journalOffset = max(journalOffset, end) }
            return false
        }
        let (bytes, offset) = journal.withQueued(0) { span in
            ([UInt8](copying: span[0].value), span[0].offset)
        }
        // Entries behind the end are of another owner, who has gone on with the task meanwhile: what
        // else was asked of that moment does not fit them.
        if offset >= journalEnd {
            journalOffset = journalEnd
            return false
        }
        let found: JournalEntry?
        do {
            found = try filter.entry(in: bytes)
        } catch {
            throw .journalDamaged(offset: offset, error)
        }
        journal.release(0, 1)
        journalOffset = offset + 1
        guard let next = found else { return true }
        if passesOver, next.sequence < nextSequence { return true }
        passesOver = false
        try Self.check(next, fingerprint: fingerprint, partitions: log.partitions)
        guard next.sequence == nextSequence else {
            throw .journalGap(expected: nextSequence, found: next.sequence)
        }
        // An entry without rounds says where its inputs go on: at the start of a pipeline, when an
        // input was added, and where records were skipped on purpose.
        if next.rounds.isEmpty {
            for input in next.inputs.indices where positions[input] != next.nextOffsets[input] {
                positions[input] = next.nextOffsets[input]
                try log.move(input, to: positions[input])
            }
        }
        namedInputCount = max(namedInputCount, next.inputs.count)
        entry = next
        roundIndex = 0
        recordsOfEntry = 0
        return true
    }

    /// Reads on in a journal. Entries that are gone from under a reader were let go of by another
    /// owner, whose snapshots stand for them; where nobody did so, the next start tells what is lost.
    static func poll(_ journal: any InputLog, upTo limit: Int) throws(TaskFailure) {
        do throws(LogError) {
            try journal.poll(0, upTo: limit)
        } catch {
            if case .lostRecords = error { throw .overtaken }
            throw .log(error)
        }
    }

    /// Goes past entries whose records the state never saw.
    private mutating func skipEntries(log: any InputLog) throws(TaskFailure) {
        guard let range = skipped, nextSequence == range.after + 1, range.through >= nextSequence
        else { return }
        nextSequence = range.through + 1
        passesOver = true
        for input in range.nextOffsets.indices {
            positions[input] = range.nextOffsets[input]
            try log.move(input, to: positions[input])
        }
    }

    /// Refuses an entry of another pipeline version, numeric contract or input.
    static func check(
        _ next: JournalEntry, fingerprint: UInt64, partitions: [TopicPartition]
    ) throws(TaskFailure) {
        guard next.numericsVersion == numericsVersion else {
            throw .otherNumerics(found: next.numericsVersion)
        }
        guard next.fingerprint == fingerprint else {
            throw .otherPipeline(found: next.fingerprint, expected: fingerprint)
        }
        // Inputs may have grown since: the ones of the entry come first, in the same order.
        guard next.inputs.count <= partitions.count,
            Array(partitions.prefix(next.inputs.count)) == next.inputs
        else { throw .otherInputs(next.inputs) }
    }

    /// Replays a part of one merge round; returns the number of records taken.
    private mutating func replayRound(
        _ round: [Int64], inputCount: Int, log: any InputLog, merge: inout MergeRound,
        processor: any BatchProcessor, scratch: inout OutputBuffer, limit: Int
    ) throws(TaskFailure) -> Int {
        for input in positions.indices {
            ends[input] = input < inputCount ? round[input] : positions[input]
            if positions[input] >= ends[input] {
                mayRunDry[input] = true
                continue
            }
            try log.fetch(input, upTo: limit)
            mayRunDry[input] = isComplete(input, log: log)
        }
        merge.merge(log, ends: ends, mayRunDry: mayRunDry, limit: limit)
        let count = merge.records.count
        if count > 0 {
            try merge.process(with: processor, log: log, into: &scratch)
            for input in positions.indices where merge.taken[input] > 0 {
                positions[input] = merge.nextOffset(input)
            }
            merge.release(log)
            recordsOfEntry += UInt64(count)
        }
        // Offsets up to a round's end that hold no records are transaction markers.
        for input in positions.indices where log.queuedCount(input) == 0 {
            if let end = log.endOffset(input), end >= ends[input] {
                positions[input] = max(positions[input], ends[input])
            }
        }
        for input in positions.indices where isComplete(input, log: log) {
            let next = log.withQueued(input) { $0.isEmpty ? nil : $0[0].offset as Int64? }
            if let next, next >= ends[input] {
                positions[input] = max(positions[input], ends[input])
            }
        }
        return count
    }

    /// Whether the queue holds every record of the input before the round's end.
    private func isComplete(_ input: Int, log: any InputLog) -> Bool {
        if positions[input] >= ends[input] { return true }
        if let end = log.endOffset(input), end >= ends[input] { return true }
        let bound = ends[input]
        return log.withQueued(input) { span in
            // No `&&`: the optimiser of Swift 6.3.1 crashes on a span captured by its autoclosure.
            if span.isEmpty { return false }
            return span[span.count - 1].offset + 1 >= bound
        }
    }

    private var isRoundDone: Bool {
        positions.indices.allSatisfy { positions[$0] >= ends[$0] }
    }

    /// The entry is replayed: its outputs must be those that were committed.
    ///
    /// They are dropped, but for an entry that was written before its outputs: these stay in
    /// `scratch` until the next entry shows that they were acknowledged.
    private mutating func finish(
        _ current: JournalEntry, processor: any BatchProcessor, scratch: inout OutputBuffer
    ) throws(TaskFailure) {
        if let what = difference(from: current, processor: processor, scratch: scratch) {
            if let doubtedThrough, current.sequence <= doubtedThrough {
                throw .otherInput(sequence: current.sequence, what: what)
            }
            throw .replayMismatch(sequence: current.sequence, what: what)
        }
        if !current.isClaimed || current.inputs.count == 1 { scratch.clear() }
        for input in current.inputs.indices {
            positions[input] = max(positions[input], current.nextOffsets[input])
        }
        nextSequence = current.sequence + 1
        entry = nil
    }

    /// What of a replayed entry is not as it was committed.
    private func difference(
        from current: JournalEntry, processor: any BatchProcessor, scratch: borrowing OutputBuffer
    ) -> String? {
        let digest = OutputDigest.of(scratch)
        if recordsOfEntry != current.recordCount {
            return "\(recordsOfEntry) records instead of \(current.recordCount)"
        }
        if digest.count != current.predictionCount {
            return "\(digest.count) predictions instead of \(current.predictionCount)"
        }
        if digest.hash != current.predictionHash { return "other prediction bytes" }
        if let expected = current.learnedHash, expected.contradicts(processor.learnedHash()) {
            return "another state"
        }
        return nil
    }
}
