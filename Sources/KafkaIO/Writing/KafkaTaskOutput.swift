package import State

/// The output of a task that a group's assignment gave to this process.
package protocol KafkaTaskOutput: TransactionalOutput {
    /// What the task's journal entries name as their generation; known once initialised.
    var generation: Int32 { get }
    /// The sequence number of the journal's last entry, where taking the task over found it; `nil`
    /// where it must be looked for.
    var lastSequence: UInt64? { get }
    /// The offset after a journal entry that the group has confirmed, as far as it is known.
    var confirmedEnd: Int64? { get }
    /// Commits under a later assignment from now: the task came back to this process unchanged.
    /// ``TransactionalOutput/recreate()`` follows.
    func adopt(_ newToken: GroupToken)
    /// Whether every journal entry that is committed by now counts for all readers, whoever takes the
    /// task over later; false where that is not certain. Any thread; may block.
    func confirmsEntries() -> Bool
}
