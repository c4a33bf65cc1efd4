import Core
import State

/// A task's transactional producer, as librdkafka behaves: it retries what may be retried, says
/// what is uncertain, takes a new epoch of its own after records that could not be delivered.
final class SimulatedOutput: SimulatedTaskOutput, @unchecked Sendable {
    // Safety: one thread runs the whole simulation.
    private struct Batch {
        let place: Int
        let records: [StoredRecord]
        var attempts = 0
    }

    private let process: SimulatedProcess
    private let broker: SimulatedBroker
    private let task: Int
    /// The assignment that gave the process the task.
    private var membership: Membership
    private let bug: PlantedBug?
    private var epoch: Int?
    private var sequences: [Int: Int] = [:]
    private var added: [Int] = []
    private var hasOffsets = false
    private var queue: [Batch] = []
    private var hasUndelivered = false
    /// What a planted bug keeps back for a transaction of its own.
    private var keptBack: [Batch] = []

    init(process: SimulatedProcess, task: Int, membership: Membership) {
        self.process = process
        broker = process.broker
        self.task = task
        self.membership = membership
        bug = process.scenario.bug
    }

    private var world: World { process.world }

    var isInitialized: Bool { epoch != nil }
    var generation: Int32 { membership.generation }
    var lastSequence: UInt64? { nil }
    var confirmedEnd: Int64? { nil }
    func confirmsEntries() -> Bool { true }

    /// Goes on under a later assignment.
    func adopt(_ given: Membership) { membership = given }

    func close() { epoch = nil }

    // MARK: Epochs

    /// Asks for an epoch once: earlier producers are fenced, though perhaps not yet settled.
    func fence() throws(OutputFailure) {
        _ = try ask(to: .transactions) { [broker, task] in broker.transactions.initialize(task) }
    }

    func initialize() throws(OutputFailure) {
        try takeEpoch(after: nil)
    }

    private func takeEpoch(after expected: Int?) throws(OutputFailure) {
        for _ in 0..<40 {
            let answer = try ask(weight: 4, to: .transactions) { [broker, task] in
                broker.transactions.initialize(task, expected: expected)
            }
            switch answer {
            case .success(let given):
                epoch = given
                sequences = [:]
                added = []
                hasOffsets = false
                queue = []
                hasUndelivered = false
                return
            case .failure(.concurrent): process.block(world.draw(1...20))
            case .failure: throw .fenced("another producer has the id")
            }
        }
        throw .uncertain("the transaction before is still being settled")
    }

    func recreate() throws(OutputFailure) {
        if bug == .lateOffsetCommit, epoch != nil { return }
        epoch = nil
        try initialize()
    }

    // MARK: A transaction

