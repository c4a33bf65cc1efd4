package import State

/// Where a task begins: with an empty state, or with that of a loaded snapshot.
package struct TaskStart: Sendable, Equatable {
    /// Where each input begins; the owner opens the inputs' log there.
    package var offsets: [Int64]
    /// The entry that comes next, replayed or new.
    package var nextSequence: UInt64 = 0
    /// Where the journal is read on; entries before `nextSequence` are passed over.
    package var journalOffset: Int64 = 0
    /// The snapshot that the state comes from.
    package var loaded: SnapshotReference?
    /// The snapshots that the task's entries go on to refer to.
    package var live: SnapshotReference?
    package var previous: SnapshotReference?
    /// Entries that are not replayed.
    package var skipped: SkippedEntries?
    /// The inputs that the entries so far name: the first ones of the task's.
    package var namedInputCount = 0
    /// Whether entries follow that must be replayed.
    package var needsReplay = true
    /// Up to this entry the replay only shows whether the inputs still are what was learned.
    package var doubtedThrough: UInt64?
    /// Whether an entry that says what was skipped must be committed before any record is taken.
    package var hasLostInput = false
    /// Whether a new version of the state begins, where the journal of the one before ends.
    package var beginsVersion = false
    /// Whether the outputs of the entry that a new version follows may not all be written: at least
    /// once, where they follow their entry.
    package var mayLackOutputs = false
    /// What a person should know of the restore, such as a snapshot that was damaged.
    package var notes: [String] = []

    package init(offsets: [Int64]) {
        self.offsets = offsets
    }
}
