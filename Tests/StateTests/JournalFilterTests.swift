// Method: journals written by hand, claims of several owners among their entries; what counts is
// compared with what the rule says, also when reading begins in the middle.
import Core
import State
import Testing

@Suite("Journal filter")
struct JournalFilterTests {
    private func entry(_ sequence: UInt64, claim: Int32) -> [UInt8] {
        JournalEntry(
            fingerprint: 1, sequence: sequence, generation: claim,
            inputs: [TopicPartition(topic: "in", partition: 0)], nextOffsets: [Int64(sequence)],
            rounds: [], recordCount: 0, predictionCount: 0, predictionHash: 0, learnedHash: nil,
            isClaimed: true
        ).encoded()
    }

    private func transactional(_ sequence: UInt64, generation: Int32 = 1) -> [UInt8] {
        JournalEntry(
            fingerprint: 1, sequence: sequence, generation: generation,
            inputs: [TopicPartition(topic: "in", partition: 0)], nextOffsets: [Int64(sequence)],
            rounds: [], recordCount: 0, predictionCount: 0, predictionHash: 0, learnedHash: nil
        ).encoded()
    }

    private func claim(_ number: Int32) -> [UInt8] {
        JournalClaim(number: number, generation: 9).encoded()
    }

    /// Sequence and owner of what counts.
    private func counted(
        _ journal: [[UInt8]], claim: Int32 = 0
    ) throws -> [String] {
        var filter = JournalFilter(claim: claim)
        return try journal.compactMap { try filter.entry(in: $0) }.map {
            "\($0.sequence)/\($0.generation)"
        }
    }

    @Test("what a predecessor writes behind a claim counts for nothing")
    func zombie() throws {
        let journal = [
            claim(1), entry(0, claim: 1), entry(1, claim: 1), claim(2), entry(2, claim: 1),
            entry(2, claim: 2), entry(3, claim: 1), entry(3, claim: 2),
        ]
        #expect(try counted(journal) == ["0/1", "1/1", "2/2", "3/2"])
    }

    @Test("what it wrote before the claim counts: the claimer reads up to its claim")
    func lateEntry() throws {
        let journal = [
            claim(1), entry(0, claim: 1), entry(1, claim: 1), claim(2), entry(2, claim: 2),
        ]
        #expect(try counted(journal) == ["0/1", "1/1", "2/2"])
    }

    @Test("a late claim that is not above the one before it changes nothing")
    func lateClaim() throws {
        let journal = [
            claim(2), entry(0, claim: 2), claim(1), entry(1, claim: 1), entry(1, claim: 2),
        ]
        #expect(try counted(journal) == ["0/2", "1/2"])
    }

    @Test("a copy of an entry is passed over, also after a later one")
    func copies() throws {
        let journal = [
            claim(1), entry(0, claim: 1), entry(0, claim: 1), entry(1, claim: 1),
            entry(0, claim: 1), entry(1, claim: 1), entry(2, claim: 1),
        ]
        #expect(try counted(journal) == ["0/1", "1/1", "2/1"])
    }

    @Test("entries of transactions always count, and end the claim before them")
    func switching() throws {
        let journal = [
            transactional(0, generation: 7), claim(8), entry(1, claim: 8),
            transactional(2, generation: 3), entry(2, claim: 8), transactional(3, generation: 4),
            claim(9), entry(4, claim: 9),
        ]
        #expect(try counted(journal) == ["0/7", "1/8", "2/3", "3/4", "4/9"])
        var filter = JournalFilter()
        for record in journal { _ = try filter.entry(in: record) }
        #expect(filter.highest == 9)
    }

    @Test("a reader that begins in the middle agrees once it knows the claim before that")
    func middle() throws {
        let journal = [
            claim(1), entry(0, claim: 1), claim(2), entry(1, claim: 1), entry(1, claim: 2),
            entry(2, claim: 1), entry(2, claim: 2),
        ]
        let whole = try counted(journal)
        #expect(try counted(Array(journal[3...]), claim: 2) == Array(whole[1...]))
        #expect(try counted(Array(journal[5...]), claim: 2) == Array(whole[2...]))
    }

    @Test("a claim is written in its format, and a flipped bit is refused")
    func format() throws {
        let stored = StoredFormats.bytes(StoredFormats.journalClaimV1)
        let claim = JournalClaim(number: 4, generation: 9)
        #expect(claim.encoded() == stored)
        #expect(try JournalClaim(decoding: stored) == claim)
        for index in stored.indices {
            for bit in 0..<8 {
                var damaged = stored
                damaged[index] ^= 1 << bit
                #expect(throws: StateError.self, "byte \(index), bit \(bit)") {
                    var filter = JournalFilter()
                    _ = try filter.entry(in: damaged)
                }
            }
        }
    }
}
