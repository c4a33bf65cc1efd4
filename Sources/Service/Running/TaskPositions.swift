import Engine
import KafkaIO
import State

/// Where a task stands on the log before it is restored.
///
/// Found after the task's producer was initialised, which has ended whatever its predecessor was
/// about to commit.
struct TaskPositions: Sendable {
    /// The task's inputs, new partitions included.
    let inputs: [TopicPartition]
    /// Where the inputs' logs are opened; the journal says where the task really begins.
    let starts: [Int64]
    /// The first offset that the journal has.
    let journalStart: Int64
    /// The journal's true end, which the restore must reach.
    let journalEnd: Int64
    /// Whether an input may not be the one that was learned: Kafka forgets a group's offsets with a
    /// topic that is deleted.
    let doubtsInput: Bool
    /// What to do with the group's offsets once the journal's end is reached.
    let review: OffsetReview

    /// Asks the brokers; blocks for the time of some requests.
    ///
    /// - Parameters:
    ///   - lastSequence: of the journal's last entry, if it is known.
    ///   - wasRefused: whether the last start found that journal and offsets differ.
    init(
        task: Int, journal: TopicPartition, lastSequence: UInt64?, wasRefused: Bool,
        pipeline: Pipeline, options: ProcessOptions, watch: InputWatch, admin: KafkaAdmin,
        log: KafkaLog
    ) throws(KafkaError) {
        inputs = try watch.refresh().inputs(ofTask: task)
        (journalStart, journalEnd) = try admin.watermarks(of: journal)
        // The embedded cluster keeps no offsets of transactions.
        let found =
            options.isEmbedded
            ? nil
            : try Self.commits(
                inputs, pipeline, hasJournal: journalEnd > 0, admin: admin, log: log)
        let commits = found ?? inputs.map { _ in CommittedOffset(offset: -1) }
        let committed = commits.map(\.offset)
        // Offsets and journal are compared as of one moment: nobody may have written between.
        guard try admin.watermarks(of: journal).high == journalEnd else {
            throw KafkaError(
                kind: .other, problem: "another process writes to the journal of task \(task)",
                remedy: "it is asked again")
        }
        var lowest: [Int64] = []
        var first: [Int64] = []
        let tail = JournalTail(settings: pipeline.kafkaSettings, admin: admin, log: log)
        let learned =
            options.isEmbedded || journalEnd == 0
            ? committed : try Self.learned(inputs, committed, tail, journal)
        for (input, offset) in zip(inputs, learned) {
            let ends = try admin.watermarks(of: input)
            guard offset <= ends.high else {
                throw KafkaError(
                    kind: .refused,
                    problem: "\(input.topic)[\(input.partition)] ends at \(ends.high), but this "
                        + "pipeline has learned it up to \(offset): the topic was made anew, or has "
                        + "lost records",
                    remedy: "restore it, or give the pipeline another name to learn it from its "
                        + "beginning")
            }
            lowest.append(ends.low)
            first.append(pipeline.input.start == .latest ? ends.high : ends.low)
        }
        starts = journalEnd == 0 ? first : lowest
        doubtsInput =
            found != nil && options.trust == nil
            && zip(committed, learned).contains { $0 < 0 && $1 > 0 }
        let outputs = OutputsEnd(pipeline: pipeline, admin: admin, log: log)
        let isExactlyOnce = pipeline.delivery.guarantee == .exactlyOnce
        // At least once, taking the task over has written into the journal, but no entry.
        let isEmpty = isExactlyOnce ? journalEnd == 0 : lastSequence == nil
        var evidence: CommitEvidence?
        var remains: String?
        if !options.isEmbedded {
            if isEmpty, options.trust != .journal, committed.allSatisfy({ $0 <= 0 }) {
                remains = try outputs.remains(ofTask: task, inputs: inputs)
            } else if wasRefused, isExactlyOnce, !isEmpty, options.trust == nil {
                evidence = try outputs.evidence(
                    task: task, inputs: inputs, sequences: commits.map(\.sequence))
            }
        }
        review = OffsetReview(
            task: task, groupID: pipeline.groupID, inputs: inputs, committed: committed,
            firstOffsets: first, trust: options.trust, mayLag: !isExactlyOnce,
            evidence: evidence, remains: remains)
    }

    /// What the group has committed, or `nil` where they hang in a transaction that never settles.
    ///
    /// The task's producer has been initialised, so Kafka holds no transaction of the task open any
    /// more. Offsets that still wait for one lost its marker: a broker that is killed in a commit and
    /// comes back can note the commit as complete without having marked the group's offsets (Kafka
    /// 4.3.0). Without them the journal alone says where the task stands, and its next commit, by the
    /// same producer, settles them. At least once nothing would: there the outputs are judged by the
    /// offsets, so that a person has to end the transaction.
    private static func commits(
        _ inputs: [TopicPartition], _ pipeline: Pipeline, hasJournal: Bool, admin: KafkaAdmin,
        log: KafkaLog
    ) throws(KafkaError) -> [CommittedOffset]? {
        do throws(KafkaError) {
            return try admin.commits(of: pipeline.groupID, inputs)
        } catch {
            guard error.kind == .unsettled, hasJournal,
                pipeline.delivery.guarantee == .exactlyOnce
            else { throw error }
            log.say(
                .warning, topic: "offsets of \(pipeline.groupID)",
                "\(error.problem); the journal says where to go on, and the next commit settles them"
            )
            return nil
        }
    }

    /// How far each input was learned: the group's offsets, or what the journal says where they went
    /// with a deleted topic or have expired.
    private static func learned(
        _ inputs: [TopicPartition], _ committed: [Int64], _ tail: JournalTail,
        _ journal: TopicPartition
    ) throws(KafkaError) -> [Int64] {
        guard committed.contains(where: { $0 < 0 }) else { return committed }
        let entry: JournalEntry?
        do throws(KafkaError) {
            entry = try tail.lastEntry(of: journal)
        } catch {
            // An end of the journal that cannot be read is told by the restore.
            guard error.kind != .unreachable else { throw error }
            return committed
        }
        guard let last = entry else { return committed }
        return zip(inputs, committed).map { input, offset in
            guard let place = last.inputs.firstIndex(of: input) else { return offset }
            return max(offset, last.nextOffsets[place])
        }
    }
}
