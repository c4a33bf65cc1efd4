package import State

/// Chunks in memory, with failures at chosen calls.
package final class MemoryChunkStore: ChunkStore, @unchecked Sendable {
    // Safety: a test uses it from one thread.

    /// The calls, for choosing where to fail.
    package enum Call: CaseIterable, Sendable {
        case journalEnd
        case write
        case read
        case trim
    }

    /// A stored chunk.
    package struct Chunk: Sendable {
        package var key: [UInt8]
        package var bytes: [UInt8]
    }

    package var chunks: [Int64: Chunk] = [:]
    /// The offset after the journal's last record, as its owner says.
    package var journalEndOffset: Int64 = 0
    /// What the last trim let go of.
    package private(set) var journalStart: Int64 = 0
    package private(set) var chunksStart: Int64 = 0
    package private(set) var calls: [Call] = []
    /// Asked before each call takes effect.
    package var failure: (Call) -> ChunkError? = { _ in nil }
    private var nextOffset: Int64 = 0

    package init() {}

    package func journalEnd() throws(ChunkError) -> Int64 {
        try enter(.journalEnd)
        return journalEndOffset
    }

    package func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        try enter(.write)
        let position = ChunkPosition(offset: nextOffset)
        chunks[nextOffset] = Chunk(key: key, bytes: chunk)
        nextOffset += 1
        return position
    }

    package func read(
        _ position: ChunkPosition, key: [UInt8]
    ) throws(ChunkError) -> [UInt8] {
        try enter(.read)
        guard let chunk = chunks[position.offset], chunk.key == key else {
            throw .missing(position)
        }
        return chunk.bytes
    }

    package func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError) {
        try enter(.trim)
        journalStart = max(journalStart, journalBefore)
        chunksStart = max(chunksStart, chunksBefore)
        for offset in chunks.keys where offset < chunksBefore { chunks[offset] = nil }
    }

    /// What deleting and creating its topic does: nothing is left, and offsets begin at 0 again.
    package func makeAnew() {
        chunks = [:]
        chunksStart = 0
        nextOffset = 0
    }

    private func enter(_ call: Call) throws(ChunkError) {
        calls.append(call)
        if let failure = failure(call) { throw failure }
    }
}
