/// Where a chunk of a snapshot stands in the store.
package struct ChunkPosition: Sendable, Equatable {
    package let offset: Int64

    package init(offset: Int64) {
        self.offset = offset
    }
}

/// Why a chunk could not be stored or read.
package enum ChunkError: Error, Equatable, Sendable {
    /// No chunk stands at this position, or it is another one than expected.
    case missing(ChunkPosition)
    /// The store failed; what it said.
    case failed(String)
}

/// Keeps the chunks of state snapshots by position; a chunk that nobody refers to is harmless.
///
/// Kafka's compacted `…state` topic and a folder implement it.
package protocol ChunkStore: AnyObject {
    /// Stores a chunk under a key and returns when it is durable.
    func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition
    /// Reads the chunk at a position, if it still has this key.
    func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8]
    /// Lets the store forget the chunks of a key.
    func remove(key: [UInt8]) throws(ChunkError)
}
