import Core

/// Where a chunk of a snapshot stands in the store; later chunks have higher offsets.
package struct ChunkPosition: Sendable, Hashable {
    package let offset: Int64

    package init(offset: Int64) {
        self.offset = offset
    }
}

/// Why a chunk could not be stored or read.
package enum ChunkError: Error, Equatable, Sendable {
    /// No chunk stands at this position, or it is another one than expected.
    case missing(ChunkPosition)
    /// What stands at this position is damaged; how that was seen.
    case damaged(ChunkPosition, String)
    /// The store failed, perhaps only for now; what it said.
    case failed(String)

    /// What happened, in words.
    package var reason: String {
        switch self {
        case .missing(let position): "there is no chunk at offset \(position.offset)"
        case .damaged(let position, let why):
            "the chunk at offset \(position.offset) is damaged (\(why))"
        case .failed(let reason): reason
        }
    }
}

/// What a chunk is: checked when it is read, so that no other can take its place.
package struct ChunkKey: Sendable, Hashable {
    /// The number of the task.
    package var task: Int32
    /// The group's generation under which the task was owned by the writer.
    package var generation: Int32
    /// The journal entry after which the state was taken.
    package var sequence: UInt64
    /// 0, 1, … for the parts of the state; ``index`` for the list of them.
    package var part: UInt32

    /// The part number of a snapshot's index.
    package static let index: UInt32 = .max

    package init(task: Int32, generation: Int32, sequence: UInt64, part: UInt32) {
        self.task = task
        self.generation = generation
        self.sequence = sequence
        self.part = part
    }

    /// The key as bytes: 20, little-endian.
    package var bytes: [UInt8] {
        var encoder = StateEncoder()
        encoder.write(task)
        encoder.write(generation)
        encoder.write(sequence)
        encoder.write(part)
        return encoder.bytes
    }
}

/// Keeps the chunks of one task's snapshots by position, and trims what nobody needs any more.
///
/// Chunks are appended and never replaced; one that nobody refers to is harmless and goes with the
/// next trim. Kafka's `…state` topic, a folder and the simulation implement it. Calls may block:
/// they are made off the lanes, by one thread at a time.
package protocol ChunkStore: AnyObject, Sendable {
    /// The offset after the last record of the task's journal, uncommitted ones included: no entry
    /// that is formed after this call stands before it.
    func journalEnd() throws(ChunkError) -> Int64
    /// Stores a chunk under a key and returns when it is durable.
    func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition
    /// Reads the chunk at a position, if it has this key.
    func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8]
    /// Lets the store forget journal entries and chunks that stand before these offsets; fails where
    /// an owner may have been overtaken before it wrote the entry that allows it.
    func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError)
}
