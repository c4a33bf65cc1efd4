import Core
import KafkaIO
import State

/// Finds how far a task's journal is committed, without replaying it.
struct JournalTail {
    let settings: KafkaSettings
    let admin: KafkaAdmin
    let log: KafkaLog

    /// The sequence number of the last committed entry; `nil` for an empty journal.
    ///
    /// Call it after the task's producer was initialised: nothing is under way then, so that the end
    /// of the committed records is the true one.
    func lastSequence(of journal: TopicPartition) throws(KafkaError) -> UInt64? {
        try lastEntry(of: journal)?.sequence
    }

    /// The last committed entry; as ``lastSequence(of:)``.
    func lastEntry(of journal: TopicPartition) throws(KafkaError) -> JournalEntry? {
        let ends = try admin.watermarks(of: journal)
        var reach: Int64 = 64
        while true {
            let start = max(ends.low, ends.high - reach)
            if let entry = try lastEntry(of: journal, from: start) { return entry }
            guard start > ends.low else { return nil }
            reach *= 8
        }
    }

    private func lastEntry(
        of journal: TopicPartition, from start: Int64
    ) throws(KafkaError) -> JournalEntry? {
        let tail = try KafkaTail(
            settings: settings, topic: journal.topic, starts: [(journal.partition, start)],
            log: log)
        defer { tail.close() }
        var filter = JournalFilter()
        var last: JournalEntry?
        var damage: StateError?
        let isRead = try tail.readToEnd(milliseconds: 10_000) { record in
            do throws(StateError) {
                if let entry = try filter.entry(in: record.value ?? []) { last = entry }
            } catch {
                damage = error
            }
        }
        guard isRead else {
            throw KafkaError(
                kind: .unreachable, problem: "the end of \(journal.topic) was not reached",
                remedy: "check that the broker runs")
        }
        if let damage {
            throw KafkaError(
                kind: .other,
                problem: "the last entries of \(journal.topic) cannot be read: \(damage)",
                remedy: "the task is restored from the whole journal")
        }
        return last
    }
}
