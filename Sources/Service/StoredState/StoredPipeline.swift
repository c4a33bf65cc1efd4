import Core
import Engine
import KafkaIO
import State

/// What a pipeline has stored in Kafka, looked at from outside: nothing is changed, no process of
/// the pipeline is disturbed, and the group is not joined.
final class StoredPipeline {
    /// A journal entry with its place.
    struct Entry: Sendable {
        let entry: JournalEntry
        let offset: Int64
        /// When it was committed, in milliseconds since 1970.
        let timestamp: Int64
    }

    let pipeline: Pipeline
    let settings: KafkaSettings
    let admin: KafkaAdmin
    /// Its queries give last stable offsets, and it reads for rebuilding a state.
    let reader: KafkaReader
    let layout: TopicLayout
    /// The partitions of the state topic; `nil` when there is no such topic.
    let statePartitions: Int?
    let log: KafkaLog

    /// - Throws: ``KafkaError``, also for a pipeline that has no journal.
    init(_ pipeline: Pipeline, log: KafkaLog) throws(KafkaError) {
        self.pipeline = pipeline
        self.log = log
        settings = pipeline.kafkaSettings
        admin = try KafkaAdmin(settings: settings, groupID: pipeline.groupID, log: log)
        try admin.connect()
        let input = pipeline.input.topic ?? ""
        guard let tasks = try admin.partitionCount(of: pipeline.output.journalTopic) else {
            admin.close()
            throw KafkaError(
                kind: .unknownTopic,
                problem: "pipeline \(pipeline.name) has no state here: its journal "
                    + "\(pipeline.output.journalTopic) does not exist",
                remedy: "check pipeline, output.journal and bootstrap.servers in the file; "
                    + "`tidewheel run` creates the journal")
        }
        guard let partitions = try admin.partitionCount(of: input) else {
            admin.close()
            throw KafkaError(
                kind: .unknownTopic, problem: "the input \(input) does not exist",
                remedy: "check input.topic and bootstrap.servers in the file")
        }
        layout = TopicLayout(inputTopic: input, inputPartitions: partitions, taskCount: tasks)
        statePartitions = try admin.partitionCount(of: pipeline.output.stateTopic)
        reader = try KafkaReader(
            settings: settings, groupID: pipeline.groupID, partitionCount: partitions, log: log)
    }

    deinit {
        reader.close()
        admin.close()
    }

    /// The journal partition of a task.
    func journal(_ task: Int) -> TopicPartition {
        TopicPartition(topic: pipeline.output.journalTopic, partition: Int32(task))
    }

    /// The first offset of a partition and the one after its last committed record.
    func ends(of partition: TopicPartition) throws(KafkaError) -> (low: Int64, high: Int64) {
        guard let ends = reader.watermarks(of: partition, milliseconds: 10_000) else {
            throw KafkaError(
                kind: .unreachable,
                problem: "the ends of \(partition.topic)[\(partition.partition)] are not known",
                remedy: "check that the broker runs and that this user may DESCRIBE the topic")
        }
        return ends
    }

    /// The store of a task's chunks, for reading.
    func chunks(_ task: Int) -> KafkaChunkStore {
        KafkaChunkStore(
            settings: settings, topic: pipeline.output.stateTopic, journal: journal(task),
            admin: admin,
            writer: KafkaChunkWriter(
                settings: settings, topic: pipeline.output.stateTopic, log: log), log: log)
    }

    // MARK: The journal

    /// Reads the entries of journals from these offsets to their ends, in offset order within a task:
    /// the records that count, and those that cannot be read.
    func readJournals(
        from starts: [(task: Int, offset: Int64)], _ body: (KafkaRecord) -> Void
    ) throws(KafkaError) {
        guard !starts.isEmpty else { return }
        let tail = try KafkaTail(
            settings: settings, topic: pipeline.output.journalTopic,
            starts: starts.map { (Int32($0.task), $0.offset) }, log: log)
        defer { tail.close() }
        var filters: [Int32: JournalFilter] = [:]
        let isRead = try tail.readToEnd(milliseconds: 60_000) { record in
            do throws(StateError) {
                let entry = try filters[record.partition, default: JournalFilter()].entry(
                    in: record.value ?? [])
                if entry != nil { body(record) }
            } catch {
                body(record)
            }
        }
        guard isRead else {
            throw KafkaError(
                kind: .unreachable,
                problem: "the end of \(pipeline.output.journalTopic) was not reached in 60 s",
                remedy: "check that the broker runs")
        }
    }

    /// The last entry that counts of each of these tasks' journals, or why it cannot be read; tasks
    /// without one are left out.
    func lastEntries(
        of tasks: [Int]
    ) throws(KafkaError) -> [Int: Result<Entry, TaskFailure>] {
        var found: [Int: Result<Entry, TaskFailure>] = [:]
        var missing: [(task: Int, low: Int64, high: Int64)] = []
        for task in tasks {
            let ends = try ends(of: journal(task))
            if ends.high > ends.low { missing.append((task, ends.low, ends.high)) }
        }
        // An entry takes two offsets, with its transaction's marker.
        var reach: Int64 = 64
        while !missing.isEmpty {
            var readers: [Int: JournalReading] = [:]
            try readJournals(from: missing.map { ($0.task, max($0.low, $0.high - reach)) }) {
                readers[Int($0.partition), default: JournalReading()].take($0) { _ in }
            }
            for (task, reading) in readers { found[task] = reading.last }
            missing.removeAll { task, low, high in
                if high - reach <= low { return true }
                // Which claimed entries count is certain only from the journal's start on.
                if case .success(let last)? = found[task] { return !last.entry.isClaimed }
                return found[task] != nil
            }
            reach *= 8
        }
        return found
    }

    /// Every committed entry of a task's journal that is still kept and counts.
    ///
    /// - Returns: the highest claim among them; 0 for a journal of transactions.
    /// - Throws: ``KafkaError``, or ``TaskFailure`` for an entry that cannot be read.
    @discardableResult
    func entries(of task: Int, _ body: (Entry) -> Void) throws -> Int32 {
        let ends = try ends(of: journal(task))
        guard ends.high > ends.low else { return 0 }
        var reading = JournalReading()
        var failure: TaskFailure?
        try readJournals(from: [(task, ends.low)]) { record in
            if failure == nil { failure = reading.take(record, body) }
        }
        if let failure { throw failure }
        return reading.claim
    }
}

/// Reads a journal's records in their order, through the filter that tells which entries count.
private struct JournalReading {
    private var filter = JournalFilter()
    private(set) var last: Result<StoredPipeline.Entry, TaskFailure>?

    var claim: Int32 { filter.claim }

    /// Takes a record; the failure if it cannot be read.
    @discardableResult
    mutating func take(
        _ record: KafkaRecord, _ body: (StoredPipeline.Entry) -> Void
    ) -> TaskFailure? {
        do throws(StateError) {
            guard let entry = try filter.entry(in: record.value ?? []) else { return nil }
            let found = StoredPipeline.Entry(
                entry: entry, offset: record.offset, timestamp: record.timestamp)
            last = .success(found)
            body(found)
            return nil
        } catch {
            let failure = TaskFailure.journalDamaged(offset: record.offset, error)
            last = .failure(failure)
            return failure
        }
    }
}
