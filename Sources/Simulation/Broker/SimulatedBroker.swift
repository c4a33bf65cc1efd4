import Core
import State

/// The cluster: partitions, the two coordinators, and the producers that feed the inputs.
final class SimulatedBroker {
    /// The topic of each stream, and the input.
    static let inputTopic = "input"
    static let journalTopic = "journal"

    /// What stands for a partition among the group's offsets.
    static func key(of partition: TopicPartition) -> Int {
        let number = Int(partition.partition)
        return partition.topic == journalTopic ? -1 - number : number
    }

    unowned let world: World
    let scenario: Scenario
    private(set) var partitions: [SimulatedPartition] = []
    /// Partition ids by input, and by stream and partition.
    private(set) var inputs: [Int] = []
    private var outputs: [[Int]] = OutputStream.allCases.map { _ in [] }
    private(set) var transactions: TransactionCoordinator!
    let group: SimulatedGroup
    /// Each task's last entry in a transaction that is decided as committed.
    private(set) var decided: [JournalEntry?]
    /// Tasks whose chunks or journal were damaged from outside.
    private(set) var damagedTasks: [Bool]
    /// Trims of each task that could not be confirmed because this simulation's threads stand on one
    /// stack: the commit to wait for was beneath the one who waited.
    private(set) var hinderedTrims: [Int]
    /// At least once: what counts in each task's journal.
    private var filters: [JournalFilter]
    /// What a planted bug keeps by key.
    private var chunksByKey: [[UInt8]: [UInt8]] = [:]
    /// Whether faults may happen.
    var isFaulty = true
    /// How long the transactions' coordinator is still on its way to another broker.
    var coordinatorPause: () -> Int = { 0 }

    init(world: World, scenario: Scenario) {
        self.world = world
        self.scenario = scenario
        decided = Array(repeating: nil, count: scenario.taskCount)
        damagedTasks = Array(repeating: false, count: scenario.taskCount)
        hinderedTrims = Array(repeating: 0, count: scenario.taskCount)
        filters = Array(repeating: JournalFilter(), count: scenario.taskCount)
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
        let pause = coordinatorPause()
        if isFaulty, world.happens(perMille: scenario.lateMarkers) {
            return pause + world.draw(20...300)
        }
        return pause + world.draw(0...3)
    }

    /// Whether a marker is sent twice.
    func doublesMarker() -> Bool { isFaulty && world.happens(perMille: scenario.lateMarkers / 4) }

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

    /// Some records of a commit, by partition and in their order.
    func batches(
        of buffer: borrowing OutputBuffer, _ range: Range<Int>
    ) -> [(place: Int, records: [StoredRecord])] {
        var batches: [(place: Int, records: [StoredRecord])] = []
        for entry in buffer.entries[range] {
            let place = place(entry.stream, Int(entry.partition))
            let record = StoredRecord(
                key: [UInt8](copying: buffer.key(of: entry)),
                value: [UInt8](copying: buffer.value(of: entry)), timestamp: entry.timestamp)
            if let known = batches.firstIndex(where: { $0.place == place }) {
                batches[known].records.append(record)
            } else {
                batches.append((place, [record]))
            }
        }
        return batches
    }

    // MARK: Invariants that hold at every moment

    /// Called when a task's transaction is decided as committed.
    func noteDecision(_ task: Int) {
        for record in partition(.journal, task).openRecords(producer: task) {
            guard let entry = try? JournalEntry(decoding: record.value) else { continue }
            note(entry, of: task)
        }
    }

    /// Appends outside any transaction; returns the first offset.
    func append(_ records: [StoredRecord], to place: Int) -> Int {
        let offset = partitions[place].end
        let task = outputs[Int(OutputStream.journal.rawValue)].firstIndex(of: place)
        for record in records {
            partitions[place].append(record)
            guard let task, let entry = try? filters[task].entry(in: record.value) else { continue }
            note(entry, of: task)
        }
        world.note(.produced, place, records.count, -1)
        return offset
    }

    private func note(_ entry: JournalEntry, of task: Int) {
        if let live = entry.live, live != decided[task]?.live {
            world.note(.installed, task, Int(live.sequence), Int(entry.sequence))
        }
        decided[task] = entry
    }

    /// Offsets go forward, and never ahead of the journal.
    private func checkOffset(
        _ input: Int, before: Int64?, _ offset: Int64, sequence: UInt64
    ) {
        // Where the journal is confirmed tells nothing of the inputs.
        guard input >= 0 else { return }
        let task = input % scenario.taskCount
        if let before, offset < before {
            world.fail("the group's offset of input \(input) goes back from \(before) to \(offset)")
        }
        if decided[task].map({ $0.sequence < sequence }) ?? true {
            world.fail(
                "the group's offset of input \(input) is that of entry \(sequence), which is not "
                    + "committed")
        }
    }
}

// MARK: Snapshots

extension SimulatedBroker {
    /// DeleteRecords on a task's journal and chunks; false if an offset lies beyond the end.
    func trim(_ task: Int, journalBefore: Int64, chunksBefore: Int64) -> Bool {
        let journal = partition(.journal, task)
        let chunks = partition(.state, task)
        guard journalBefore <= Int64(journal.end), chunksBefore <= Int64(chunks.end) else {
            return false
        }
        checkTrim(task, journalBefore: journalBefore, chunksBefore: chunksBefore)
        journal.trim(before: Int(journalBefore))
        chunks.trim(before: Int(chunksBefore))
        world.note(.trimmed, task, journal.start, chunks.start)
        return true
    }

    func noteHinderedTrim(_ task: Int) { hinderedTrims[task] += 1 }

    /// Nothing goes that the last committed entry refers to.
    private func checkTrim(_ task: Int, journalBefore: Int64, chunksBefore: Int64) {
        guard !damagedTasks[task] else { return }
        let entry = decided[task]
        let previous = entry?.previous
        let oldest = previous ?? entry?.live
        if chunksBefore > oldest?.firstChunkOffset ?? 0 {
            world.fail(
                "chunks of task \(task) before \(chunksBefore) are trimmed, which entry "
                    + "\(entry?.sequence ?? 0) refers to")
        }
        if journalBefore > previous?.journalOffset ?? 0 {
            world.fail(
                "the journal of task \(task) before \(journalBefore) is trimmed, which a restore "
                    + "from entry \(entry?.sequence ?? 0) may need")
        }
    }

    /// Damages a chunk that the task's last entry refers to.
    func damageChunk(ofTask task: Int) {
        let chunks = partition(.state, task)
        guard let live = decided[task]?.live, live.indexOffset < Int64(chunks.end) else { return }
        damagedTasks[task] = true
        let offset = world.draw(Int(live.firstChunkOffset)...Int(live.indexOffset))
        chunks.damage(offset, bit: world.draw(0...1 << 14))
        world.note(.damaged, task, offset)
    }

    /// Deletes a task's chunks: the topic was deleted and made again.
    func loseChunks(ofTask task: Int) {
        damagedTasks[task] = true
        partition(.state, task).recreate()
        world.note(.damaged, task, -1)
    }

    /// Deletes a part of a task's journal, as a wrong retention does.
    func loseJournal(ofTask task: Int) {
        let journal = partition(.journal, task)
        damagedTasks[task] = true
        journal.trim(before: world.draw(0...journal.stable))
        world.note(.damaged, task, -2, journal.start)
    }

    // Planted: what is stored by a key that is not enough.
    func note(_ chunk: [UInt8], of key: [UInt8]) { chunksByKey[key] = chunk }

    func newest(_ key: [UInt8]) -> [UInt8]? { chunksByKey[key] }
}
