package import Core
package import State

/// Work for a task's snapshots that blocks, so that its lane does not do it.
///
/// The owner takes one from ``PipelineTask/takeSnapshotJob(now:)``, steps a ``SnapshotWork`` through
/// it on a thread that may wait, and gives the outcome back to the task.
package enum SnapshotJob: Sendable {
    /// Ask for the journal's end: a snapshot is due.
    case findJournalEnd
    /// Store a state.
    case write(SnapshotCapture)
    /// Let go of what no entry refers to any more.
    case trim(SnapshotTrim)
}

/// How a ``SnapshotJob`` ended.
package enum SnapshotOutcome: Sendable, Equatable {
    case journalEnd(Int64)
    case written(SnapshotReference)
    case trimmed
    case failed(ChunkError)
}

/// The state of a task after a journal entry, with where it goes on.
package struct SnapshotCapture: Sendable {
    package let state: any StateCapture
    package let fingerprint: UInt64
    package let task: Int
    package let generation: Int32
    /// The journal entry after which the state stands.
    package let sequence: UInt64
    package let inputs: [TopicPartition]
    package let nextOffsets: [Int64]
    /// A journal offset that entry `sequence + 1` does not stand before.
    package let journalOffset: Int64
    /// What the pipeline file says.
    package let settings: [TextPair]
}

/// What goes, once two newer snapshots are referred to.
package struct SnapshotTrim: Sendable, Equatable {
    /// Journal entries that stand before this offset.
    package let journalBefore: Int64
    /// Chunks that stand before this offset.
    package let chunksBefore: Int64
}
