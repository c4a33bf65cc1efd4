import Core

/// The producers of the inputs: plain ones, and transactional ones of which some abort.
final class Feeder {
    private unowned let world: World
    private let broker: SimulatedBroker
    private let scenario: Scenario
    private var left: [Int]
    private var clock: [Int64]
    private var epochs: [Int]
    private var number: UInt64 = 0
    /// Transactions that are not decided yet.
    private var openCount = 0

    init(world: World, broker: SimulatedBroker, scenario: Scenario) {
        self.world = world
        self.broker = broker
        self.scenario = scenario
        left = broker.inputs.map { _ in scenario.recordsPerInput }
        clock = broker.inputs.map { _ in 0 }
        epochs = broker.inputs.map { _ in 0 }
        if scenario.isPreloaded {
            for input in broker.inputs.indices {
                while left[input] > 0 { append(to: input) }
            }
        } else {
            for input in broker.inputs.indices { feed(input) }
        }
    }

    /// Whether everything is written and decided.
    var isDone: Bool { openCount == 0 && left.allSatisfy { $0 == 0 } }

    /// Feeds an input that was added.
    func addInput() {
        left.append(scenario.recordsPerInput / 2)
        clock.append(clock.max() ?? 0)
        epochs.append(0)
        feed(left.count - 1)
    }

    private func feed(_ input: Int) {
        let mean = max(2, scenario.faultyMilliseconds * 12 / (scenario.recordsPerInput * 10))
        world.after(world.draw(0...(2 * mean))) { [unowned self] in
            append(to: input)
            if left[input] > 0 { feed(input) }
        }
    }

    /// Appends a few records, as one transaction where the inputs have any.
    private func append(to input: Int) {
        let count = min(left[input], world.draw(1...4))
        left[input] -= count
        let batch = (0..<count).map { _ in makeRecord(input) }
        let partition = broker.input(input)
        world.note(.appended, input, count)
        guard scenario.hasInputTransactions, world.happens(perMille: 600) else {
            for record in batch { partition.append(record) }
            return
        }
        epochs[input] += 1
        let epoch = epochs[input]
        // Inputs' producers are numbered after the tasks' own.
        let producer = 1000 + input * 100_000 + epoch
        _ = partition.append(batch, producer: producer, epoch: 0, sequence: 0)
        openCount += 1
        let commits = !world.happens(perMille: 300)
        let decide = { [unowned self] in
            partition.mark(producer: producer, epoch: 0, commits: commits)
            openCount -= 1
        }
        if scenario.isPreloaded { decide() } else { world.after(world.draw(0...60), decide) }
    }

    private func makeRecord(_ input: Int) -> StoredRecord {
        clock[input] += Int64(world.draw(0...9))
        number += 1
        var key = StateEncoder()
        key.write(number)
        let value = scenario.learning.value(&world.random, number: number)
        return StoredRecord(key: key.bytes, value: value, timestamp: clock[input])
    }
}