    func begin() throws(OutputFailure) {
        guard epoch != nil else { throw .fatal("begin without an epoch") }
        added = []
        hasOffsets = false
        queue = []
    }

    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        guard epoch != nil else { throw .fatal("send without an epoch") }
        var batches = broker.batches(of: buffer, buffer.entries.indices)
        // The order between partitions is anybody's; inside one it is kept.
        while !batches.isEmpty {
            let (place, records) = batches.remove(at: world.random.next(below: batches.count))
            let cut = world.draw(0...records.count)
            for part in [records[..<cut], records[cut...]] where !part.isEmpty {
                queue.append(Batch(place: place, records: Array(part)))
            }
        }
        let journal = broker.place(.journal, task)
        if bug == .commitBeforeJournal {
            keptBack = queue.filter { $0.place == journal }
            queue.removeAll { $0.place == journal }
        } else if bug == .journalBeforeOutputs {
            keptBack = queue.filter { $0.place != journal }
            queue.removeAll { $0.place != journal }
        }
        guard world.happens(perMille: 500) else { return }
        do throws(OutputFailure) {
            try deliver(upTo: world.draw(0...3))
        } catch {
            // The client goes on trying in the background.
            if case .uncertain = error { return }
            throw error
        }
    }

    func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        guard let epoch else { throw .fatal("offsets without an epoch") }
        let offsets = positions.map {
            (partition: SimulatedBroker.key(of: $0.partition), offset: $0.nextOffset)
        }
        if bug == .offsetsOutside {
            _ = try ask { [broker] in broker.group.commitPlainly(offsets, sequence: sequence) }
            return
        }
        try settle("add the offsets", to: .transactions) { [broker, task] in
            broker.transactions.addOffsets(task, epoch: epoch)
        }
        hasOffsets = true
        let token: Membership? =
            switch bug {
            case .metadataAtCommit: process.membership ?? membership
            case .zombieInitializes: nil
            default: membership
            }
        try settle("commit the offsets", to: .group) { [broker, task] in
            broker.group.commit(
                offsets, sequence: sequence, producer: task, epoch: epoch, membership: token)
        }
    }

    func commit() throws(OutputFailure) {
        guard let epoch else { throw .fatal("commit without an epoch") }
        try deliver(upTo: .max)
        if hasUndelivered { throw .abortable("records could not be delivered") }
        try end(epoch, commits: true)
        if !keptBack.isEmpty {
            queue = keptBack
            keptBack = []
            added = []
            try deliver(upTo: .max)
            try end(epoch, commits: true)
        }
    }

    func abort() throws(OutputFailure) {
        guard let epoch else { throw .fatal("abort without an epoch") }
        queue = []
        try end(epoch, commits: false)
        added = []
        hasOffsets = false
        // Copies of what was not delivered may be on their way: a new epoch shuts them out.
        if hasUndelivered { try takeEpoch(after: epoch) }
    }

    private func end(_ epoch: Int, commits: Bool) throws(OutputFailure) {
        guard !added.isEmpty || hasOffsets else { return }
        for _ in 0..<40 {
            let answer = try ask(weight: 4, to: .transactions) { [broker, task] in
                broker.transactions.end(task, epoch: epoch, commits: commits)
            }
            switch answer {
            case .success:
                if commits, process.network.isFaulty, world.happensRarely(perMille: 2) {
                    throw .abortable("the coordinator answered with an error, and has committed")
                }
                return
            case .failure(.concurrent): process.block(world.draw(1...5))
            case .failure(.fenced):
                close()
                throw .fenced("another producer has the id")
            case .failure(let refusal):
                if !commits, bug == .abortUnchecked { return try recreate() }
                if !commits { throw .abortable("the transaction is not open") }
                throw .fatal("the transaction cannot be ended: \(refusal)")
            }
        }
        throw .uncertain("the transaction is still being settled")
    }

    // MARK: Requests

    /// Delivers so many of the queued batches.
    private func deliver(upTo limit: Int) throws(OutputFailure) {
        guard let epoch else { throw .fatal("send without an epoch") }
        var left = limit
        while left > 0, let batch = queue.first, !hasUndelivered {
            if !added.contains(batch.place) {
                try settle("add a partition", to: .transactions) { [broker, task] in
                    broker.transactions.add(task, epoch: epoch, partition: batch.place)
                }
                added.append(batch.place)
            }
            process.meetTrouble(weight: hasOffsets ? 8 : 1)
            let sequence = sequences[batch.place] ?? 0
            let answer = process.network.requestTwice(from: process) { [broker, task] in
                broker.produce(
                    batch.records, to: batch.place, producer: task, epoch: epoch,
                    sequence: sequence)
            }
            guard process.isAlive else { throw .fenced("killed") }
            switch answer {
            case nil:
                queue[0].attempts += 1
                if queue[0].attempts > 3 {
                    hasUndelivered = true
                } else if world.happens(perMille: 300) {
                    throw .uncertain("records are still on their way")
                }
            case .success:
                sequences[batch.place] = sequence + batch.records.count
                queue.removeFirst()
                left -= 1
            case .failure(.fenced):
                close()
                throw .fenced("another producer has the id")
            case .failure: hasUndelivered = true
            }
        }
    }

    /// Makes a request until it is answered, a few times.
    private func settle(
        _ doing: String, to target: SimulatedNetwork.Target,
        _ apply: @escaping () -> Result<Void, Refusal>
    ) throws(OutputFailure) {
        for _ in 0..<20 {
            switch try ask(to: target, apply) {
            case .success: return
            case .failure(.concurrent): process.block(world.draw(1...5))
            case .failure(.fenced):
                close()
                throw .fenced("another producer has the id")
            case .failure(.instanceFenced):
                giveBack()
                throw .instanceFenced("another process has the instance id")
            case .failure(.illegalGeneration), .failure(.unknownMember):
                giveBack()
                throw .fenced("the group has moved on")
            case .failure(let refusal): throw .abortable("cannot \(doing): \(refusal)")
            }
        }
        throw .uncertain("cannot \(doing): the transaction before is still being settled")
    }

    /// Ends an open transaction whose producer is given up.
    private func giveBack() {
        guard let epoch else { return }
        _ = process.network.request(from: process, to: .transactions) { [broker, task] in
            broker.transactions.end(task, epoch: epoch, commits: false)
        }
        close()
    }

    private func ask<Answer>(
        weight: Int = 1, to target: SimulatedNetwork.Target = .leader,
        _ apply: @escaping () -> Answer
    ) throws(OutputFailure) -> Answer {
        process.meetTrouble(weight: weight)
        let answer = process.network.request(from: process, to: target, weight: weight, apply)
        guard process.isAlive else { throw .fenced("killed") }
        guard let answer else { throw .uncertain("no answer") }
        return answer
    }
}
