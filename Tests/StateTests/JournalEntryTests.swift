// Method: entries written are read back equal; every flipped bit and every cut is refused.
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
        predictionHash: 99, stateHash: 5)

    @Test("what is written is read back")
    func roundTrip() throws {
        let bytes = entry.encoded()
        let read = try JournalEntry(decoding: bytes)
        #expect(read == entry)
        #expect(read.encoded() == bytes)
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
