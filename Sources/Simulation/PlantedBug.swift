/// A mistake built into the simulated process, to prove that the simulation finds it.
///
/// None of these is in the product: they change how a simulated process uses it.
package enum PlantedBug: String, CaseIterable, Sendable {
    /// Outputs and offsets are committed in one transaction, the journal entry in the next.
    case commitBeforeJournal
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
    /// After an uncertain call the next transaction goes on under the same epoch.
    case lateOffsetCommit
    /// A process whose task was taken away takes a new epoch, and nothing checks its generation.
    case zombieInitializes
    /// A task that comes back is kept with what it had computed, whatever happened meanwhile.
    case warmTaskKept
}
