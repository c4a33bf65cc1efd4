import CPlatform
package import Core
package import State
import Synchronization

/// Writes a task's outputs without transactions: sooner visible, and after a crash perhaps twice.
///
/// What stands before the journal entry in a commit is acknowledged before the entry is written, and
/// the entry before what stands behind it; a commit returns when everything is acknowledged. Offsets
/// follow behind: see ``OffsetRecorder``. A process takes the task over with a ``JournalClaim``,
/// after which nobody heeds what its predecessors still write into the journal.
///
/// Values are lent to librdkafka, as by ``KafkaTransactionalOutput``.
package final class KafkaAtLeastOnceOutput: KafkaTaskOutput, @unchecked Sendable {
    // Safety: all but the offsets' output and the witness, which look after themselves, is touched by
    // the task's committer thread alone; `close` comes after that thread's last call.

    /// How long a task is taken for ours without asking, in milliseconds: below a session's time-out,
    /// so that a process that slept for longer asks before it writes.
    private static let trust: Int64 = 3000

    let settings: KafkaSettings
    let log: KafkaLog
    let callMilliseconds: Int32
    let name: String
    let journal: TopicPartition
    let groupID: String
    let admin: KafkaAdmin
    /// Commits offsets under the task's transactional id: whoever takes it over fences this.
    let offsets: KafkaTransactionalOutput
    private let topics: [(stream: OutputStream, name: String)]
    private var producer: TaskProducer?
    private var recorder: OffsetRecorder?
    /// The recorder of the present claim, once an entry is committed under it.
    private let witness = Mutex<OffsetRecorder?>(nil)
    /// The number of the claim.
    package internal(set) var generation: Int32 = -1
    package internal(set) var lastSequence: UInt64?
    package internal(set) var confirmedEnd: Int64?
    /// The journal offset after the last entry that counts.
    var entryEnd: Int64 = 0

    /// Whether the offsets' producer has its epoch, so that asking anew takes a new one.
    private var isSettled = false

    // The commit under way.
    /// The records of its buffer that were handed over.
    private var sentCount = 0
    private var hasSentEntry = false
    private var pending: (positions: [InputPosition], sequence: UInt64)?
    private var isBroken = false

    /// - Parameters:
    ///   - transactionalID: names the task for ever, as exactly once.
    ///   - topics: the topic of each stream that the task writes to; they must exist.
    ///   - token: the assignment that gave this process the task.
    ///   - callMilliseconds: how long one call may block.
    package init(
        settings: KafkaSettings, groupID: String, transactionalID: String,
        topics: [OutputStream: String], journal: TopicPartition, token: GroupToken,
        admin: KafkaAdmin, callMilliseconds: Int32 = 5000, log: KafkaLog
    ) {
        self.settings = settings
        self.groupID = groupID
        self.journal = journal
        self.admin = admin
        self.callMilliseconds = callMilliseconds
        self.log = log
        self.topics = OutputStream.allCases.compactMap { stream in
            topics[stream].map { (stream, $0) }
        }
        name = "output \(transactionalID)"
        offsets = KafkaTransactionalOutput(
            settings: settings, transactionalID: transactionalID, topics: [:], token: token,
            callMilliseconds: callMilliseconds, log: log)
    }

    package func adopt(_ newToken: GroupToken) { offsets.adopt(newToken) }

    /// Commits the offsets of what was acknowledged and destroys the producers.
    package func close() {
        witness.withLock { $0 = nil }
        producer = nil
        guard let recorder else { return }
        self.recorder = nil
        isSettled = false
        if recorder.end(milliseconds: 1500) { offsets.close() }
    }

    /// Ends the predecessors: their transactions first, then what they write into the journal.
    package func initialize() throws(OutputFailure) {
        witness.withLock { $0 = nil }
        if let recorder {
            guard recorder.end(milliseconds: Int64(callMilliseconds)) else {
                throw .uncertain("\(name) still commits offsets")
            }
            self.recorder = nil
        }
        if isSettled { try offsets.recreate() } else { try offsets.initialize() }
        isSettled = true
        producer = nil
        try makeProducer()
        try claim()
        recorder = OffsetRecorder(
            output: offsets,
            positions: [InputPosition(partition: journal, nextOffset: entryEnd)])
    }

    package func recreate() throws(OutputFailure) { try initialize() }

    package func begin() throws(OutputFailure) {
        guard let recorder else {
            throw .fatal("\(name) is closed; it must be made anew before the next commit")
        }
        guard try recorder.confirm(within: Self.trust, milliseconds: Int64(callMilliseconds))
        else { throw .abortable("\(name) cannot commit its offsets") }
        if producer == nil { try makeProducer() }
    }

    /// Hands the records over in their order; goes on where it stood if the commit was begun again.
    package func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        let producer = try current()
        let entry = buffer.journalIndex
        for end in buffer.partEnds where end > sentCount {
            try awaitAcknowledgement()
            let range = sentCount..<end
            do throws(OutputFailure) {
                try producer.send(buffer, range, milliseconds: callMilliseconds)
            } catch {
                throw broken(by: error)
            }
            sentCount = end
            hasSentEntry = entry.map(range.contains) ?? false
        }
    }

    package func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        pending = (positions, sequence)
    }

    package func commit() throws(OutputFailure) {
        try awaitAcknowledgement()
        sentCount = 0
        guard let (positions, sequence) = pending else { return }
        pending = nil
        recorder?.note(
            positions + [InputPosition(partition: journal, nextOffset: entryEnd)],
            sequence: sequence)
        witness.withLock { $0 = recorder }
    }

    /// Has the offsets committed once more: the group takes them only from the task's present owner,
    /// and so before a successor's claim, which then stands behind all our entries.
    package func confirmsEntries() -> Bool {
        guard let recorder = witness.withLock({ $0 }) else { return false }
        // One that begins in a later millisecond than this call.
        return (try? recorder.confirm(within: -1, milliseconds: Int64(callMilliseconds))) ?? false
    }

    /// After a time-out the commit goes on with what was handed over; a producer that failed is
    /// replaced, and everything is written again.
    package func abort() throws(OutputFailure) {
        guard isBroken else { return }
        isBroken = false
        producer = nil
        sentCount = 0
        hasSentEntry = false
    }

    // MARK: The producer

    func discardProducer() { producer = nil }

    func current() throws(OutputFailure) -> TaskProducer {
        guard let producer else {
            throw .fatal("\(name) is closed; it must be made anew before the next commit")
        }
        return producer
    }

    private func makeProducer() throws(OutputFailure) {
        let made: TaskProducer
        do throws(KafkaError) {
            made = try TaskProducer(
                .plain, settings: settings, name: name, topics: topics, log: log)
        } catch {
            throw .fatal(error.description)
        }
        do throws(OutputFailure) {
            try made.warmUp(milliseconds: callMilliseconds)
        } catch .uncertain(let reason) {
            log.unreachable(reason)
            throw .abortable(reason)
        }
        producer = made
        isBroken = false
        sentCount = 0
        hasSentEntry = false
    }

    /// Waits for everything that was handed over.
    private func awaitAcknowledgement() throws(OutputFailure) {
        let producer = try current()
        do throws(OutputFailure) {
            guard try producer.awaitAcknowledgement(milliseconds: callMilliseconds) else {
                let reason = "\(name): records are not acknowledged"
                log.unreachable(reason)
                throw OutputFailure.uncertain(reason)
            }
        } catch .uncertain(let reason) {
            throw .abortable(reason)
        } catch {
            throw broken(by: error)
        }
        log.reachable()
        if hasSentEntry {
            hasSentEntry = false
            entryEnd = producer.lastOffset + 1
        }
    }

    private func broken(by failure: OutputFailure) -> OutputFailure {
        isBroken = true
        if failure.endsProducer { producer = nil }
        if case .uncertain(let reason) = failure { return .abortable(reason) }
        return failure
    }
}
