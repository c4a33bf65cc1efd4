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

    private enum State {
        case joining
        case stable
        /// Waits for the tasks' current calls before it joins again.
        case revoking(until: Int64)
        case stopping(until: Int64)
    }

    private struct Seat {
        var runner: SimulatedTask?
        var isOwned = true
        var restartAt: Int64?
        var failures = 0
        var isLive = false
    }

    let world: World
    let broker: SimulatedBroker
    let network: SimulatedNetwork
    let scenario: Scenario
    let instance: Int
    private(set) var lane: SimulatedLane!
    private(set) var isAlive = true
    private(set) var membership: Membership?
    private var pausedUntil: Int64 = 0
    private var state = State.joining
    private var memberID: Int?
    private var lastHeartbeat: Int64
    private var lastAnswer: Int64
    private var seats: [Int: Seat] = [:]
    private var outcome: Outcome?
    private var isAskedToStop = false
    /// The inputs that were there at the start.
    private let inputCount: Int
    /// Tasks that a planted bug keeps.
    private var kept: [Int: PipelineTask] = [:]
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
        world.note(.started, instance)
        tick(after: world.draw(0...10))
    }

    func inputs(ofTask task: Int) -> [Int] {
        broker.inputs(ofTask: task).filter { $0 < inputCount }
    }

    /// The tasks that are live here.
    var liveTasks: [Int] { seats.keys.sorted().filter { seats[$0]?.isLive == true } }

    // MARK: Life and death

    /// Ends everything at once, as `kill -9`.
    func kill() {
        isAlive = false
        world.note(.killed, instance)
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
            if world.now >= end || seats.values.allSatisfy({ $0.runner == nil }) {
                state = .joining
            }
        case .stopping: break
        }
        guard isAlive else { return }
        startDueTasks()
    }

    private func join() {
        let known = memberID
        let answer = network.request(from: self) { [self] in
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
            for task in tasks {
                var seat = seats[task] ?? Seat()
                seat.isOwned = true
                seat.failures = 0
                seat.restartAt = world.now
                seats[task] = seat
            }
        case .refused(.instanceFenced): outcome = .instanceFenced
        case .refused: memberID = nil
        }
    }

    private func heartbeat() {
        guard let current = membership, world.now - lastHeartbeat >= Int64(scenario.session / 6)
        else { return }
        lastHeartbeat = world.now
        let answer = network.request(from: self) { [self] in broker.group.heartbeat(current) }
        guard isAlive else { return }
        switch answer {
        case .fine: lastAnswer = world.now
        case .rebalancing: takeAwayAll()
        case .refused(.instanceFenced): outcome = .instanceFenced
        case .refused:
            memberID = nil
            takeAwayAll()
        case nil: if world.now - lastAnswer > Int64(scenario.session) { takeAwayAll() }
        }
    }

    private func takeAwayAll() {
        membership = nil
        for task in seats.keys.sorted() {
            seats[task]?.isOwned = false
            seats[task]?.restartAt = nil
            if scenario.bug == .warmTaskKept, seats[task]?.isLive == true {
                kept[task] = seats[task]?.runner?.task
            }
            seats[task]?.runner?.cancel()
        }
        state = .revoking(until: world.now + Int64(scenario.session / 4))
    }

    private func startDueTasks() {
        guard let membership else { return }
        for task in seats.keys.sorted() {
            guard var seat = seats[task], seat.isOwned, seat.runner == nil,
                let time = seat.restartAt, world.now >= time
            else { continue }
            seat.runner = SimulatedTask(
                process: self, index: task, membership: membership,
                warm: kept.removeValue(forKey: task))
            seat.restartAt = nil
            seat.isLive = false
            seats[task] = seat
        }
    }

    private func finishRunners() {
        for task in seats.keys.sorted() {
            guard let runner = seats[task]?.runner, runner.isFinished else { continue }
            runner.close()
            seats[task]?.runner = nil
            seats[task]?.isLive = false
            if seats[task]?.isOwned == false { seats[task] = nil }
        }
    }

    private func restartLater(_ task: Int) {
        guard var seat = seats[task], seat.isOwned else { return }
        seat.restartAt = world.now + min(2000, 20 << Int64(min(7, seat.failures)))
        seat.failures += 1
        seats[task] = seat
    }

    // MARK: News

    func isLive(_ runner: SimulatedTask) {
        guard seats[runner.index]?.runner === runner else { return }
        seats[runner.index]?.isLive = true
        seats[runner.index]?.failures = 0
        world.note(.live, runner.index, Int(runner.task?.sequence ?? 0), instance)
    }

    func released(_ runner: SimulatedTask, _ reason: SimulatedLane.Release) {
        guard seats[runner.index]?.runner === runner else { return }
        seats[runner.index]?.isLive = false
        world.note(.released, runner.index, instance)
        switch reason {
        case .drained, .revoked: break
        case .failed(let failure): fail(failure.message, failure)
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
        }
    }

    private func fail(_ words: String, _ failure: TaskFailure?) {
        if outcome == nil { outcome = .failed(words, failure) }
    }

    // MARK: Shutting down

    private func startShutDown() {
        if outcome == nil {
            lane.drain()
        }
        for task in seats.keys.sorted() where outcome != nil || seats[task]?.isLive == false {
            seats[task]?.runner?.cancel()
        }
        state = .stopping(until: world.now + 1000)
    }

    private func shutDown(until end: Int64) {
        guard seats.values.allSatisfy({ $0.runner == nil }) || world.now >= end else { return }
        if let membership {
            _ = network.request(from: self) { [self] in broker.group.leave(membership) }
        }
        guard isAlive else { return }
        isAlive = false
        world.note(.stopped, instance)
        onEnd(self, outcome ?? .stopped)
    }
}
