import Core
import Glibc
package import State

/// Snapshot chunks as files of a folder.
///
/// Each file holds key and chunk, closed by a hash; its name is the position. A file appears under
/// its name when it is complete and on the disk, so a torn write is never seen. One owner at a
/// time.
package final class FileChunkStore: ChunkStore, @unchecked Sendable {
    // Safety: used by one thread at a time.
    private static let suffix = ".chunk"

    private let folder: String
    private var nextOffset: Int64 = 0

    /// Opens a folder, and creates it if it is not there; its parent must be.
    package init(folder: String) throws(FileError) {
        self.folder = folder
        // Safety: the path is a C string during the call.
        guard unsafe mkdir(folder, 0o755) == 0 || errno == EEXIST else {
            throw FileError(lastOf: folder)
        }
        for offset in try Self.offsets(in: folder) {
            nextOffset = max(nextOffset, offset + 1)
        }
    }

    package func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        var encoder = StateEncoder()
        encoder.section("chunk", version: 1)
        encoder.write(key)
        encoder.write(chunk)
        encoder.write(Self.hash(encoder.bytes))
        let offset = nextOffset
        let temporary = path(offset) + ".part"
        do throws(FileError) {
            let file = try FileDescriptor(creating: temporary)
            try file.write(encoder.bytes.span)
            try file.synchronize()
            // Safety: both paths are C strings during the call.
            guard unsafe rename(temporary, path(offset)) == 0 else {
                throw FileError(lastOf: temporary)
            }
            try Self.synchronize(folder: folder)
        } catch {
            // Safety: as above.
            _ = unsafe unlink(temporary)
            throw .failed(error.description)
        }
        nextOffset += 1
        return ChunkPosition(offset: offset)
    }

    package func read(
        _ position: ChunkPosition, key: [UInt8]
    ) throws(ChunkError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.readAll(path(position.offset))
        } catch {
            throw .missing(position)
        }
        let found: (key: [UInt8], chunk: [UInt8])
        do {
            found = try Self.decode(bytes)
        } catch {
            throw .damaged(position, "\(path(position.offset)): \(error)")
        }
        guard found.key == key else { throw .missing(position) }
        return found.chunk
    }

    /// Files keep no journal: 0 is before any entry.
    package func journalEnd() throws(ChunkError) -> Int64 { 0 }

    package func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError) {
        do throws(FileError) {
            for offset in try Self.offsets(in: folder) where offset < chunksBefore {
                // Safety: the path is a C string during the call.
                guard unsafe unlink(path(offset)) == 0 || errno == ENOENT else {
                    throw FileError(lastOf: path(offset))
                }
            }
        } catch {
            throw .failed(error.description)
        }
    }

    private func path(_ offset: Int64) -> String { "\(folder)/\(offset)\(Self.suffix)" }

    private static func decode(_ bytes: [UInt8]) throws(StateError) -> (
        key: [UInt8], chunk: [UInt8]
    ) {
        guard bytes.count >= 8 else { throw .truncated }
        var decoder = StateDecoder(bytes)
        _ = try decoder.section("chunk", through: 1)
        let key = try decoder.readBytes()
        let chunk = try decoder.readBytes()
        let stored = try decoder.readUInt64()
        try decoder.finish()
        guard stored == hash(Array(bytes.dropLast(8))) else { throw .hashMismatch }
        return (key, chunk)
    }

    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        var hash = ContentHash()
        hash.combine(bytes.span)
        return hash.value
    }

    private static func offsets(in folder: String) throws(FileError) -> [Int64] {
        guard let handle = unsafe opendir(folder) else { throw FileError(lastOf: folder) }
        // Safety: the handle is open until the end of this function, and used by it alone.
        defer { _ = unsafe closedir(handle) }
        var offsets: [Int64] = []
        while let entry = unsafe readdir(handle) {
            // Safety: `d_name` is a C string inside the entry, valid until the next `readdir`.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            guard name.hasSuffix(suffix), let offset = Int64(name.dropLast(suffix.count)) else {
                continue
            }
            offsets.append(offset)
        }
        return offsets.sorted()
    }

    /// Makes the names of a folder's files durable.
    private static func synchronize(folder: String) throws(FileError) {
        // Safety: the path is a C string during the call.
        let descriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(lastOf: folder) }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(lastOf: folder) }
    }
}
