package import Core
package import State

/// Everything that one commit writes: kept until it is certain that the commit happened.
package struct CommitRequest: ~Copyable, Sendable {
    /// The output records; the last one is the journal entry.
    package var buffer: OutputBuffer
    /// The next offset of each input.
    package let positions: [InputPosition]
    /// The journal entry's sequence number.
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

    /// Ends the request and gives its buffer back for the next commit.
    package consuming func intoBuffer() -> OutputBuffer { buffer }
}
