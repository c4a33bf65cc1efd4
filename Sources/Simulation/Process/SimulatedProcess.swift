import Engine
import State

/// A process of the pipeline: its group membership, its tasks and its lane, as the service's
/// control loop.
///
/// It may be killed or paused between any two of its steps, and inside a call that waits for the
/// broker.
final class SimulatedProcess {
    /// How a process ended by itself.
    enum Outcome {
        case stopped
        case failed(String, TaskFailure?)
        case instanceFenced
    }

    enum State {
        case joining
        case stable
        /// Waits for the tasks' current calls before it joins again.
        case revoking(until: Int64)
        case stopping(until: Int64)
    }

    struct Seat {
        var runner: SimulatedTask?
        var isOwned = true
        var restartAt: Int64?
        var failures = 0
        /// Starts in a row whose journal and offsets did not agree.
        var refusals = 0
        var isLive = false
        /// The next entry of a task that waits for its assignment to come back.
        var parkedSequence: UInt64?
        /// Whether the task was asked to end after its commit, to be started with more inputs.
        var isRetiring = false
    }

    let world: World
    let broker: SimulatedBroker
    let network: SimulatedNetwork
    let scenario: Scenario
    let instance: Int
    private(set) var lane: SimulatedLane!
    private(set) var snapshots: SnapshotThread!
    private(set) var isAlive = true
    var membership: Membership?
    private var pausedUntil: Int64 = 0
    var state = State.joining
    private var memberID: Int?
    private var lastHeartbeat: Int64
    private var lastAnswer: Int64
    var seats: [Int: Seat] = [:]
    private var outcome: Outcome?
    private var isAskedToStop = false
    /// The inputs that the process has heard of.
    private var inputCount: Int
    var lastLook: Int64 = 0
    /// Tasks that a planted bug keeps.
    var kept: [Int: PipelineTask] = [:]
    private let onEnd: (SimulatedProcess, Outcome) -> Void
    /// Told when the process is killed in the middle of a call.
    private let onKill: (SimulatedProcess) -> Void

    init(
        instance: Int, world: World, broker: SimulatedBroker, network: SimulatedNetwork,
        onEnd: @escaping (SimulatedProcess, Outcome) -> Void,
        onKill: @escaping (SimulatedProcess) -> Void
    ) {
        self.instance = instance
        self.world = world
        self.broker = broker
        self.network = network
        self.onEnd = onEnd
        self.onKill = onKill
        scenario = broker.scenario
        inputCount = broker.inputs.count
        lastHeartbeat = world.now
        lastAnswer = world.now
        lane = SimulatedLane(process: self)
        snapshots = SnapshotThread(process: self)
        world.note(.started, instance)
        tick(after: world.draw(0...10))
    }

    /// Asks for the inputs of a task; now and then the answer is an old one.
    func refreshInputs(ofTask task: Int) -> [Int]? {
        guard let count = network.request(from: self, { [broker] in broker.inputs.count }) else {
            return nil
        }
        if !network.isFaulty || world.happens(perMille: 800) { inputCount = count }
        return knownInputs(ofTask: task)
    }

    func knownInputs(ofTask task: Int) -> [Int] {
        broker.inputs(ofTask: task).filter { $0 < inputCount }
    }

    /// Whether a task that stops holds on for its snapshot.
    var waitsForSnapshots: Bool {
        guard scenario.snapshotsAtStop, case .stopping(let end) = state else { return false }
        return world.now + 500 < end
    }

    /// The live tasks' states, where nothing is uncommitted.
    func stateHash(ofTask task: Int) -> UInt64? {
        guard let task = seats[task]?.runner?.task, task.isLive, task.isClean else { return nil }
        return task.processor.stateHash()
    }

    /// The tasks that are live here.
    var liveTasks: [Int] { seats.keys.sorted().filter { seats[$0]?.isLive == true } }

    // MARK: Life and death

    /// Ends everything at once, as `kill -9`.
    func kill() {
        isAlive = false
        world.note(.killed, instance)
    }

    /// Lets go of its tasks, which refer to it, once the simulation is over.
    func dismantle() {
        seats = [:]
        kept = [:]
        lane.dismantle()
        snapshots.dismantle()
    }

    /// Stands still, as SIGSTOP, and goes on later.
    func pause(_ milliseconds: Int) {
        pausedUntil = max(pausedUntil, world.now + Int64(milliseconds))
        world.note(.paused, instance, milliseconds)
    }

    var isPaused: Bool { world.now < pausedUntil }

    /// Makes an action of this process happen later, unless it is killed; not while it is paused.
    func schedule(_ milliseconds: Int, _ action: @escaping () -> Void) {
        world.after(milliseconds) { [self] in
            guard isAlive else { return }
            if isPaused {
                schedule(Int(pausedUntil - world.now) + world.draw(0...2), action)
            } else {
                action()
            }
        }
    }

    /// Called inside a blocking call: a paused process stays in it, unless that held up another's
    /// call.
    func sleepWhilePaused() {
        if world.isOutermost, isAlive, isPaused { world.pass(Int(pausedUntil - world.now)) }
    }

    /// Called at every request of a producer: a chance to be killed or to stand still just there.
    ///
    /// - Parameter weight: How much likelier than usual.
    func meetTrouble(weight: Int) {
        guard isAlive, network.isFaulty,
            world.happens(perMille: weight * scenario.troubledCalls)
        else { return }
        if world.happens(perMille: 400) {
            onKill(self)
        } else {
            pause(scenario.session + world.draw(0...400))
            sleepWhilePaused()
        }
    }

    /// Waits inside a blocking call.
    func block(_ milliseconds: Int) {
        world.pass(milliseconds)
        sleepWhilePaused()
    }

