import Core
package import State

extension SnapshotReference {
    /// Reads the list of the snapshot's chunks, and checks it against the reference.
    ///
    /// - Parameter task: The number of the task that the snapshot is of.
    package func index(
        ofTask task: Int, from store: any ChunkStore
    ) throws(SnapshotProblem) -> SnapshotIndex {
        let key = ChunkKey(
            task: Int32(task), generation: generation, sequence: sequence, part: ChunkKey.index)
        let bytes: [UInt8]
        do throws(ChunkError) {
            bytes = try store.read(ChunkPosition(offset: indexOffset), key: key.bytes)
        } catch {
            throw SnapshotProblem(error)
        }
        guard contentHash(of: bytes) == indexHash else {
            throw .damagedChunk(indexOffset, "the index has another hash")
        }
        do throws(StateError) {
            return try SnapshotIndex(decoding: bytes)
        } catch {
            throw SnapshotProblem(error)
        }
    }
}
