import Core
import Engine
import State

/// How one simulation ended.
package struct Verdict: Sendable {
    package let seed: UInt64
    /// What went wrong, in words; `nil` if every promise held.
    package let violation: String?
    /// The hash of everything that happened.
    package let traceHash: UInt64
    /// One line for each event, if asked for.
    package let trace: [String]
    /// Whether a process stopped because needed input was deleted, as it must.
    package let isStopped: Bool
    /// How often each kind of thing happened.
    package let events: Int
    package let commits: Int
    package let restores: Int
    package let kills: Int
    /// Snapshots that the journal referred to, and restores that began at one.
    package let snapshots: Int
    package let snapshotRestores: Int
    /// Restores that passed over a damaged snapshot.
    package let fallbacks: Int
    /// Tasks that went on as they were after a rebalance.
    package let resumed: Int

    /// What to print: the seed, what broke, and how to see it again.
    package var description: String {
        "seed \(seed): \(violation ?? "fine"); replay it with tools/simulate --seed \(seed)"
    }
}

/// One run of the engine's task code on a simulated cluster, everything drawn from one seed.
///
/// First faults happen, then the world is left in peace, and everything must come to its end: each
/// input record predicted once, in an order that the journal tells, by a state that saw all before.
package final class Simulation {
    /// How long the world is given after the last fault, in ms.
    private static let patience: Int64 = 60_000

    private let scenario: Scenario
    private let world: World
    private let broker: SimulatedBroker
    private let network: SimulatedNetwork
    private let feeder: Feeder
    private var processes: [SimulatedProcess] = []
    /// Those too that have ended.
    private var allProcesses: [SimulatedProcess] = []
    private var nextInstance = 0
    private var isPeaceful = false
    private var hasLostInput = false
    private var isStopped = false
    private var hasGrown = false
    private var lossCount = 0
    private var kills = 0

    private init(_ scenario: Scenario, keepsTrace: Bool) {
        self.scenario = scenario
        world = World(seed: scenario.seed, keepsTrace: keepsTrace)
        broker = SimulatedBroker(world: world, scenario: scenario)
        network = SimulatedNetwork(world: world, scenario: scenario)
        feeder = Feeder(world: world, broker: broker, scenario: scenario)
        broker.coordinatorPause = { [network] in network.moveLeft(.transactions) }
    }

    /// Runs the simulation of a seed.
    ///
    /// - Parameters:
    ///   - bug: A mistake to build in.
    ///   - keepsTrace: Whether the verdict tells every event.
    package static func run(
        seed: UInt64, bug: PlantedBug? = nil, keepsTrace: Bool = false
    ) -> Verdict {
        let simulation = Simulation(Scenario(seed: seed, bug: bug), keepsTrace: keepsTrace)
        return simulation.run()
    }

    private func run() -> Verdict {
        for _ in 0..<scenario.processCount { addProcess() }
        for _ in 0..<scenario.faultCount {
            world.after(world.draw(0...scenario.faultyMilliseconds)) { [unowned self] in
                makeFault()
            }
        }
        world.after(scenario.faultyMilliseconds + 1) { [unowned self] in makePeace() }
        var isDrained = false
        let end = Int64(scenario.faultyMilliseconds) + Self.patience
        var nextCheck: Int64 = 0
        while world.runNext(), world.now < end, !isStopped {
            guard isPeaceful, world.now >= nextCheck else { continue }
            nextCheck = world.now + 20
            isDrained = isDrainedNow
            if isDrained { break }
        }
        if isStopped { settle() }
        var violation = world.violation
        if violation == nil, !isDrained, !isStopped { violation = stall() }
        let oracle = Oracle(broker: broker)
        for task in 0..<scenario.taskCount where violation == nil {
            let owner = members.first { $0.liveTasks.contains(task) }
            violation = oracle.check(
                task: task, isComplete: isDrained, liveHash: owner?.stateHash(ofTask: task)
            ).map { "task \(task) (\(scenario.learning)): \($0)" }
        }
        world.end()
        for process in allProcesses { process.dismantle() }
        return Verdict(
            seed: scenario.seed, violation: violation, traceHash: world.trace.hash,
            trace: world.trace.lines, isStopped: isStopped, events: world.eventCount,
            commits: world.trace.count(.committed), restores: world.trace.count(.live),
            kills: kills, snapshots: world.trace.count(.installed),
            snapshotRestores: world.trace.snapshotRestores, fallbacks: world.trace.count(.fellBack),
            resumed: world.trace.count(.resumed))
    }

    // MARK: The end

    /// Whether every record is taken and committed, every task live, nothing left open.
    private var isDrainedNow: Bool {
        guard feeder.isDone, broker.transactions.isQuiet else { return false }
        var live: [Int] = []
        for process in members { live += process.liveTasks }
        guard live.sorted() == Array(0..<scenario.taskCount) else { return false }
        if scenario.isAtLeastOnce {
            for process in members {
                for task in process.liveTasks where process.stateHash(ofTask: task) == nil {
                    return false
                }
            }
        }
        for partition in broker.outputPartitions where partition.stable != partition.end {
            return false
        }
        for input in broker.inputs.indices {
            let last = broker.input(input).visible.last.map { Int64($0.offset) + 1 } ?? 0
            guard let offset = reached(input), offset >= last else { return false }
        }
        return true
    }

    /// How far an input is taken: as the group knows, which at least once follows behind the journal
    /// and, after a fence, stays behind until there is more to commit.
    private func reached(_ input: Int) -> Int64? {
        guard scenario.isAtLeastOnce else { return broker.group.offsets[input] }
        guard let entry = broker.decided[input % scenario.taskCount] else { return nil }
        for (name, offset) in zip(entry.inputs, entry.nextOffsets) where name.partition == input {
            return offset
        }
        return nil
    }

    /// The processes that the group knows; others may still think so.
    private var members: [SimulatedProcess] {
        processes.filter {
            $0.isAlive && $0.membership?.generation == broker.group.generation
                && broker.group.isMember($0.membership)
        }
    }

    /// Ends all processes and waits until their transactions are settled.
    private func settle() {
        for process in processes { process.kill() }
        makePeace()
        let end = world.now + Self.patience
        while !broker.transactions.isQuiet, world.now < end, world.runNext() {}
    }

    private func stall() -> String {
        var words = "nothing comes to an end after the last fault:"
        for process in processes where process.isAlive {
            words += " process \(process.instance) has tasks \(process.liveTasks) live;"
        }
        for input in broker.inputs.indices {
            let offset = broker.group.offsets[input].map(String.init) ?? "none"
            words += " input \(input) at \(offset) of \(broker.input(input).end);"
        }
        return words
    }

    // MARK: Processes

    private func addProcess() {
        start(instance: nextInstance)
        nextInstance += 1
    }

    private func start(instance: Int) {
        let process = SimulatedProcess(
            instance: instance, world: world, broker: broker, network: network,
            onEnd: { [unowned self] in ended($0, $1) },
            onKill: { [unowned self] in kill($0) })
        processes.removeAll { !$0.isAlive }
        processes.append(process)
        allProcesses.append(process)
    }

    private func restart(_ instance: Int, after milliseconds: Int) {
        world.after(milliseconds) { [unowned self] in
            guard !processes.contains(where: { $0.instance == instance && $0.isAlive }) else {
                return
            }
            world.note(.restarted, instance)
            start(instance: instance)
        }
    }

    /// A process ended by itself: it is started again, if it may go on.
    private func ended(_ process: SimulatedProcess, _ outcome: SimulatedProcess.Outcome) {
        switch outcome {
        case .stopped: restart(process.instance, after: world.draw(0...300))
        case .instanceFenced:
            // The other one with this name goes on.
            restart(process.instance, after: world.draw(0...300))
        case .failed(let words, let failure):
            world.tell("process \(process.instance) failed: \(words)")
            switch failure {
            case .log(.lostRecords) where hasLostInput:
                // One that may skip what is lost does so when it is started again, from a snapshot.
                lossCount += 1
                isStopped = !scenario.skipsLostInput || lossCount > 8
                if !isStopped { restart(process.instance, after: world.draw(0...300)) }
            case .snapshotsLost, .journalTruncated, .journalGap, .log(.lostRecords):
                isStopped = broker.damagedTasks.contains(true)
                if !isStopped { world.fail("process \(process.instance) failed: \(words)") }
            case .otherInputs where hasGrown, nil where words.hasPrefix("gave up"):
                restart(process.instance, after: world.draw(0...300))
            case nil where words.contains("is empty") && broker.damagedTasks.contains(true):
                isStopped = true
            default: world.fail("process \(process.instance) failed: \(words)")
            }
        }
    }

    // MARK: Faults

    private var anyProcess: SimulatedProcess? {
        let alive = processes.filter(\.isAlive)
        return alive.isEmpty ? nil : alive[world.random.next(below: alive.count)]
    }

    private func makeFault() {
        let longPause = scenario.session + world.draw(0...400)
        switch world.draw(0...25) {
        case 0...5:
            if let process = anyProcess { kill(process) }
        case 6...9:
            anyProcess?.pause(world.happens(perMille: 700) ? longPause : world.draw(1...100))
        case 10...11:
            let duration = world.draw(5...500)
            world.note(.outage, duration)
            network.fail(for: duration)
        case 12...13: broker.group.startRebalance()
        case 14: anyProcess?.stop()
        case 15: if processes.count < 5 { addProcess() }
        case 16:
            // The same instance id twice.
            guard let process = anyProcess else { return }
            world.note(.twin, process.instance)
            start(instance: process.instance)
        case 17...18:
            // What a process that is long gone has asked arrives now.
            let task = world.random.next(below: scenario.taskCount)
            _ = broker.transactions.initialize(task)
        case 19...20:
            guard scenario.mayGrow, broker.inputs.count < 6 else { return }
            hasGrown = true
            broker.addInput()
            feeder.addInput()
            world.note(.grown, broker.inputs.count)
        case 21:
            let isGroup = world.happens(perMille: 500)
            world.note(.moved, isGroup ? 1 : 0)
            network.move(isGroup ? .group : .transactions, for: world.draw(10...600))
        case 22...23:
            guard scenario.damagesChunks else { return }
            broker.damageChunk(ofTask: world.random.next(below: scenario.taskCount))
        case 24:
            let task = world.random.next(below: scenario.taskCount)
            if scenario.losesChunks { broker.loseChunks(ofTask: task) }
            if scenario.losesJournal { broker.loseJournal(ofTask: task) }
        default:
            guard scenario.losesInput else { return }
            let input = world.random.next(below: broker.inputs.count)
            let partition = broker.input(input)
            hasLostInput = true
            partition.trim(before: world.draw(0...partition.end))
            world.note(.retention, input, partition.start)
        }
    }

    private func kill(_ process: SimulatedProcess) {
        process.kill()
        kills += 1
        // Inside its session a restarted process gets its tasks back; after it, others do.
        let isQuick = world.happens(perMille: 500)
        let pause = isQuick ? world.draw(0...50) : scenario.session + world.draw(0...400)
        restart(process.instance, after: pause)
    }

    /// No more faults: everything must come to its end now.
    private func makePeace() {
        isPeaceful = true
        broker.isFaulty = false
        network.isFaulty = false
        network.heal()
        world.note(.quiet)
    }
}
