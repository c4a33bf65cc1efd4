package import Core

/// Names a snapshot from a journal entry; of constant size, whatever the state's.
package struct SnapshotReference: Sendable, Equatable {
    /// The journal entry after which the state was taken.
    package var sequence: UInt64
    /// The group's generation under which it was written: a part of its chunks' keys.
    package var generation: Int32
    /// A journal offset that entry `sequence + 1` does not stand before.
    package var journalOffset: Int64
    /// Where its ``SnapshotIndex`` stands.
    package var indexOffset: Int64
    /// Where its first chunk stands: no chunk of it stands before.
    package var firstChunkOffset: Int64
    /// The hash of the index's bytes.
    package var indexHash: UInt64
    /// The state's size before compression.
    package var byteCount: UInt64

    package init(
        sequence: UInt64, generation: Int32, journalOffset: Int64, indexOffset: Int64,
        firstChunkOffset: Int64, indexHash: UInt64, byteCount: UInt64
    ) {
        self.sequence = sequence
        self.generation = generation
        self.journalOffset = journalOffset
        self.indexOffset = indexOffset
        self.firstChunkOffset = firstChunkOffset
        self.indexHash = indexHash
        self.byteCount = byteCount
    }

    package func encode(to encoder: inout StateEncoder) {
        encoder.write(sequence)
        encoder.write(generation)
        encoder.write(journalOffset)
        encoder.write(indexOffset)
        encoder.write(firstChunkOffset)
        encoder.write(indexHash)
        encoder.write(byteCount)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        sequence = try decoder.readUInt64()
        generation = try decoder.readInteger(Int32.self)
        journalOffset = try decoder.readInt64()
        indexOffset = try decoder.readInt64()
        firstChunkOffset = try decoder.readInt64()
        indexHash = try decoder.readUInt64()
        byteCount = try decoder.readUInt64()
    }
}

/// Journal entries whose records the state never saw: their input was lost before a restore could
/// replay it, and the pipeline was told to go on from its snapshot.
///
/// Whoever replays takes the state after entry `after` for the state after entry `through`, which
/// took no records, and goes on at `nextOffsets`.
package struct SkippedEntries: Sendable, Equatable {
    package var after: UInt64
    package var through: UInt64
    /// The next offset of each input after entry `through`.
    package var nextOffsets: [Int64]

    package init(after: UInt64, through: UInt64, nextOffsets: [Int64]) {
        self.after = after
        self.through = through
        self.nextOffsets = nextOffsets
    }

    func encode(to encoder: inout StateEncoder) {
        encoder.write(after)
        encoder.write(through)
        encoder.write(nextOffsets)
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        after = try decoder.readUInt64()
        through = try decoder.readUInt64()
        nextOffsets = try decoder.readIntegers(Int64.self)
    }
}
