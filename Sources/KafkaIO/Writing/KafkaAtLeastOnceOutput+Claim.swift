import CPlatform
import Core
import State

/// How a process takes a task over where no transaction fences its predecessors.
extension KafkaAtLeastOnceOutput {
    /// Writes a claim that counts, and finds where the journal stands.
    ///
    /// First the group's coordinator is asked, by a commit under our assignment, whether the task is
    /// still ours. Then comes a claim with a number above all that the journal holds. If an equal one
    /// came between, ours does not count, and the caller does everything again: of two claimers the
    /// one whose assignment has passed stops at the question.
    func claim() throws(OutputFailure) {
        let tail = try asking { () throws(KafkaError) in try openTail() }
        defer { tail.close() }
        var filter = JournalFilter()
        let isRead = try asking { () throws(KafkaError) in
            try tail.readToEnd(milliseconds: 60_000) { take($0, &filter) }
        }
        guard isRead else { throw .uncertain("the end of \(journal.topic) was not reached") }

        try offsets.begin()
        try offsets.sendOffsets(
            [InputPosition(partition: journal, nextOffset: entryEnd)], sequence: 0)
        try offsets.commit()

        let number = filter.highest + 1
        let offset = try write(
            JournalClaim(number: number, generation: offsets.generation).encoded())
        let end = tw_monotonic_nanoseconds() + Int64(callMilliseconds) * 1_000_000
        while true {
            guard tw_monotonic_nanoseconds() < end else {
                throw .uncertain("the claim in \(journal.topic) cannot be read")
            }
            let record = try asking { () throws(KafkaError) in try tail.next(milliseconds: 100) }
            guard let record else { continue }
            if record.offset >= offset { break }
            take(record, &filter)
        }
        guard filter.claim < number else {
            throw .uncertain("another process claims partition \(journal.partition)")
        }
        generation = number
    }

    /// Reads the journal from the last entry whose offsets are committed: the group took that commit
    /// from the owner of then, so that no higher claim stands before the entry.
    private func openTail() throws(KafkaError) -> KafkaTail {
        let committed = try admin.committedOffsets(of: groupID, [journal])[0]
        let ends = try admin.watermarks(of: journal)
        let start = committed > 0 ? min(ends.high, max(ends.low, committed - 1)) : ends.low
        entryEnd = start
        confirmedEnd = committed > 0 ? committed : nil
        lastSequence = nil
        return try KafkaTail(
            settings: settings, topic: journal.topic, starts: [(journal.partition, start)],
            log: log)
    }

    /// Follows the journal; an entry that cannot be read is told by the restore.
    private func take(_ record: KafkaRecord, _ filter: inout JournalFilter) {
        guard let entry = try? filter.entry(in: record.value ?? []) else { return }
        lastSequence = entry.sequence
        entryEnd = record.offset + 1
    }

    /// Writes a record to the journal; returns its offset.
    private func write(_ bytes: [UInt8]) throws(OutputFailure) -> Int64 {
        let producer = try current()
        var buffer = OutputBuffer(capacity: 256)
        buffer.append(bytes.span, to: .journal, partition: journal.partition)
        // Its memory is lent until the record is acknowledged or the producer is gone.
        defer { withExtendedLifetime(buffer) {} }
        do throws(OutputFailure) {
            try producer.send(buffer, milliseconds: callMilliseconds)
            if try producer.awaitAcknowledgement(milliseconds: callMilliseconds) {
                return producer.lastOffset
            }
        } catch {
            discardProducer()
            throw error
        }
        // It may refer to the buffer, which ends here.
        discardProducer()
        throw .uncertain("\(name): the claim is not acknowledged")
    }

    private func asking<Answer>(
        _ question: () throws(KafkaError) -> Answer
    ) throws(OutputFailure) -> Answer {
        do throws(KafkaError) {
            return try question()
        } catch {
            switch error.kind {
            case .unreachable, .unsettled, .other: throw .uncertain(error.description)
            case .unauthorised, .unauthenticated, .unknownTopic, .refused, .configuration,
                .alreadyExists, .unsupported:
                throw .fatal(error.description)
            }
        }
    }
}
