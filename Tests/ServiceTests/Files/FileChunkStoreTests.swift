// Method: chunks written, read back, trimmed and damaged, with the store opened anew in between.
import Foundation
import Service
import State
import Testing

@Suite("File chunk store")
struct FileChunkStoreTests {
    private let folder = FileManager.default.temporaryDirectory
        .appending(path: "tidewheel-\(UUID().uuidString)").path

    @Test("chunks survive the store, keys are checked, trimming forgets")
    func roundTrip() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try FileChunkStore(folder: folder)
        let first = try store.write(key: [1], chunk: [1, 2, 3])
        let second = try store.write(key: [2], chunk: [])
        #expect(first != second)
        let again = try FileChunkStore(folder: folder)
        #expect(try again.read(first, key: [1]) == [1, 2, 3])
        #expect(try again.read(second, key: [2]) == [])
        #expect(throws: ChunkError.missing(first)) { try again.read(first, key: [2]) }
        let third = try again.write(key: [1], chunk: [9])
        #expect(third != first && third != second)
        try again.trim(journalBefore: 0, chunksBefore: second.offset)
        #expect(throws: ChunkError.missing(first)) { try again.read(first, key: [1]) }
        #expect(try again.read(second, key: [2]) == [])
        #expect(try again.read(third, key: [1]) == [9])
    }

    @Test("a damaged chunk is never given out")
    func damage() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try FileChunkStore(folder: folder)
        let position = try store.write(key: [1], chunk: [1, 2, 3])
        let file = URL(filePath: "\(folder)/\(position.offset).chunk")
        let bytes = try Data(contentsOf: file)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            try damaged.write(to: file)
            #expect(throws: ChunkError.self) { try store.read(position, key: [1]) }
        }
    }
}
