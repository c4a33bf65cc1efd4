import Core
import State

/// Writes a task's outputs without transactions, as the product's at-least-once output: what stands
/// before the journal entry is acknowledged before the entry is written, and the entry before what
/// stands behind it; offsets follow; a claim in the journal takes the place of a fence.
final class SimulatedPlainOutput: SimulatedTaskOutput, @unchecked Sendable {
    // Safety: one thread runs the whole simulation.

    /// A batch on its way: copies of the same request store it once.
    private final class Sending {
        let place: Int
        let records: [StoredRecord]
        var offset: Int?

        init(place: Int, records: [StoredRecord]) {
            self.place = place
            self.records = records
        }
    }

    private let process: SimulatedProcess
    private let broker: SimulatedBroker
    private let task: Int
    private let bug: PlantedBug?
    /// Commits offsets under the task's transactional id: whoever takes it over fences this.
    private let offsets: SimulatedOutput
    private var recorder: SimulatedRecorder?
    /// The recorder of the present claim, once an entry is committed under it.
    private var witness: SimulatedRecorder?
    private(set) var generation: Int32 = -1
    private(set) var lastSequence: UInt64?
    private(set) var confirmedEnd: Int64?
    /// The journal offset after the last entry that counts.
    private var entryEnd: Int64 = 0
    private var isSettled = false
    private var queue: [Sending] = []
    /// The records of the commit's buffer that were handed over.
    private var sentCount = 0
    private var pending: (positions: [InputPosition], sequence: UInt64)?
    private var isBroken = false

    init(process: SimulatedProcess, task: Int, membership: Membership) {
        self.process = process
        broker = process.broker
        self.task = task
        bug = process.scenario.bug
        offsets = SimulatedOutput(process: process, task: task, membership: membership)
    }

    private var world: World { process.world }
    private var journal: Int { broker.place(.journal, task) }
    private var journalName: TopicPartition {
        TopicPartition(topic: SimulatedBroker.journalTopic, partition: Int32(task))
    }

    var isInitialized: Bool { recorder != nil }

    func fence() throws(OutputFailure) { try offsets.fence() }

    func adopt(_ given: Membership) { offsets.adopt(given) }

    func close() {
        witness = nil
        queue = []
        guard let recorder else { return }
        self.recorder = nil
        isSettled = false
        if recorder.end() { offsets.close() }
    }

    /// Ends the predecessors: their transactions first, then what they write into the journal.
    func initialize() throws(OutputFailure) {
        witness = nil
        if let recorder {
            guard recorder.end() else { throw .uncertain("offsets are still being committed") }
            self.recorder = nil
        }
        if isSettled { try offsets.recreate() } else { try offsets.initialize() }
        isSettled = true
        startAnew()
        try claim()
        recorder = SimulatedRecorder(
            process: process, output: offsets,
            positions: [InputPosition(partition: journalName, nextOffset: entryEnd)])
    }

    func recreate() throws(OutputFailure) { try initialize() }

    // MARK: A commit

    func begin() throws(OutputFailure) {
        guard let recorder else { throw .fatal("begin without a claim") }
        guard try recorder.confirm(within: Int64(process.scenario.session) / 2) else {
            throw .abortable("the offsets cannot be committed")
        }
    }

