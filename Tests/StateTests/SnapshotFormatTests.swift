// Method: values written are read back equal, also those stored by other versions; every flipped bit
// and every cut is refused.
import Core
import State
import Testing

@Suite("Snapshot formats")
struct SnapshotFormatTests {
    private let header = SnapshotHeader(fingerprint: 0xFEED, task: 4, sequence: 6)
    private let index = SnapshotIndex(
        fingerprint: 0xFEED, task: 4, generation: 3, sequence: 6,
        inputs: [
            TopicPartition(topic: "in", partition: 0), TopicPartition(topic: "in", partition: 4),
        ],
        nextOffsets: [100, 40], journalOffset: 11, byteCount: 600_000, stateHash: 0x1234,
        chunks: [
            SnapshotIndex.Chunk(offset: 20, hash: 77), SnapshotIndex.Chunk(offset: 21, hash: 78),
        ], settings: [TextPair("model", "mean"), TextPair("seed", "7")])

    @Test("what is written is read back, and is what the format says")
    func storedFormats() throws {
        let bytes = index.encoded()
        #expect(bytes == StoredFormats.bytes(StoredFormats.snapshotIndexV2))
        let read = try SnapshotIndex(decoding: bytes)
        #expect(read == index)
        #expect(read.encoded() == bytes)
        var first = index
        first.settings = []
        #expect(
            try SnapshotIndex(decoding: StoredFormats.bytes(StoredFormats.snapshotIndexV1))
                == first)

        var encoder = StateEncoder()
        header.encode(to: &encoder)
        #expect(encoder.bytes == StoredFormats.bytes(StoredFormats.snapshotHeaderV1))
        var decoder = StateDecoder(encoder.bytes)
        #expect(try SnapshotHeader(from: &decoder) == header)
        try decoder.finish()
    }

    @Test("a flipped bit anywhere in an index is refused")
    func flippedBits() {
        let bytes = index.encoded()
        for place in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << bit
                #expect(throws: StateError.self, "byte \(place), bit \(bit)") {
                    try SnapshotIndex(decoding: damaged)
                }
            }
        }
    }

    @Test("a cut index is refused at every length")
    func truncation() {
        let bytes = index.encoded()
        for length in 0..<bytes.count {
            #expect(throws: StateError.self) {
                try SnapshotIndex(decoding: Array(bytes[..<length]))
            }
        }
    }

    @Test("keys differ in each of their parts")
    func keys() {
        let key = ChunkKey(task: 1, generation: 2, sequence: 3, part: 4)
        var others: [ChunkKey] = []
        for change in 0..<4 {
            var other = key
            switch change {
            case 0: other.task = 9
            case 1: other.generation = -1
            case 2: other.sequence = 9
            default: other.part = ChunkKey.index
            }
            others.append(other)
        }
        #expect(key.bytes.count == 20)
        #expect(!others.contains { $0.bytes == key.bytes })
    }

    @Test("what is compressed comes back, whatever the content", arguments: UInt64(0)..<8)
    func compression(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let bytes = (0..<random.next(below: 50_000)).map { index in
            seed % 2 == 0 ? UInt8(random.next(below: 256)) : UInt8(index & 3)
        }
        let frame = Compression.compress(bytes, 0..<bytes.count)
        var content: [UInt8] = [7]
        try Compression.decompress(frame, limit: bytes.count, into: &content)
        #expect(content == [7] + bytes)
        if !bytes.isEmpty {
            #expect(throws: StateError.self, "more than the limit") {
                try Compression.decompress(frame, limit: bytes.count - 1, into: &content)
            }
        }
        #expect(throws: StateError.self, "cut") {
            try Compression.decompress(
                Array(frame.dropLast()), limit: bytes.count, into: &content)
        }
    }
}
