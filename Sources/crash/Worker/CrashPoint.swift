/// A place in a process at which it can be made to die.
///
/// `during` is a moment after the call began: what it asks for may or may not have left.
enum CrashPoint: String, CaseIterable, Sendable {
    case beforeBegin = "begin.before"
    case afterBegin = "begin.after"
    case betweenSends = "send.between"
    case afterSend = "send.after"
    case duringOffsets = "offsets.during"
    case afterOffsets = "offsets.after"
    case duringCommit = "commit.during"
    case afterCommit = "commit.after"
    case beforeChunk = "chunk.before"
    case duringChunk = "chunk.during"
    case afterChunk = "chunk.after"
    case beforeIndex = "index.before"
    case afterIndex = "index.after"
    /// Around the transaction whose journal entry is the first to name a new snapshot.
    case beforeReference = "reference.before"
    case duringReference = "reference.during"
    case afterReference = "reference.after"
    case beforeTrim = "trim.before"
    case afterTrim = "trim.after"
    case beforeInitialize = "restore.initialize.before"
    case duringInitialize = "restore.initialize.during"
    case afterInitialize = "restore.initialize.after"
    case journalRead = "restore.journal"
    case loadStep = "restore.load.step"
    case loadIndex = "restore.load.index"
    case loadChunk = "restore.load.chunk"
    case seek = "restore.seek"
    case replay = "restore.replay"
    case restored = "restore.done"
    case revoked = "rebalance.revoked"
    case assigned = "rebalance.assigned"
    case stopping = "shutdown.stopping"
    case stoppingCommit = "shutdown.commit"
    case stopped = "shutdown.stopped"

    /// Reached only while a process starts and restores.
    var isInRestore: Bool { rawValue.hasPrefix("restore.") }
    /// Reached only when a snapshot is taken.
    var isInSnapshot: Bool {
        ["chunk.", "index.", "reference.", "trim."].contains { rawValue.hasPrefix($0) }
    }
    /// Reached only when the members of the group change.
    var isInRebalance: Bool { rawValue.hasPrefix("rebalance.") }
    /// Reached only when the process is asked to stop.
    var isInShutdown: Bool { rawValue.hasPrefix("shutdown.") }
}
