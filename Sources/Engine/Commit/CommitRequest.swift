package import Core
package import State

/// Everything that one commit writes: kept until it is certain that the commit happened.
package struct CommitRequest: ~Copyable, Sendable {
    /// The output records, and the journal entry among them.
    ///
    /// At least once, the order counts: what stands before the entry is acknowledged before the
    /// entry is written, and the entry before what stands behind it.
    package var buffer: OutputBuffer
    /// The next offset of each input.
    package let positions: [InputPosition]
    /// The journal entry's sequence number; of outputs alone that of the entry before.
    package let sequence: UInt64
    /// The records that this commit consumed.
    package let recordCount: Int

    package init(
        buffer: consuming OutputBuffer, positions: [InputPosition], sequence: UInt64,
        recordCount: Int
    ) {
        self.buffer = buffer
        self.positions = positions
        self.sequence = sequence
        self.recordCount = recordCount
    }

    /// Whether these are outputs ahead of their journal entry: no offsets are committed with them.
    package var isPart: Bool { positions.isEmpty }

    /// Ends the request and gives its buffer back for the next commit.
    package consuming func intoBuffer() -> OutputBuffer { buffer }
}
