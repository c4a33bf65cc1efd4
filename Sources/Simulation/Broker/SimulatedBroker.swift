import Core
import State

/// The cluster: partitions, the two coordinators, and the producers that feed the inputs.
final class SimulatedBroker {
    /// The topic of each stream, and the input.
    static let inputTopic = "input"

    private unowned let world: World
    let scenario: Scenario
    private(set) var partitions: [SimulatedPartition] = []
    /// Partition ids by input, and by stream and partition.
    private(set) var inputs: [Int] = []
    private var outputs: [[Int]] = OutputStream.allCases.map { _ in [] }
    private(set) var transactions: TransactionCoordinator!
    let group: SimulatedGroup
    /// The sequence of each task's last entry in a transaction that is decided as committed.
    private(set) var decided: [UInt64?]
    /// Whether faults may happen.
    var isFaulty = true

    init(world: World, scenario: Scenario) {
        self.world = world
        self.scenario = scenario
        decided = Array(repeating: nil, count: scenario.taskCount)
        group = SimulatedGroup(
            world: world, taskCount: scenario.taskCount, session: Int64(scenario.session),
            rebalanceLimit: Int64(scenario.session))
        transactions = TransactionCoordinator(
            broker: self, world: world, taskCount: scenario.taskCount, timeout: 1500)
        for _ in 0..<scenario.inputCount { addInput() }
        for _ in 0..<scenario.taskCount {
            outputs[Int(OutputStream.journal.rawValue)].append(makePartition())
            outputs[Int(OutputStream.state.rawValue)].append(makePartition())
            outputs[Int(OutputStream.metrics.rawValue)].append(makePartition())
        }
        group.onOffset = { [unowned self] in checkOffset($0, before: $1, $2, sequence: $3) }
        housekeep()
    }

    private func makePartition() -> Int {
        partitions.append(SimulatedPartition(id: partitions.count))
        return partitions.count - 1
    }

    /// Adds an input partition and the partitions of the outputs that go with it.
    func addInput() {
        inputs.append(makePartition())
        outputs[Int(OutputStream.predictions.rawValue)].append(makePartition())
        outputs[Int(OutputStream.deadLetters.rawValue)].append(makePartition())
    }

    /// The id of a stream's partition.
    func place(_ stream: OutputStream, _ partition: Int) -> Int {
        outputs[Int(stream.rawValue)][partition]
    }

    func partition(_ stream: OutputStream, _ partition: Int) -> SimulatedPartition {
        partitions[place(stream, partition)]
    }

    func input(_ partition: Int) -> SimulatedPartition { partitions[inputs[partition]] }

    /// The inputs of a task.
    func inputs(ofTask task: Int) -> [Int] {
        inputs.indices.filter { $0 % scenario.taskCount == task }
    }

    /// Every partition that the engine writes to with transactions.
    var outputPartitions: [SimulatedPartition] {
        outputs.joined().map { partitions[$0] }
    }

    private func housekeep() {
        world.after(world.draw(10...30)) { [unowned self] in
            group.expire()
            transactions.expire()
            housekeep()
        }
    }

    /// How long a transaction marker is on its way.
    func markerDelay() -> Int {
        if isFaulty, world.happens(perMille: scenario.lateMarkers) { return world.draw(20...300) }
        return world.draw(0...3)
    }

    /// A transactional batch of a task's producer.
    func produce(
        _ batch: [StoredRecord], to place: Int, producer id: Int, epoch: Int, sequence: Int
    ) -> Result<Void, Refusal> {
        transactions.verifies(id, epoch: epoch, partition: place).flatMap {
            world.note(.produced, place, batch.count, sequence)
            return partitions[place].append(
                batch, producer: id, epoch: epoch, sequence: sequence)
        }
    }

    // MARK: Invariants that hold at every moment

    /// Called when a task's transaction is decided as committed.
    func noteDecision(_ task: Int) {
        for record in partition(.journal, task).openRecords(producer: task) {
            guard let entry = try? JournalEntry(decoding: record.value) else { continue }
            decided[task] = entry.sequence
        }
    }

    /// Offsets go forward, and never ahead of the journal.
    private func checkOffset(
        _ input: Int, before: Int64?, _ offset: Int64, sequence: UInt64
    ) {
        let task = input % scenario.taskCount
        if let before, offset < before {
            world.fail("the group's offset of input \(input) goes back from \(before) to \(offset)")
        }
        if decided[task].map({ $0 < sequence }) ?? true {
            world.fail(
                "the group's offset of input \(input) is that of entry \(sequence), which is not "
                    + "committed")
        }
    }
}
