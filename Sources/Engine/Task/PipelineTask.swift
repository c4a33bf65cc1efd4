import Core
package import State

/// The life of one state: reads its inputs in one order, computes, and forms commits.
///
/// A state machine without threads or clocks, stepped from outside by its owner. First it replays
/// the journal from where a ``TaskLoading`` says (``restore(now:)``), then it is live:
/// ``step(now:)`` takes records, ``takeCommit(now:force:)`` hands out what is to be committed,
/// ``commitDone(_:)`` gives the memory back. One commit is under way at a time while computing goes
/// on. After each turn the owner asks for ``takeSnapshotJob(now:)``: work that blocks, for another
/// thread, whose outcome goes to ``snapshotJobDone(_:now:)``.
package final class PipelineTask {
    /// The task's number: that of its journal partition.
    package let index: Int
    package let processor: any BatchProcessor
    /// The inputs' log; their order numbers them.
    package let log: any InputLog
    /// The generation under which the task is owned; −1 without a group.
    package private(set) var generation: Int32

    private let policy: CommitPolicy
    private let batchLimit: Int
    private let waitLimit: Int64
    private var merge: MergeRound
    var building: CommitBuilder
    /// Memory for the next commit; `nil` while a commit is under way.
    private var spare: OutputBuffer?
    var positions: [Int64]
    var nextSequence: UInt64 = 0
    private var commitStarted = Int64.min / 2
    private var isAtEnd = false
    /// Whether the last step took all that it may at once, so that there may be much more.
    private var hasFullBatch = false
    /// Inputs that were waited for in vain since they last had a record.
    private var isWaived: [Bool]
    /// Inputs whose empty queue does not hold up the others in this step.
    private var mayRunDry: [Bool]
    /// For each input an offset that it never reaches.
    private let unbounded: [Int64]
    private var waitingSince: Int64?
    /// Whether the next entry must say where the inputs go on, before any record is taken.
    var announcesPositions = false
    /// Whether the outputs of the last entry, which may not have been written, come next.
    private var resends = false
    /// Whether an entry of this task has said what its settings are.
    private var hasToldSettings = false
    /// Whether the task begins a new version of its state where the one before ended.
    package let beginsVersion: Bool
    /// Whether outputs of the version before may be missing: see ``TaskStart/mayLackOutputs``.
    package let mayLackOutputs: Bool
    private var replay: JournalReplay?
    var keeper: SnapshotKeeper

    /// - Parameters:
    ///   - start: Where the task begins, and where the log stands.
    ///   - journal: The task's journal, with one input, at `start`'s offset; `nil` starts without
    ///     replay.
    ///   - journalEnd: The offset that the replay must reach.
    ///   - snapshots: When snapshots are due; `nil` for never.
    ///   - waitLimit: How long an input is waited for that has not said how far it goes, in ms.
    package init(
        index: Int, processor: any BatchProcessor, log: any InputLog, start: TaskStart,
        journal: (any InputLog)?, journalEnd: Int64, generation: Int32, policy: CommitPolicy,
        snapshots: SnapshotPolicy? = nil, batchLimit: Int = 1024, waitLimit: Int64 = 1500
    ) {
        precondition(start.offsets.count == log.partitions.count, "a start offset for each input")
        self.index = index
        self.processor = processor
        self.log = log
        self.generation = generation
        self.policy = policy
        self.batchLimit = batchLimit
        self.waitLimit = waitLimit
        merge = MergeRound(inputCount: start.offsets.count)
        building = CommitBuilder(buffer: OutputBuffer())
        spare = OutputBuffer()
        positions = start.offsets
        nextSequence = start.nextSequence
        beginsVersion = start.beginsVersion
        mayLackOutputs = start.mayLackOutputs
        isWaived = [Bool](repeating: false, count: start.offsets.count)
        mayRunDry = isWaived
        unbounded = [Int64](repeating: .max, count: start.offsets.count)
        keeper = SnapshotKeeper(
            policy: snapshots, live: start.live, previous: start.previous, skipped: start.skipped)
        announcesPositions =
            start.nextSequence == 0 || start.hasLostInput
            || start.namedInputCount < start.offsets.count
        // Without its own entry, what was skipped would be skipped again with more.
        if start.hasLostInput { keeper.request() }
        if start.needsReplay {
            replay = journal.map {
                JournalReplay(
                    journal: $0, journalEnd: journalEnd, fingerprint: processor.fingerprint,
                    start: start)
            }
        }
    }

    /// A task whose inputs begin at these offsets, with all of its journal to be replayed.
    package convenience init(
        index: Int, processor: any BatchProcessor, log: any InputLog, startOffsets: [Int64],
        journal: (any InputLog)?, journalEnd: Int64, generation: Int32, policy: CommitPolicy,
        snapshots: SnapshotPolicy? = nil, batchLimit: Int = 1024, waitLimit: Int64 = 1500
    ) {
        self.init(
            index: index, processor: processor, log: log, start: TaskStart(offsets: startOffsets),
            journal: journal, journalEnd: journalEnd, generation: generation, policy: policy,
            snapshots: snapshots, batchLimit: batchLimit, waitLimit: waitLimit)
    }

    /// Whether the journal is replayed to its end, so that the task may take new records.
    package var isLive: Bool { replay == nil }

    /// The next offset of each input that the task will read.
    package var nextOffsets: [Int64] { positions }

    /// The sequence number of the next commit.
    package var sequence: UInt64 { nextSequence }

    // MARK: Restore

    /// Replays a part of the journal without output; returns how far it is.
    package func restore(now: Int64) throws(TaskFailure) -> RestoreProgress {
        guard var current = replay.take() else { return RestoreProgress(isDone: true) }
        var outcome = RestoreProgress(isDone: false)
        outcome = try current.advance(
            log: log, merge: &merge, processor: processor, scratch: &building.buffer,
            batchLimit: batchLimit)
        if outcome.isDone {
            // The log stands behind the last record replayed: the task goes live just there.
            positions = current.positions
            nextSequence = current.nextSequence
            announcesPositions = nextSequence == 0 || current.namedInputCount < positions.count
            keeper.note(records: current.recordCount)
            resends = !building.buffer.isEmpty
        } else {
            replay = current
        }
        return outcome
    }

    /// Goes on at other offsets than the journal's; the next entry says so before any record is
    /// taken. Only right after the restore.
    package func moveOn(to offsets: [Int64]) throws(TaskFailure) {
        precondition(
            isLive && spare != nil && !building.hasWork, "a task moves on before it takes records")
        precondition(offsets.count == positions.count, "an offset for each input")
        for input in positions.indices where positions[input] != offsets[input] {
            positions[input] = offsets[input]
            announcesPositions = true
            try log.move(input, to: offsets[input])
        }
    }

    /// Whether the state is that of the last commit, which has happened: nothing was computed since.
    package var isClean: Bool { spare != nil && !building.hasWork && !resends }

    /// The outputs of the last entry are known to be written: they are not sent again. Only right
    /// after the restore.
    package func confirmOutputs() {
        precondition(isLive && spare != nil && !building.hasWork, "the task took records")
        resends = false
        building.buffer.clear()
    }

    /// Goes on under a later assignment, which found the task as its last commit left it.
    package func adopt(generation newGeneration: Int32) {
        precondition(isClean, "a task with uncommitted work is not kept")
        generation = newGeneration
    }

    // MARK: Live

    /// Takes up to a batch of records through the pipeline.
    ///
    /// - Parameter now: A monotonic time in milliseconds; bounds waiting, never reaches the state.
    package func step(now: Int64) throws(TaskFailure) -> TaskActivity {
        precondition(isLive, "a task that is being restored takes no records")
        if announcesPositions || resends { return .blocked }
        if spare == nil, building.buffer.byteCount >= policy.byteLimit { return .blocked }
        if spare == nil, building.rounds.count * positions.count >= policy.roundLimit {
            return .blocked
        }
        var queuedTotal = 0
        var missing = false
        for input in positions.indices {
            try log.fetch(input, upTo: batchLimit)
            let queued = log.queuedCount(input)
            let isEnded = log.endOffset(input) != nil
            queuedTotal += queued
            if queued > 0 { isWaived[input] = false }
            if queued == 0, !isEnded, !isWaived[input] { missing = true }
            mayRunDry[input] = isEnded || isWaived[input]
        }
        guard queuedTotal > 0 else {
            waitingSince = nil
            isAtEnd = !missing
            if isAtEnd { skipMarkers() }
            return missing ? .waiting : .idle
        }
        if missing {
            let since = waitingSince ?? now
            waitingSince = since
            guard now - since >= waitLimit else { return .waiting }
            for input in positions.indices where log.queuedCount(input) == 0 {
                isWaived[input] = true
                mayRunDry[input] = true
            }
        }
        waitingSince = nil
        let count = try consume()
        hasFullBatch = count == batchLimit
        keeper.note(records: count)
        return .worked(records: count)
    }

    private func consume() throws(TaskFailure) -> Int {
        let count: Int
        if positions.count == 1 {
            count = try consumeSingleInput()
        } else {
            merge.merge(log, ends: unbounded, mayRunDry: mayRunDry, limit: batchLimit)
            count = merge.records.count
            try merge.process(with: processor, log: log, into: &building.buffer)
            for input in positions.indices where merge.taken[input] > 0 {
                positions[input] = merge.nextOffset(input)
            }
            let ignored = merge.ignoredInput
            merge.release(log)
            if count > 0 {
                building.note(count: count, ends: positions, ignoredInput: ignored)
            }
        }
        isAtEnd = positions.indices.allSatisfy {
            log.queuedCount($0) == 0 && log.endOffset($0) != nil
        }
        if isAtEnd { skipMarkers() }
        return count
    }

    /// One input needs no merge: its queue is the order.
    private func consumeSingleInput() throws(TaskFailure) -> Int {
        var failure: TaskFailure?
        let limit = batchLimit
        let taken = log.withQueued(0) { span -> (count: Int, next: Int64) in
            let count = min(limit, span.count)
            do throws(TaskFailure) {
                try processor.process(
                    span.extracting(0..<count), headers: { self.log.headers(0, $0) },
                    into: &building.buffer)
            } catch {
                failure = error
            }
            return (count, span[count - 1].offset + 1)
        }
        if let failure { throw failure }
        positions[0] = taken.next
        log.release(0, taken.count)
        building.note(count: taken.count, ends: positions, ignoredInput: false)
        return taken.count
    }

    /// Moves the positions past transaction markers, so that a drained input shows no lag.
    private func skipMarkers() {
        for input in positions.indices {
            if let end = log.endOffset(input), log.queuedCount(input) == 0, end > positions[input] {
                positions[input] = end
            }
        }
    }

    // MARK: Committing

    /// Whether ``takeCommit(now:force:)`` would give something now.
    package func isCommitDue(now: Int64, force: Bool = false) -> Bool {
        guard isLive, spare != nil else { return false }
        return resends || sendsAhead || isEntryDue(now: now, force: force)
    }

    /// Whether outputs are to leave before the entry that covers them: with one input their order
    /// needs no record, and at least once they may be written again.
    private var sendsAhead: Bool {
        policy.guarantee == .atLeastOnce && positions.count == 1 && building.pendingCount > 0
            && !building.buffer.isEmpty
    }

    private func isEntryDue(now: Int64, force: Bool) -> Bool {
        if announcesPositions { return true }
        guard building.hasWork || keeper.hasReferenceToInstall else { return false }
        if force { return true }
        let elapsed = now - commitStarted
        return elapsed >= policy.busyInterval
            || (isQuiet && elapsed >= policy.idleInterval)
            || building.buffer.byteCount >= policy.byteLimit
            || building.rounds.count * positions.count >= policy.roundLimit
    }

    /// The time at which a commit will be due if nothing else happens; `nil` if none is.
    package func nextCommitTime() -> Int64? {
        guard isLive, spare != nil, building.hasWork || keeper.hasReferenceToInstall else {
            return nil
        }
        return commitStarted + (isQuiet ? policy.idleInterval : policy.busyInterval)
    }

    /// Whether the inputs are read to their ends, or little comes.
    private var isQuiet: Bool {
        isAtEnd || (!hasFullBatch && building.recordCount <= CommitPolicy.fewRecords)
    }

    /// Hands out the commit of everything computed so far, if one is due.
    ///
    /// - Parameter force: Commit what there is, as before a shutdown.
    package func takeCommit(now: Int64, force: Bool = false) -> CommitRequest? {
        guard isCommitDue(now: now, force: force), let fresh = spare.take() else { return nil }
        if resends { return takeOutputsAgain(replacing: fresh) }
        guard isEntryDue(now: now, force: force) else { return takeOutputs(replacing: fresh) }
        commitStarted = now
        announcesPositions = false
        let digest = building.digest()
        let count = building.recordCount
        let pendingCount = building.pendingCount
        let isClaimed = policy.guarantee == .atLeastOnce
        keeper.install()
        let entry = JournalEntry(
            fingerprint: processor.fingerprint, sequence: nextSequence, generation: generation,
            inputs: log.partitions, nextOffsets: positions, rounds: building.rounds,
            recordCount: UInt64(count), predictionCount: digest.count, predictionHash: digest.hash,
            learnedHash: dueLearnedHash(), live: keeper.live, previous: keeper.previous,
            skipped: keeper.skipped, version: processor.version,
            settings: hasToldSettings ? nil : processor.settings, isClaimed: isClaimed)
        hasToldSettings = true
        var buffer = building.take(replacing: fresh)
        let bytes = entry.encoded()
        buffer.append(bytes.span, to: .journal, partition: Int32(index))
        // Of several inputs the entry alone knows the order: nothing is shown before it is written.
        if isClaimed, positions.count > 1 { buffer.moveLastToFront() }
        nextSequence += 1
        return CommitRequest(
            buffer: buffer, positions: inputPositions, sequence: entry.sequence,
            recordCount: pendingCount)
    }

    private var inputPositions: [InputPosition] {
        zip(log.partitions, positions).map { InputPosition(partition: $0, nextOffset: $1) }
    }

    /// Outputs ahead of their entry.
    private func takeOutputs(replacing fresh: consuming OutputBuffer) -> CommitRequest {
        let count = building.pendingCount
        return CommitRequest(
            buffer: building.takeOutputs(replacing: fresh), positions: [],
            sequence: nextSequence - 1, recordCount: count)
    }

    /// The outputs of the last entry, restored.
    private func takeOutputsAgain(replacing fresh: consuming OutputBuffer) -> CommitRequest {
        resends = false
        return CommitRequest(
            buffer: building.take(replacing: fresh), positions: inputPositions,
            sequence: nextSequence - 1, recordCount: 0)
    }

    /// The commit happened: its memory serves the next one.
    package func commitDone(_ request: consuming CommitRequest) {
        precondition(spare == nil, "no commit is under way")
        var buffer = request.intoBuffer()
        buffer.clear()
        spare = consume buffer
        keeper.committed()
    }
}
