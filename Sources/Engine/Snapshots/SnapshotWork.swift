import Core
package import State

/// Does one ``SnapshotJob``, step by step: at most one call of the store in each.
///
/// A state machine without threads or clocks: the snapshot thread steps it, or the simulation.
package struct SnapshotWork: Sendable {
    private enum Stage: Sendable {
        case journalEnd
        case encode(SnapshotCapture)
        case piece(Int)
        case index
        case trim(SnapshotTrim)
    }

    private let pieceBytes: Int
    private var stage: Stage
    private var index: SnapshotIndex?
    /// Header and state, before compression.
    private var bytes: [UInt8] = []

    /// - Parameter pieceBytes: How much of the state goes into a chunk; at most as much as usual.
    package init(_ job: SnapshotJob, pieceBytes: Int = SnapshotIndex.pieceBytes) {
        precondition(pieceBytes > 0 && pieceBytes <= SnapshotIndex.pieceBytes, "a reader's limit")
        self.pieceBytes = pieceBytes
        switch job {
        case .findJournalEnd: stage = .journalEnd
        case .write(let capture): stage = .encode(capture)
        case .trim(let trim): stage = .trim(trim)
        }
    }

    /// Goes on; the outcome is the end of the job.
    package mutating func step(on store: any ChunkStore) -> SnapshotOutcome? {
        do throws(ChunkError) {
            switch stage {
            case .journalEnd: return .journalEnd(try store.journalEnd())
            case .encode(let capture):
                encode(capture)
                stage = .piece(0)
            case .piece(let part): try write(part, to: store)
            case .index: return .written(try writeIndex(to: store))
            case .trim(let trim):
                try store.trim(
                    journalBefore: trim.journalBefore, chunksBefore: trim.chunksBefore)
                return .trimmed
            }
        } catch {
            return .failed(error)
        }
        return nil
    }

    private mutating func encode(_ capture: SnapshotCapture) {
        let task = Int32(capture.task)
        var encoder = StateEncoder(capacity: capture.state.stateBytes + (64 << 10))
        SnapshotHeader(fingerprint: capture.fingerprint, task: task, sequence: capture.sequence)
            .encode(to: &encoder)
        capture.state.encode(to: &encoder)
        bytes = encoder.finish()
        index = SnapshotIndex(
            fingerprint: capture.fingerprint, task: task, generation: capture.generation,
            sequence: capture.sequence, inputs: capture.inputs, nextOffsets: capture.nextOffsets,
            journalOffset: capture.journalOffset, byteCount: UInt64(bytes.count),
            stateHash: contentHash(of: bytes), chunks: [], settings: capture.settings)
    }

    private mutating func write(_ part: Int, to store: any ChunkStore) throws(ChunkError) {
        let start = part * pieceBytes
        let end = min(bytes.count, start + pieceBytes)
        let chunk = Compression.compress(bytes, start..<end)
        let position = try store.write(key: key(UInt32(part)).bytes, chunk: chunk)
        index?.chunks.append(
            SnapshotIndex.Chunk(offset: position.offset, hash: contentHash(of: chunk)))
        if end < bytes.count {
            stage = .piece(part + 1)
        } else {
            bytes = []
            stage = .index
        }
    }

    private mutating func writeIndex(
        to store: any ChunkStore
    ) throws(ChunkError) -> SnapshotReference {
        guard let index else { preconditionFailure("the state is encoded first") }
        let encoded = index.encoded()
        let position = try store.write(key: key(ChunkKey.index).bytes, chunk: encoded)
        return SnapshotReference(
            sequence: index.sequence, generation: index.generation,
            journalOffset: index.journalOffset, indexOffset: position.offset,
            firstChunkOffset: index.chunks[0].offset, indexHash: contentHash(of: encoded),
            byteCount: index.byteCount)
    }

    private func key(_ part: UInt32) -> ChunkKey {
        guard let index else { preconditionFailure("the state is encoded first") }
        return ChunkKey(
            task: index.task, generation: index.generation, sequence: index.sequence, part: part)
    }
}
