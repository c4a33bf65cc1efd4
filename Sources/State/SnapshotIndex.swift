package import Core

/// The list of a snapshot's chunks, with what is needed to check them and to go on from them.
package struct SnapshotIndex: Sendable, Equatable {
    /// The newest format that this program writes and reads.
    package static let formatVersion: Int = 2
    /// Bytes of the state in a chunk; compressed they are fewer.
    package static let pieceBytes: Int = 512 << 10

    /// One stored chunk: a piece of the state.
    package struct Chunk: Sendable, Equatable {
        package var offset: Int64
        /// The hash of the chunk as it is stored.
        package var hash: UInt64

        package init(offset: Int64, hash: UInt64) {
            self.offset = offset
            self.hash = hash
        }
    }

    package var fingerprint: UInt64
    package var numericsVersion: UInt32
    package var task: Int32
    package var generation: Int32
    /// The journal entry after which the state was taken.
    package var sequence: UInt64
    package var inputs: [TopicPartition]
    /// The next offset of each input.
    package var nextOffsets: [Int64]
    package var journalOffset: Int64
    /// The state's size, and its hash.
    package var byteCount: UInt64
    package var stateHash: UInt64
    package var chunks: [Chunk]
    /// The settings of the pipeline file under which it was taken; empty before format 2.
    package var settings: [TextPair]

    package init(
        fingerprint: UInt64, task: Int32, generation: Int32, sequence: UInt64,
        inputs: [TopicPartition], nextOffsets: [Int64], journalOffset: Int64, byteCount: UInt64,
        stateHash: UInt64, chunks: [Chunk], settings: [TextPair] = []
    ) {
        precondition(nextOffsets.count == inputs.count, "an offset for each input")
        self.fingerprint = fingerprint
        numericsVersion = Core.numericsVersion
        self.task = task
        self.generation = generation
        self.sequence = sequence
        self.inputs = inputs
        self.nextOffsets = nextOffsets
        self.journalOffset = journalOffset
        self.byteCount = byteCount
        self.stateHash = stateHash
        self.chunks = chunks
        self.settings = settings
    }

    /// The index as bytes, closed by a hash over all of them.
    package func encoded() -> [UInt8] {
        var encoder = StateEncoder(capacity: 256 + 16 * chunks.count)
        encoder.section("snapshot_index", version: Self.formatVersion)
        encoder.write(fingerprint)
        encoder.write(numericsVersion)
        encoder.write(task)
        encoder.write(generation)
        encoder.write(sequence)
        encoder.write(inputs: inputs, nextOffsets: nextOffsets)
        encoder.write(journalOffset)
        encoder.write(byteCount)
        encoder.write(stateHash)
        encoder.write(chunks.map(\.offset))
        encoder.write(chunks.map(\.hash))
        encoder.write(pairs: settings)
        return encoder.sealed()
    }

    /// Reads an index and checks its hash.
    package init(decoding bytes: [UInt8]) throws(StateError) {
        guard bytes.count >= 8 else { throw .truncated }
        var decoder = StateDecoder(bytes)
        let format = try decoder.section("snapshot_index", through: Self.formatVersion)
        fingerprint = try decoder.readUInt64()
        numericsVersion = try decoder.readInteger(UInt32.self)
        task = try decoder.readInteger(Int32.self)
        generation = try decoder.readInteger(Int32.self)
        sequence = try decoder.readUInt64()
        (inputs, nextOffsets) = try decoder.readInputs()
        journalOffset = try decoder.readInt64()
        byteCount = try decoder.readUInt64()
        stateHash = try decoder.readUInt64()
        let offsets = try decoder.readIntegers(Int64.self)
        let hashes = try decoder.readIntegers(UInt64.self)
        guard offsets.count == hashes.count,
            byteCount <= UInt64(offsets.count) * UInt64(Self.pieceBytes)
        else { throw .invalidValue("the chunks do not fit the state's size") }
        chunks = zip(offsets, hashes).map { Chunk(offset: $0, hash: $1) }
        settings = format >= 2 ? try decoder.readPairs() : []
        try decoder.checkSeal(of: bytes)
    }
}

/// What stands before the state itself in a snapshot: says whose it is without the index.
package struct SnapshotHeader: Sendable, Equatable {
    /// The newest format that this program writes and reads.
    package static let formatVersion: Int = 1

    package var fingerprint: UInt64
    package var numericsVersion: UInt32
    package var task: Int32
    package var sequence: UInt64

    package init(fingerprint: UInt64, task: Int32, sequence: UInt64) {
        self.fingerprint = fingerprint
        numericsVersion = Core.numericsVersion
        self.task = task
        self.sequence = sequence
    }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section("snapshot", version: Self.formatVersion)
        encoder.write(fingerprint)
        encoder.write(numericsVersion)
        encoder.write(task)
        encoder.write(sequence)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("snapshot", through: Self.formatVersion)
        fingerprint = try decoder.readUInt64()
        numericsVersion = try decoder.readInteger(UInt32.self)
        task = try decoder.readInteger(Int32.self)
        sequence = try decoder.readUInt64()
    }
}
