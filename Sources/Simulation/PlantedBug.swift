/// A mistake built into the simulated process, to prove that the simulation finds it.
///
/// None of these is in the product: they change how a simulated process uses it.
package enum PlantedBug: String, CaseIterable, Sendable {
    /// Outputs and offsets are committed in one transaction, the journal entry in the next.
    case commitBeforeJournal
    /// The journal entry is committed in one transaction, outputs and offsets in the next.
    case journalBeforeOutputs
    /// The journal's end is asked of the committed part, before the predecessor is settled.
    case endReadCommitted
    /// The journal is replayed before the predecessor is fenced.
    case noFenceFirst
    /// Offsets are committed outside the transaction.
    case offsetsOutside
    /// Offsets are committed under the group's present assignment, not the one that gave the task.
    case metadataAtCommit
    /// A fenced task takes a new epoch and sends the same bytes again.
    case noRestoreAfterFenced
    /// An abort that is refused, because the transaction is committed, counts as done.
    case abortUnchecked
    /// After an uncertain call the next transaction goes on under the same epoch.
    case lateOffsetCommit
    /// A process whose task was taken away takes a new epoch, and nothing checks its generation.
    case zombieInitializes
    /// A task that comes back is kept with what it had computed, whatever happened meanwhile.
    case warmTaskKept
    /// A task that was parked goes on, whoever may have committed meanwhile.
    case reclaimUnchecked
    /// At least once: an entry is written before the outputs ahead of it are acknowledged.
    case entryUnacknowledged
    /// At least once: the journal is taken over without a claim.
    case noClaim
    /// At least once: what is trimmed is not asked of the group, which may have given the task away.
    case trimUnconfirmed
    /// What only older snapshots need is trimmed when the entry that refers to a new one is sent.
    case trimBeforeCommit
    /// Everything before the newest snapshot is trimmed, and with it the one to fall back to.
    case trimToLive
    /// A snapshot is named before its chunks are stored.
    case referenceBeforeChunks
    /// Chunks are kept by task, sequence and part: a later one of the same name replaces the first.
    case chunksWithoutGeneration
    /// The journal's end is asked after the state was captured, and not before.
    case lateJournalEnd
    /// The state is encoded while the task learns on.
    case captureShared
    /// Inputs are read from the group's offsets on, and not from the snapshot's.
    case inputsAtGroupOffsets
}
