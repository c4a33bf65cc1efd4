package import Core

/// Why a call of ``TransactionalOutput`` did not do its work, and so what must follow.
package enum OutputFailure: Error, Equatable, Sendable {
    /// Nobody knows whether the call took effect: make the same call again until it is definite; a
    /// `send` must be aborted instead, because a part of it may stand in the transaction.
    case uncertain(String)
    /// The transaction cannot be committed: abort it and send the same bytes again.
    case abortable(String)
    /// Another producer has taken over this task's transactional id, or the group has moved on:
    /// discard everything; whoever still owns the task restores it.
    case fenced(String)
    /// This process's group instance id is used by another process: the process must end.
    case instanceFenced(String)
    /// The producer is of no more use, for a reason that another one need not meet: as ``fenced``, a
    /// few times.
    case broken(String)
    /// The output cannot go on, for example because a right is refused; what to say to the user.
    case fatal(String)
}

/// The next offset to read of an input.
package struct InputPosition: Sendable, Equatable {
    package let partition: TopicPartition
    package let nextOffset: Int64

    package init(partition: TopicPartition, nextOffset: Int64) {
        self.partition = partition
        self.nextOffset = nextOffset
    }
}

/// Writes a commit's records and offsets, all or nothing; one per task.
///
/// Calls may block for a bounded time (a committer thread makes them) and are made in this order:
/// `initialize` once, then `begin`, `send`, `sendOffsets`, `commit` or `abort`, again and again.
/// After an uncertain call was resolved, `recreate` comes before the next `begin`, so that a late
/// request of the old epoch cannot land in a later transaction.
package protocol TransactionalOutput: AnyObject, Sendable {
    /// Fences every earlier producer of this task and settles its last transaction.
    func initialize() throws(OutputFailure)
    func begin() throws(OutputFailure)
    /// Sends all records; they keep their order inside a partition.
    ///
    /// The buffer's memory must stay in place until the transaction is committed or aborted.
    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure)
    /// Adds the consumed offsets to the transaction, with the group metadata of the assignment that
    /// gave this process the task; `sequence` goes into the offsets' metadata.
    func sendOffsets(_ positions: [InputPosition], sequence: UInt64) throws(OutputFailure)
    func commit() throws(OutputFailure)
    func abort() throws(OutputFailure)
    /// Replaces the producer by one of a new epoch and initialises it.
    func recreate() throws(OutputFailure)
    /// Gives up what is under way: no buffer is referred to after it. An open transaction is left to
    /// the task's next producer, which aborts it.
    func close()
}
