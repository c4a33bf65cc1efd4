// Method: entries written are read back equal, also those stored by other versions; every flipped bit
// and every cut is refused.
import Core
import State
import Testing

@Suite("Journal entry")
struct JournalEntryTests {
    private let entry = JournalEntry(
        fingerprint: 0xFEED, sequence: 7, generation: 3,
        inputs: [
            TopicPartition(topic: "in", partition: 0), TopicPartition(topic: "in", partition: 4),
        ],
        nextOffsets: [120, 44], rounds: [[100, 40], [120, 44]], recordCount: 60,
        predictionCount: 61,
        predictionHash: 99, learnedHash: LearnedHash(5, stateFormat: 2),
        live: SnapshotReference(
            sequence: 6, generation: 3, journalOffset: 11, indexOffset: 22, firstChunkOffset: 20,
            indexHash: 0xABCD, byteCount: 1000),
        previous: SnapshotReference(
            sequence: 2, generation: 1, journalOffset: 3, indexOffset: 9, firstChunkOffset: 7,
            indexHash: 0xEF, byteCount: 900),
        skipped: SkippedEntries(after: 1, through: 2, nextOffsets: [90, 33]),
        version: 4, settings: [TextPair("model", "mean"), TextPair("seed", "7")])

    @Test("what is written is read back")
    func roundTrip() throws {
        let bytes = entry.encoded()
        let read = try JournalEntry(decoding: bytes)
        #expect(read == entry)
        #expect(read.encoded() == bytes)
    }

    @Test("entries of every format are readable")
    func storedFormats() throws {
        let newest = StoredFormats.bytes(StoredFormats.journalEntryV5)
        #expect(try JournalEntry(decoding: newest) == entry)
        #expect(entry.encoded() == newest)
        let fourth = StoredFormats.bytes(StoredFormats.journalEntryV4)
        #expect(try JournalEntry(decoding: fourth) == entry)
        // Its hash of the state covered the metrics, too, and says nothing any more.
        var third = entry
        third.learnedHash = nil
        third.version = 1
        third.settings = nil
        for old in [StoredFormats.journalEntryV3, StoredFormats.journalEntryV2] {
            #expect(try JournalEntry(decoding: StoredFormats.bytes(old)) == third)
        }
        var first = third
        first.live = nil
        first.previous = nil
        first.skipped = nil
        let read = try JournalEntry(
            decoding: StoredFormats.bytes(StoredFormats.journalEntryV1))
        #expect(read == first)
    }

    @Test("an entry of a newer format is refused as such")
    func newerFormat() {
        var bytes = entry.encoded()
        bytes[15] = 6
        #expect(throws: StateError.unsupportedVersion(section: "journal", version: 6)) {
            try JournalEntry(decoding: bytes)
        }
    }

    @Test("a flipped bit anywhere is refused")
    func flippedBits() {
        let bytes = entry.encoded()
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                #expect(throws: StateError.self, "byte \(index), bit \(bit)") {
                    try JournalEntry(decoding: damaged)
                }
            }
        }
    }

    @Test("a cut entry is refused at every length")
    func truncation() {
        let bytes = entry.encoded()
        for length in 0..<bytes.count {
            #expect(throws: StateError.self) { try JournalEntry(decoding: Array(bytes[..<length])) }
        }
    }
}
