import State

/// A task's output, of either guarantee.
protocol SimulatedTaskOutput: TransactionalOutput {
    var isInitialized: Bool { get }
    /// What the task's journal entries name as their generation; known once initialised.
    var generation: Int32 { get }
    /// The sequence number of the journal's last entry, where initialising has found it.
    var lastSequence: UInt64? { get }
    /// The offset after a journal entry that the group has confirmed, as far as it is known.
    var confirmedEnd: Int64? { get }
    /// Asks for an epoch once: earlier producers are fenced, though perhaps not yet settled.
    func fence() throws(OutputFailure)
    /// Goes on under a later assignment.
    func adopt(_ given: Membership)
    /// Whether every journal entry that is committed by now counts, whoever takes the task over.
    func confirmsEntries() -> Bool
}
