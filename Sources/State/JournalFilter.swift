package import Core

/// Tells which records of a journal count, in the order of their offsets: whoever reads a journal
/// reads it through a filter, so that all agree.
///
/// Entries of transactions count: Kafka has fenced whoever must not write them. Entries written at
/// least once count if no higher ``JournalClaim`` stands before them; those of a process that was
/// taken for dead and went on are passed over wherever they stand. So are copies: an owner that did
/// not learn whether an entry was written sends the same bytes again.
package struct JournalFilter: Sendable {
    /// The number of the highest claim so far; 0 before the first.
    package private(set) var claim: Int32
    /// The highest number in use so far, generations of transactional entries included.
    package private(set) var highest: Int32
    /// Whether a transactional entry followed the claim: the pipeline was switched, the claim ended.
    private var isEnded = false
    /// The last entry that was written under the claim.
    private var lastSequence: UInt64?

    /// - Parameter claim: The highest claim before the place where reading begins, or any lower
    ///   bound from which on an entry of a higher one is met first.
    package init(claim: Int32 = 0) {
        self.claim = claim
        highest = claim
    }

    /// The entry in a record's bytes; `nil` for a claim and for an entry that does not count.
    package mutating func entry(in bytes: [UInt8]) throws(StateError) -> JournalEntry? {
        if JournalClaim.begins(bytes) {
            let found = try JournalClaim(decoding: bytes)
            if found.number > claim { follow(found.number) }
            return nil
        }
        let entry = try JournalEntry(decoding: bytes)
        highest = max(highest, entry.generation)
        guard entry.isClaimed else {
            isEnded = true
            return entry
        }
        if entry.generation > claim { follow(entry.generation) }
        guard entry.generation == claim, !isEnded else { return nil }
        if let lastSequence, entry.sequence <= lastSequence { return nil }
        lastSequence = entry.sequence
        return entry
    }

    private mutating func follow(_ number: Int32) {
        claim = number
        highest = max(highest, number)
        isEnded = false
        lastSequence = nil
    }
}
