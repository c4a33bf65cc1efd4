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
    case beforeInitialize = "restore.initialize.before"
    case duringInitialize = "restore.initialize.during"
    case afterInitialize = "restore.initialize.after"
    case journalRead = "restore.journal"
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
    /// Reached only when the members of the group change.
    var isInRebalance: Bool { rawValue.hasPrefix("rebalance.") }
    /// Reached only when the process is asked to stop.
    var isInShutdown: Bool { rawValue.hasPrefix("shutdown.") }
}
