package import Core

/// What one commit of a task consumed and produced: the line of the journal that a replay follows.
///
/// The interleaving of a task's inputs is the only thing that Kafka does not order; the entry
/// records it as *merge rounds*. The order inside a round is a pure function of the log (see
/// ``MergeOrder``), so that a round is no more than the end offset of each input.
package struct JournalEntry: Sendable, Equatable {
    /// The newest format that this program writes and reads.
    package static let formatVersion: Int = 1

    /// The pipeline's fingerprint: a journal of another pipeline version is refused.
    package var fingerprint: UInt64
    /// The numeric contract that the predictions were computed under.
    package var numericsVersion: UInt32
    /// 0 for the first entry, which holds the resolved start offsets and no rounds.
    package var sequence: UInt64
    /// The group's generation under which the task was owned; −1 without a group.
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
    /// The hash of the task's whole state after this commit, every few entries.
    package var stateHash: UInt64?

    package init(
        fingerprint: UInt64, sequence: UInt64, generation: Int32, inputs: [TopicPartition],
        nextOffsets: [Int64], rounds: [[Int64]], recordCount: UInt64, predictionCount: UInt64,
        predictionHash: UInt64, stateHash: UInt64?
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
        self.stateHash = stateHash
    }
}

extension JournalEntry {
    /// The entry as bytes, closed by a hash over all of them.
    package func encoded() -> [UInt8] {
        var encoder = StateEncoder()
        encoder.section("journal", version: Self.formatVersion)
        encoder.write(fingerprint)
        encoder.write(numericsVersion)
        encoder.write(sequence)
        encoder.write(generation)
        encoder.write(inputs.count)
        for input in inputs {
            encoder.write(input.topic)
            encoder.write(input.partition)
        }
        for offset in nextOffsets { encoder.write(offset) }
        encoder.write(rounds.count)
        for round in rounds {
            for offset in round { encoder.write(offset) }
        }
        encoder.write(recordCount)
        encoder.write(predictionCount)
        encoder.write(predictionHash)
        encoder.write(optional: stateHash) { $0.write($1) }
        encoder.write(Self.hash(of: encoder.bytes))
        return encoder.bytes
    }

    /// Reads an entry and checks its hash.
    package init(decoding bytes: [UInt8]) throws(StateError) {
        guard bytes.count >= 8 else { throw .truncated }
        var decoder = StateDecoder(bytes)
        _ = try decoder.section("journal", through: Self.formatVersion)
        fingerprint = try decoder.readUInt64()
        numericsVersion = try decoder.readInteger(UInt32.self)
        sequence = try decoder.readUInt64()
        generation = try decoder.readInteger(Int32.self)
        let inputCount = try decoder.readInt(in: 0...(decoder.remaining / 12), "inputs")
        inputs = []
        for _ in 0..<inputCount {
            let topic = try decoder.readString()
            inputs.append(
                TopicPartition(topic: topic, partition: try decoder.readInteger(Int32.self)))
        }
        nextOffsets = []
        for _ in 0..<inputCount { nextOffsets.append(try decoder.readInt64()) }
        let roundCount = try decoder.readInt(in: 0...(decoder.remaining / 8), "rounds")
        rounds = []
        for _ in 0..<roundCount {
            var round: [Int64] = []
            for _ in 0..<inputCount { round.append(try decoder.readInt64()) }
            rounds.append(round)
        }
        recordCount = try decoder.readUInt64()
        predictionCount = try decoder.readUInt64()
        predictionHash = try decoder.readUInt64()
        stateHash = try decoder.readOptional { (inner) throws(StateError) in
            try inner.readUInt64()
        }
        let stored = try decoder.readUInt64()
        try decoder.finish()
        guard stored == Self.hash(of: Array(bytes.dropLast(8))) else { throw .hashMismatch }
    }

    private static func hash(of bytes: [UInt8]) -> UInt64 {
        var hash = ContentHash()
        hash.combine(bytes.span)
        return hash.value
    }
}
