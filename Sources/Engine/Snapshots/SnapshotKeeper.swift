package import State

/// A task's side of its snapshots: when one is due, what its journal entries refer to, what may go.
///
/// One snapshot after the other: the journal's end is asked for, then the state is captured where
/// nothing is uncommitted in memory, then written; the next entry refers to it, and once that entry
/// is committed, what only older entries needed is trimmed. A failure costs nothing but a later
/// try: nothing refers to a snapshot that is not whole.
package struct SnapshotKeeper: Sendable {
    private enum Stage: Sendable {
        case idle
        case asking
        /// The journal's end is known: captures when nothing is uncommitted.
        case armed(Int64)
        case writing
        /// The next entry will refer to it.
        case written(SnapshotReference)
        /// The commit under way refers to it.
        case installing
        case trimDue(SnapshotTrim)
        case trimming
    }

    /// When snapshots are due; `nil` for never.
    package var policy: SnapshotPolicy?
    /// The snapshot that the last entry refers to.
    package private(set) var live: SnapshotReference?
    /// The one before it.
    package private(set) var previous: SnapshotReference?
    /// Entries that a restore skips.
    package private(set) var skipped: SkippedEntries?
    /// Records taken since the state of the live snapshot: what a restore replays.
    package private(set) var recordsSinceLive = 0
    /// Snapshots that the journal refers to, made by this task since its start.
    package private(set) var installedCount = 0
    /// Jobs that failed since the start.
    package private(set) var failureCount = 0

    private var recordsSinceCapture = 0
    private var stage = Stage.idle
    private var isRequested = false
    /// Whether the state captured last was captured after a request.
    private var answersRequest = false
    private var consecutiveFailures = 0
    private var retryAt = Int64.min
    private var lastCapture: Int64?

    package init(
        policy: SnapshotPolicy?, live: SnapshotReference? = nil,
        previous: SnapshotReference? = nil, skipped: SkippedEntries? = nil
    ) {
        self.policy = policy
        self.live = live
        self.previous = previous
        self.skipped = skipped
    }

    /// Whether something of a snapshot is asked for or under way, its trim included.
    package var isUnderWay: Bool {
        if case .idle = stage { return isRequested && policy != nil }
        return true
    }

    /// Whether the next entry will refer to a new snapshot, so that a commit is due for it alone.
    package var hasReferenceToInstall: Bool {
        if case .written = stage { return true }
        return false
    }

    package mutating func note(records: Int) {
        recordsSinceLive += records
        recordsSinceCapture += records
    }

    /// Whether a snapshot was asked for, and none that was captured since is referred to yet.
    package var hasOpenRequest: Bool { isRequested || answersRequest }

    /// Makes a snapshot due whatever the policy's numbers say; again after one that fails.
    package mutating func request() {
        isRequested = true
        retryAt = .min
    }

    /// The next job, if there is one; `capture` is called when the state stands between commits.
    package mutating func takeJob(
        now: Int64, isAtBoundary: Bool, capture: (_ journalOffset: Int64) -> SnapshotCapture
    ) -> SnapshotJob? {
        switch stage {
        case .idle:
            guard isDue(now: now) else { return nil }
            stage = .asking
            return .findJournalEnd
        case .armed(let journalEnd):
            guard isAtBoundary else { return nil }
            stage = .writing
            recordsSinceCapture = 0
            lastCapture = now
            answersRequest = isRequested
            isRequested = false
            return .write(capture(journalEnd))
        case .trimDue(let trim):
            stage = .trimming
            return .trim(trim)
        case .asking, .writing, .written, .installing, .trimming: return nil
        }
    }

    private mutating func isDue(now: Int64) -> Bool {
        guard let policy, now >= retryAt else { return false }
        if isRequested || recordsSinceCapture >= policy.recordsBetween { return true }
        // The age counts from the first look, so that a start does not make one due.
        let since = lastCapture ?? now
        lastCapture = since
        return recordsSinceCapture > 0 && now - since >= policy.ageMilliseconds
    }

    /// Takes a job's outcome.
    package mutating func jobDone(_ outcome: SnapshotOutcome, now: Int64) {
        switch (outcome, stage) {
        case (.journalEnd(let end), .asking): stage = .armed(end)
        case (.written(let reference), .writing):
            stage = .written(reference)
            consecutiveFailures = 0
        case (.trimmed, .trimming): stage = .idle
        case (.failed, .asking), (.failed, .writing), (.failed, .trimming):
            failureCount += 1
            if case .writing = stage {
                recordsSinceCapture = recordsSinceLive
                if answersRequest { isRequested = true }
                answersRequest = false
            }
            if case .trimming = stage {
                // The next snapshot's trim covers this one's.
            } else if let policy {
                retryAt = now + min(60_000, policy.retryMilliseconds << min(6, consecutiveFailures))
                consecutiveFailures += 1
            }
            stage = .idle
        default: preconditionFailure("\(outcome) is the outcome of no job under way")
        }
    }

    /// What the entry being formed refers to: a snapshot that is ready becomes the live one.
    ///
    /// Chunks are appended. One that stands before the last snapshot's is in a topic that was made
    /// anew, where that snapshot is not any more: its offsets must not say what is trimmed there.
    package mutating func install() {
        guard case .written(let reference) = stage else { return }
        previous = live.flatMap {
            $0.indexOffset < reference.firstChunkOffset ? $0 : nil
        }
        live = reference
        stage = .installing
        if let range = skipped, let older = previous, older.sequence >= range.through {
            skipped = nil
        }
    }

    /// The entry formed last is committed.
    package mutating func committed() {
        guard case .installing = stage, let live else { return }
        installedCount += 1
        answersRequest = false
        recordsSinceLive = recordsSinceCapture
        stage = .trimDue(
            SnapshotTrim(
                journalBefore: previous?.journalOffset ?? 0,
                chunksBefore: (previous ?? live).firstChunkOffset))
    }
}
