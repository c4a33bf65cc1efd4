package import Core

/// A record of the journal by which a process takes a task over where no transaction fences its
/// predecessors (at least once).
///
/// Claims are numbered upwards. What an owner with a lower number writes into the journal after this
/// record counts for nothing, whoever reads it: see ``JournalFilter``.
package struct JournalClaim: Sendable, Equatable {
    /// The newest format that this program writes and reads.
    package static let formatVersion: Int = 1
    private static let section = "journal_claim"

    package var number: Int32
    /// The group's generation under which the task was given to the claimer; for people.
    package var generation: Int32

    package init(number: Int32, generation: Int32) {
        self.number = number
        self.generation = generation
    }

    /// The claim as bytes, closed by a hash over all of them.
    package func encoded() -> [UInt8] {
        var encoder = StateEncoder()
        encoder.section(Self.section, version: Self.formatVersion)
        encoder.write(number)
        encoder.write(generation)
        return encoder.sealed()
    }

    /// Reads a claim and checks its hash.
    package init(decoding bytes: [UInt8]) throws(StateError) {
        guard bytes.count >= 8 else { throw .truncated }
        var decoder = StateDecoder(bytes)
        _ = try decoder.section(Self.section, through: Self.formatVersion)
        number = try decoder.readInteger(Int32.self)
        generation = try decoder.readInteger(Int32.self)
        try decoder.checkSeal(of: bytes)
    }

    /// Whether these are the bytes of a claim rather than of an entry.
    static func begins(_ bytes: [UInt8]) -> Bool {
        var encoder = StateEncoder()
        encoder.write(section)
        return bytes.starts(with: encoder.bytes)
    }
}