    /// Stops intake, commits, leaves the group.
    func stop() { isAskedToStop = true }

    // MARK: The control thread

    private func tick(after milliseconds: Int) {
        schedule(milliseconds) { [self] in
            turn()
            if isAlive { tick(after: world.draw(4...16)) }
        }
    }

    private func turn() {
        finishRunners()
        if case .stopping(let end) = state { return shutDown(until: end) }
        if isAskedToStop || outcome != nil { return startShutDown() }
        switch state {
        case .joining: join()
        case .stable: heartbeat()
        case .revoking(let end):
            let isSettled = seats.values.allSatisfy {
                $0.runner == nil || $0.parkedSequence != nil
            }
            if isSettled || world.now >= end {
                dropUncommitted()
                state = .joining
            }
        case .stopping: break
        }
        guard isAlive else { return }
        startDueTasks()
        growTasks()
    }

    private func join() {
        let known = memberID
        let answer = network.request(from: self, to: .group) { [self] in
            broker.group.join(instance: instance, memberID: known)
        }
        guard isAlive, let answer else { return }
        switch answer {
        case .waiting(let id): memberID = id
        case .joined(let given, let tasks):
            memberID = given.memberID
            membership = given
            state = .stable
            lastAnswer = world.now
            world.note(.joined, instance, Int(given.generation), tasks.count)
            take(tasks, given)
        case .refused(.instanceFenced): outcome = .instanceFenced
        case .refused: memberID = nil
        }
    }

    private func heartbeat() {
        guard let current = membership, world.now - lastHeartbeat >= Int64(scenario.session / 6)
        else { return }
        lastHeartbeat = world.now
        let answer = network.request(from: self, to: .group) { [self] in
            broker.group.heartbeat(current)
        }
        guard isAlive else { return }
        switch answer {
        case .fine: lastAnswer = world.now
        case .rebalancing: giveUpAll()
        case .refused(.instanceFenced): outcome = .instanceFenced
        case .refused:
            memberID = nil
            dropAll()
        case nil: if world.now - lastAnswer > Int64(scenario.session) { dropAll() }
        }
    }

    // MARK: News

    func isLive(_ runner: SimulatedTask) {
        guard seats[runner.index]?.runner === runner else { return }
        seats[runner.index]?.isLive = true
        seats[runner.index]?.failures = 0
        seats[runner.index]?.refusals = 0
        world.note(.live, runner.index, Int(runner.task?.sequence ?? 0), instance)
    }

    func parked(_ runner: SimulatedTask, sequence: UInt64) {
        guard seats[runner.index]?.runner === runner else { return }
        seats[runner.index]?.parkedSequence = sequence
        seats[runner.index]?.isLive = false
        world.note(.parked, runner.index, Int(sequence), instance)
    }

    func resumed(_ runner: SimulatedTask) {
        guard let seat = seats[runner.index], seat.runner === runner, seat.isOwned else { return }
        seats[runner.index]?.isLive = true
        seats[runner.index]?.failures = 0
        world.note(.resumed, runner.index, Int(runner.task?.sequence ?? 0), instance)
    }

    func released(_ runner: SimulatedTask, _ reason: SimulatedLane.Release) {
        guard seats[runner.index]?.runner === runner else { return }
        seats[runner.index]?.isLive = false
        world.note(.released, runner.index, instance)
        switch reason {
        case .drained:
            if seats[runner.index]?.isOwned == true { seats[runner.index]?.restartAt = world.now }
        case .revoked: break
        case .refused(let why):
            let refusals = (seats[runner.index]?.refusals ?? 0) + 1
            seats[runner.index]?.refusals = refusals
            if refusals < 3 { restartLater(runner.index) } else { fail(why, nil) }
        case .failed(let failure): failed(runner, failure)
        case .dropped(.instanceFenced): outcome = .instanceFenced
        case .dropped(.fatal(let why)): fail(why, nil)
        case .dropped: restartLater(runner.index)
        }
    }

    func startFailed(_ runner: SimulatedTask, _ failure: SimulatedTask.StartFailure) {
        switch failure {
        case .again(let reason):
            world.tell("task \(runner.index) not started: \(reason)")
            restartLater(runner.index)
        case .fatal(let reason): fail(reason, nil)
        case .instanceFenced: outcome = .instanceFenced
        case .task(let failure): failed(runner, failure)
        }
    }

    /// A journal that names inputs which the process has not heard of is read again later.
    private func failed(_ runner: SimulatedTask, _ failure: TaskFailure) {
        if case .otherInputs(let named) = failure, named.count > runner.inputs.count,
            seats[runner.index].map({ $0.failures < 8 }) ?? false
        {
            return restartLater(runner.index)
        }
        if failure == .overtaken {
            world.tell("task \(runner.index): \(failure.message)")
            return restartLater(runner.index)
        }
        fail(failure.message, failure)
    }

    private func fail(_ words: String, _ failure: TaskFailure?) {
        if outcome == nil { outcome = .failed(words, failure) }
    }

    // MARK: Shutting down

    private func startShutDown() {
        let isPlanned = outcome == nil
        for task in seats.keys.sorted() where outcome != nil || seats[task]?.isLive == false {
            seats[task]?.runner?.cancel()
        }
        state = .stopping(until: world.now + 1000)
        if isPlanned { lane.drain(withSnapshots: scenario.snapshotsAtStop) }
    }

    private func shutDown(until end: Int64) {
        guard seats.values.allSatisfy({ $0.runner == nil }) || world.now >= end else { return }
        if let membership {
            _ = network.request(from: self, to: .group) { [self] in
                broker.group.leave(membership)
            }
        }
        guard isAlive else { return }
        isAlive = false
        world.note(.stopped, instance)
        onEnd(self, outcome ?? .stopped)
    }
}