    /// Hands the records over in their order; goes on where it stood if the commit was begun again.
    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        let ends = bug == .entryUnacknowledged ? [buffer.entries.count] : buffer.partEnds
        for end in ends where end > sentCount {
            try awaitAcknowledgement()
            handOver(buffer, sentCount..<end)
            sentCount = end
        }
    }

    private func handOver(_ buffer: borrowing OutputBuffer, _ range: Range<Int>) {
        var batches = broker.batches(of: buffer, range)
        // The order between partitions is anybody's; inside one it is kept.
        while !batches.isEmpty {
            let batch = batches.remove(at: world.random.next(below: batches.count))
            queue.append(Sending(place: batch.place, records: batch.records))
        }
    }

    func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        pending = (positions, sequence)
    }

    func commit() throws(OutputFailure) {
        try awaitAcknowledgement()
        sentCount = 0
        guard let (positions, sequence) = pending else { return }
        pending = nil
        recorder?.note(
            positions + [InputPosition(partition: journalName, nextOffset: entryEnd)],
            sequence: sequence)
        witness = recorder
    }

    func confirmsEntries() -> Bool {
        if bug == .trimUnconfirmed { return true }
        guard let witness else { return false }
        if witness.isRunning {
            broker.noteHinderedTrim(task)
            return false
        }
        return (try? witness.confirmNow()) ?? false
    }

    /// After a time-out the commit goes on with what was handed over; a producer that failed is
    /// replaced, and everything is written again.
    func abort() throws(OutputFailure) {
        if isBroken { startAnew() }
    }

    private func startAnew() {
        queue = []
        sentCount = 0
        isBroken = false
    }

    /// Waits for everything that was handed over.
    private func awaitAcknowledgement() throws(OutputFailure) {
        var attempts = 0
        while let sending = queue.first {
            process.meetTrouble(weight: 2)
            let answer = process.network.requestTwice(from: process) { [broker] in
                if let offset = sending.offset { return offset }
                let offset = broker.append(sending.records, to: sending.place)
                sending.offset = offset
                return offset
            }
            guard process.isAlive else { throw .fenced("killed") }
            guard let answer else {
                attempts += 1
                guard attempts > 2 else { continue }
                isBroken = world.happens(perMille: 300)
                throw .abortable("records are not acknowledged")
            }
            if sending.place == journal { entryEnd = Int64(answer + sending.records.count) }
            queue.removeFirst()
        }
    }

    // MARK: Claiming

    /// Writes a claim that counts, and finds where the journal stands.
    private func claim() throws(OutputFailure) {
        let key = SimulatedBroker.key(of: journalName)
        let committed = try ask(to: .group) { [broker] in broker.group.offsets[key] ?? -1 }
        let (low, high) = try ask { [broker, journal] in
            (Int64(broker.partitions[journal].start), Int64(broker.partitions[journal].end))
        }
        let start = committed > 0 ? min(high, max(low, committed - 1)) : low
        entryEnd = start
        confirmedEnd = committed > 0 ? committed : nil
        lastSequence = nil
        var filter = JournalFilter()
        try read(start..<high, &filter)
        try offsets.begin()
        try offsets.sendOffsets(
            [InputPosition(partition: journalName, nextOffset: entryEnd)], sequence: 0)
        try offsets.commit()
        let number = filter.highest + 1
        if bug == .noClaim {
            generation = number
            return
        }
        let bytes = JournalClaim(number: number, generation: offsets.generation).encoded()
        let sending = Sending(
            place: journal, records: [StoredRecord(key: [], value: bytes, timestamp: 0)])
        queue = [sending]
        do throws(OutputFailure) {
            try awaitAcknowledgement()
        } catch {
            startAnew()
            if case .abortable(let reason) = error { throw .uncertain(reason) }
            throw error
        }
        try read(high..<Int64(sending.offset ?? 0), &filter)
        guard filter.claim < number else { throw .uncertain("another process claims the task") }
        generation = number
    }

    /// Follows the journal; an entry that cannot be read is told by the restore.
    private func read(
        _ range: Range<Int64>, _ filter: inout JournalFilter
    ) throws(OutputFailure) {
        let records = try ask { [broker, journal] in
            range.compactMap { offset in
                let partition = broker.partitions[journal]
                guard offset >= Int64(partition.start),
                    partition.statuses[Int(offset)].isVisible
                else { return nil as (Int64, [UInt8])? }
                return partition.record(at: offset).map { (offset, $0.value) }
            }
        }
        for (offset, bytes) in records {
            guard let entry = try? filter.entry(in: bytes) else { continue }
            lastSequence = entry.sequence
            entryEnd = offset + 1
        }
    }

    private func ask<Answer>(
        to target: SimulatedNetwork.Target = .leader, _ apply: @escaping () -> Answer
    ) throws(OutputFailure) -> Answer {
        let answer = process.network.request(from: process, to: target, apply)
        guard process.isAlive else { throw .fenced("killed") }
        guard let answer else { throw .uncertain("no answer") }
        return answer
    }
}
