/// The coordinator of all transactional ids: one for each task.
///
/// Answers at once; the markers reach the partitions later, each in its own time.
final class TransactionCoordinator {
    private enum State: Equatable {
        case empty
        case ongoing
        case ending(commits: Bool)
        case ended(commits: Bool)
    }

    private struct Transaction {
        var epoch = -1
        /// The epoch before, if its own producer asked for the present one.
        var lastEpoch: Int?
        var state = State.empty
        var partitions: [Int] = []
        var hasOffsets = false
        var markersLeft = 0
        var begun: Int64 = 0
    }

    private unowned let broker: SimulatedBroker
    private unowned let world: World
    private var transactions: [Transaction]
    /// How long a transaction may stay open, in ms.
    private let timeout: Int64

    init(broker: SimulatedBroker, world: World, taskCount: Int, timeout: Int64) {
        self.broker = broker
        self.world = world
        self.timeout = timeout
        transactions = Array(repeating: Transaction(), count: taskCount)
    }

    /// Whether no transaction is open or being settled.
    var isQuiet: Bool {
        transactions.allSatisfy { transaction in
            switch transaction.state {
            case .empty, .ended: true
            case .ongoing, .ending: false
            }
        }
    }

    /// Gives a producer its epoch; an open transaction of an earlier one is aborted first.
    ///
    /// - Parameter expected: The epoch of a producer that asks for its own next one.
    func initialize(_ id: Int, expected: Int? = nil) -> Result<Int, Refusal> {
        if let expected, expected != transactions[id].epoch {
            // The answer to the same question was lost.
            guard expected == transactions[id].lastEpoch else { return .failure(.fenced) }
            return .success(transactions[id].epoch)
        }
        switch transactions[id].state {
        case .ending: return .failure(.concurrent)
        case .ongoing:
            bump(id)
            finish(id, commits: false)
            return .failure(.concurrent)
        case .empty, .ended:
            transactions[id].epoch += 1
            transactions[id].lastEpoch = expected
            transactions[id].state = .empty
            world.note(.initialized, id, transactions[id].epoch)
            return .success(transactions[id].epoch)
        }
    }

    /// Adds a partition to the open transaction, or opens one.
    func add(_ id: Int, epoch: Int, partition: Int) -> Result<Void, Refusal> {
        open(id, epoch: epoch).map {
            if !transactions[id].partitions.contains(partition) {
                transactions[id].partitions.append(partition)
            }
        }
    }

    /// Adds the group's offsets to the open transaction, or opens one.
    func addOffsets(_ id: Int, epoch: Int) -> Result<Void, Refusal> {
        open(id, epoch: epoch).map { transactions[id].hasOffsets = true }
    }

    private func open(_ id: Int, epoch: Int) -> Result<Void, Refusal> {
        guard epoch == transactions[id].epoch else { return .failure(.fenced) }
        switch transactions[id].state {
        case .ending: return .failure(.concurrent)
        case .ongoing: return .success(())
        case .empty, .ended:
            transactions[id].state = .ongoing
            transactions[id].partitions = []
            transactions[id].hasOffsets = false
            transactions[id].begun = world.now
            return .success(())
        }
    }

    /// Whether the partition belongs to the producer's open transaction: what a partition's leader
    /// asks before it takes records.
    func verifies(_ id: Int, epoch: Int, partition: Int) -> Result<Void, Refusal> {
        guard epoch == transactions[id].epoch else { return .failure(.fenced) }
        guard transactions[id].state == .ongoing, transactions[id].partitions.contains(partition)
        else { return .failure(.invalidState) }
        return .success(())
    }

    /// Decides the transaction.
    func end(_ id: Int, epoch: Int, commits: Bool) -> Result<Void, Refusal> {
        guard epoch == transactions[id].epoch else { return .failure(.fenced) }
        switch transactions[id].state {
        case .empty: return .failure(.invalidState)
        case .ongoing:
            finish(id, commits: commits)
            return .success(())
        case .ending(let committed):
            return .failure(committed == commits ? .concurrent : .invalidState)
        case .ended(let committed):
            return committed == commits ? .success(()) : .failure(.invalidState)
        }
    }

    /// Aborts what has been open for too long.
    func expire() {
        for id in transactions.indices
        where transactions[id].state == .ongoing && world.now - transactions[id].begun > timeout {
            bump(id)
            world.note(.expired, id)
            finish(id, commits: false)
        }
    }

    /// Shuts the present producer out.
    private func bump(_ id: Int) {
        transactions[id].epoch += 1
        transactions[id].lastEpoch = nil
    }

    private func finish(_ id: Int, commits: Bool) {
        let epoch = transactions[id].epoch
        let partitions = transactions[id].partitions
        world.note(.ended, id, epoch, commits ? 1 : 0)
        if commits { broker.noteDecision(id) }
        transactions[id].state = .ending(commits: commits)
        // A coordinator that moves sends again what its predecessor may have sent already.
        let doubled = partitions.filter { _ in broker.doublesMarker() }
        transactions[id].markersLeft = partitions.count + doubled.count + 1
        for partition in partitions + doubled {
            world.after(broker.markerDelay()) { [unowned self] in
                broker.partitions[partition].mark(producer: id, epoch: epoch, commits: commits)
                world.note(.marker, partition, id, commits ? 1 : 0)
                markerDone(id)
            }
        }
        let hasOffsets = transactions[id].hasOffsets
        world.after(broker.markerDelay()) { [unowned self] in
            if hasOffsets { broker.group.endTransaction(id, epoch: epoch, commits: commits) }
            markerDone(id)
        }
    }

    private func markerDone(_ id: Int) {
        transactions[id].markersLeft -= 1
        if transactions[id].markersLeft == 0, case .ending(let commits) = transactions[id].state {
            transactions[id].state = .ended(commits: commits)
        }
    }
}
