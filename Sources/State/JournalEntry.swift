package import Core

/// What one commit of a task consumed and produced: the line of the journal that a replay follows.
///
/// The interleaving of a task's inputs is the only thing that Kafka does not order; the entry
/// records it as *merge rounds*. The order inside a round is a pure function of the log (see
/// the engine's `MergeRound`), so that a round is no more than the end offset of each input.
package struct JournalEntry: Sendable, Equatable {
    /// The newest format that this program writes and reads.
    package static let formatVersion: Int = 5

    /// The pipeline's fingerprint: a journal of another pipeline version is refused.
    package var fingerprint: UInt64
    /// The numeric contract that the predictions were computed under.
    package var numericsVersion: UInt32
    /// 0 for the first entry, which holds the resolved start offsets and no rounds.
    package var sequence: UInt64
    /// The group's generation under which the task was owned; −1 without a group. Of a claimed
    /// entry the number of the ``JournalClaim``.
    package var generation: Int32
    /// The inputs, in the order that numbers them.
    package var inputs: [TopicPartition]
    /// The next offset of each input after this commit.
    package var nextOffsets: [Int64]
    /// For each merge round, in order, the end offset of each input.
    package var rounds: [[Int64]]
    /// The records consumed by this commit, faulty ones included.
    package var recordCount: UInt64
    /// The predictions of this commit.
    package var predictionCount: UInt64
    /// The hash of their keys and values, in order.
    package var predictionHash: UInt64
    /// The hash of all that was learned after this commit, every few entries. New in format 4:
    /// earlier ones had a hash that changes with the metrics, which is not compared any more. Of
    /// which state format it is stands there since format 5; before, there was the second.
    package var learnedHash: LearnedHash?
    /// The snapshot that a restore loads; `nil` before the first. New in format 2, as what follows.
    package var live: SnapshotReference?
    /// The one before it, loaded if the live one turns out to be damaged.
    package var previous: SnapshotReference?
    /// The last entries that were skipped because their input was lost, as long as a snapshot from
    /// before them is referred to.
    package var skipped: SkippedEntries?
    /// Whether it was written outside transactions, under a ``JournalClaim``: see
    /// ``JournalFilter``. New in format 3.
    package var isClaimed: Bool
    /// The version of the state that the pipeline file declares; 1 before format 4.
    package var version: UInt32
    /// The settings of the pipeline file that wrote it, in the first entry after a start; new in
    /// format 4.
    package var settings: [TextPair]?

    package init(
        fingerprint: UInt64, sequence: UInt64, generation: Int32, inputs: [TopicPartition],
        nextOffsets: [Int64], rounds: [[Int64]], recordCount: UInt64, predictionCount: UInt64,
        predictionHash: UInt64, learnedHash: LearnedHash?, live: SnapshotReference? = nil,
        previous: SnapshotReference? = nil, skipped: SkippedEntries? = nil, version: UInt32 = 1,
        settings: [TextPair]? = nil, isClaimed: Bool = false
    ) {
        precondition(nextOffsets.count == inputs.count, "an offset for each input")
        self.fingerprint = fingerprint
        self.numericsVersion = Core.numericsVersion
        self.sequence = sequence
        self.generation = generation
        self.inputs = inputs
        self.nextOffsets = nextOffsets
        self.rounds = rounds
        self.recordCount = recordCount
        self.predictionCount = predictionCount
        self.predictionHash = predictionHash
        self.learnedHash = learnedHash
        self.live = live
        self.previous = previous
        self.skipped = skipped
        self.isClaimed = isClaimed
        self.version = version
        self.settings = settings
    }
}

extension JournalEntry {
    /// The entry as bytes in the newest format, closed by a hash over all of them.
    package func encoded() -> [UInt8] {
        var encoder = StateEncoder()
        encoder.section("journal", version: Self.formatVersion)
        encoder.write(fingerprint)
        encoder.write(numericsVersion)
        encoder.write(sequence)
        encoder.write(generation)
        encoder.write(inputs: inputs, nextOffsets: nextOffsets)
        encoder.write(rounds.count)
        for round in rounds {
            for offset in round { encoder.write(offset) }
        }
        encoder.write(recordCount)
        encoder.write(predictionCount)
        encoder.write(predictionHash)
        encoder.write(optional: learnedHash) {
            $0.write($1.value)
            $0.write($1.stateFormat)
        }
        encoder.write(optional: live) { $1.encode(to: &$0) }
        encoder.write(optional: previous) { $1.encode(to: &$0) }
        encoder.write(optional: skipped) { $1.encode(to: &$0) }
        encoder.write(isClaimed)
        encoder.write(version)
        encoder.write(optional: settings) { $0.write(pairs: $1) }
        return encoder.sealed()
    }

    /// Reads an entry and checks its hash.
    package init(decoding bytes: [UInt8]) throws(StateError) {
        guard bytes.count >= 8 else { throw .truncated }
        var decoder = StateDecoder(bytes)
        let format = try decoder.section("journal", through: Self.formatVersion)
        fingerprint = try decoder.readUInt64()
        numericsVersion = try decoder.readInteger(UInt32.self)
        sequence = try decoder.readUInt64()
        generation = try decoder.readInteger(Int32.self)
        (inputs, nextOffsets) = try decoder.readInputs()
        let roundCount = try decoder.readInt(in: 0...(decoder.remaining / 8), "rounds")
        rounds = []
        for _ in 0..<roundCount {
            var round: [Int64] = []
            for _ in inputs.indices { round.append(try decoder.readInt64()) }
            rounds.append(round)
        }
        recordCount = try decoder.readUInt64()
        predictionCount = try decoder.readUInt64()
        predictionHash = try decoder.readUInt64()
        let hash = try decoder.readOptional { (inner) throws(StateError) in
            LearnedHash(
                try inner.readUInt64(),
                stateFormat: format >= 5 ? try inner.readInteger(UInt32.self) : 2)
        }
        learnedHash = format >= 4 ? hash : nil
        if format >= 2 {
            live = try decoder.readOptional(SnapshotReference.init)
            previous = try decoder.readOptional(SnapshotReference.init)
            skipped = try decoder.readOptional(SkippedEntries.init)
            guard (skipped?.nextOffsets.count ?? 0) <= inputs.count else {
                throw .invalidValue("skipped entries of more inputs than there are")
            }
        }
        isClaimed = format >= 3 ? try decoder.readBool() : false
        version = 1
        if format >= 4 {
            version = try decoder.readInteger(UInt32.self)
            settings = try decoder.readOptional { (inner) throws(StateError) in
                try inner.readPairs()
            }
        }
        try decoder.checkSeal(of: bytes)
    }
}
