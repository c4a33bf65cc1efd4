package import Core
package import State

/// Reads a snapshot that a journal entry refers to, step by step, and believes nothing unchecked.
///
/// At most one call of the store in each step. What it gives is bit for bit what was written.
package struct SnapshotReader: Sendable {
    /// A snapshot that was read whole.
    package struct Content: Sendable {
        package let index: SnapshotIndex
        /// Stands behind the header, at the state.
        package var state: StateDecoder
    }

    private let reference: SnapshotReference
    private let task: Int
    private let fingerprint: UInt64
    private var index: SnapshotIndex?
    private var next = 0
    private var bytes: [UInt8] = []

    /// - Parameters:
    ///   - task: The number of the task that the snapshot must be of.
    ///   - fingerprint: The pipeline version that it must be of.
    package init(_ reference: SnapshotReference, task: Int, fingerprint: UInt64) {
        self.reference = reference
        self.task = task
        self.fingerprint = fingerprint
    }

    /// Bytes of the state that were read so far.
    package var byteCount: Int { bytes.count }
    /// All of them.
    package var byteTotal: Int { Int(clamping: reference.byteCount) }

    /// Goes on; the content is the end of it.
    package mutating func step(
        on store: any ChunkStore
    ) throws(SnapshotProblem) -> Content? {
        guard let index else {
            try readIndex(from: store)
            return nil
        }
        if next < index.chunks.count {
            try readPiece(next, of: index, from: store)
            next += 1
            return nil
        }
        guard bytes.count == Int(clamping: index.byteCount),
            contentHash(of: bytes) == index.stateHash
        else { throw .damagedChunk(reference.indexOffset, "the whole has another hash") }
        var decoder = StateDecoder(bytes)
        bytes = []
        let header: SnapshotHeader
        do throws(StateError) {
            header = try SnapshotHeader(from: &decoder)
        } catch {
            throw SnapshotProblem(error)
        }
        guard header.fingerprint == fingerprint, header.task == index.task,
            header.sequence == index.sequence
        else { throw .otherTask }
        return Content(index: index, state: decoder)
    }

    private mutating func readIndex(from store: any ChunkStore) throws(SnapshotProblem) {
        let found = try reference.index(ofTask: task, from: store)
        guard found.numericsVersion == numericsVersion else {
            throw .otherNumerics(found: found.numericsVersion)
        }
        guard found.fingerprint == fingerprint else {
            throw .otherPipeline(found: found.fingerprint, expected: fingerprint)
        }
        guard found.task == Int32(task), found.sequence == reference.sequence,
            found.byteCount == reference.byteCount
        else { throw .otherTask }
        index = found
        bytes.reserveCapacity(Int(clamping: found.byteCount))
    }

    private mutating func readPiece(
        _ part: Int, of index: SnapshotIndex, from store: any ChunkStore
    ) throws(SnapshotProblem) {
        let chunk = index.chunks[part]
        let key = ChunkKey(
            task: index.task, generation: reference.generation, sequence: reference.sequence,
            part: UInt32(part))
        let raw: [UInt8]
        do throws(ChunkError) {
            raw = try store.read(ChunkPosition(offset: chunk.offset), key: key.bytes)
        } catch {
            throw SnapshotProblem(error)
        }
        guard contentHash(of: raw) == chunk.hash else {
            throw .damagedChunk(chunk.offset, "it has another hash")
        }
        let left = Int(clamping: index.byteCount) - bytes.count
        do throws(StateError) {
            try Compression.decompress(
                raw, limit: min(left, SnapshotIndex.pieceBytes), into: &bytes)
        } catch {
            throw SnapshotProblem(error)
        }
    }
}
