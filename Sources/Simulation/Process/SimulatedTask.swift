import Core
import Engine
import State

/// One task on a simulated process, as the service's task runner, its committer thread and its
/// seat on the lane: the same calls of the same state machines in the same order.
final class SimulatedTask {
    /// Why a task could not be started.
    enum StartFailure {
        case again(String)
        case fatal(String)
        case instanceFenced(String)
    }

    private enum Phase {
        case initializing
        case opening
        case committing
        case done
    }

    /// How a submitted commit ended.
    enum Result: ~Copyable {
        case committed(CommitRequest)
        case dropped(OutputFailure)
    }

    let index: Int
    let membership: Membership
    private let process: SimulatedProcess
    private let output: SimulatedOutput
    private var phase = Phase.initializing
    private var began: Int64
    private(set) var task: PipelineTask?
    private var cycle: CommitCycle
    private var request: CommitRequest?
    var result: Result?
    private var isBusy = false
    private var isInCommit = false
    private(set) var isCancelled = false
    private(set) var isThreadDone = false
    private(set) var isHandedOver = false
    /// Whether the lane has let go of the task.
    var isLaneDone = false
    var isCommitting = false
    /// A planted bug keeps a task of an earlier assignment.
    private let warm: PipelineTask?
    private var journalEnd: Int64?

    init(process: SimulatedProcess, index: Int, membership: Membership, warm: PipelineTask?) {
        self.process = process
        self.index = index
        self.membership = membership
        self.warm = warm
        output = SimulatedOutput(process: process, task: index, membership: membership)
        cycle = CommitCycle(giveUpAfter: 20_000)
        began = process.world.now
        wakeThread(after: process.world.draw(0...2))
    }

    private var world: World { process.world }

    /// Whether no thread touches the task any more.
    var isFinished: Bool { isThreadDone && (isLaneDone || !isHandedOver) }

    func cancel() {
        isCancelled = true
        wakeThread(after: 0)
        if isHandedOver, !isLaneDone { process.lane.revoke(self) }
    }

    func close() { output.close() }

    /// Hands over a commit.
    func submit(_ commit: consuming CommitRequest) {
        precondition(request == nil && !isInCommit, "a commit is under way")
        request = consume commit
        wakeThread(after: world.draw(0...1))
    }

    // MARK: The committer's thread

    private func wakeThread(after milliseconds: Int) {
        process.schedule(milliseconds) { [self] in
            guard !isBusy, !isThreadDone else { return }
            isBusy = true
            runThread()
            isBusy = false
        }
    }

    private func endThread() {
        phase = .done
        isThreadDone = true
    }

    private func runThread() {
        switch phase {
        case .initializing: initialize()
        case .opening: open()
        case .committing: commit()
        case .done: break
        }
    }

    private func fail(_ failure: StartFailure) {
        endThread()
        process.startFailed(self, failure)
    }

    private func initialize() {
        guard !isCancelled else { return endThread() }
        let bug = process.scenario.bug
        do throws(OutputFailure) {
            if bug == .noFenceFirst {
                phase = .opening
                return wakeThread(after: 0)
            }
            if process.scenario.asksEndWhileSettling || bug == .endReadCommitted {
                try output.fence()
                guard let end = askJournalEnd() else { throw .uncertain("no answer") }
                guard process.isAlive else { return endThread() }
                journalEnd = end
            }
            try output.initialize()
            guard process.isAlive else { return endThread() }
            phase = .opening
            wakeThread(after: 0)
        } catch {
            guard process.isAlive else { return endThread() }
            switch error {
            case .uncertain(let reason), .abortable(let reason):
                guard world.now - began < 20_000 else {
                    return fail(.fatal("gave up: cannot start the producer: \(reason)"))
                }
                wakeThread(after: 20)
            case .fenced(let reason): fail(.again(reason))
            case .instanceFenced(let reason): fail(.instanceFenced(reason))
            case .fatal(let reason): fail(.fatal(reason))
            }
        }
    }

    /// The end of everything in the journal; not of what is committed only.
    private func askJournalEnd() -> Int64? {
        let journal = process.broker.partition(.journal, index)
        let isCommittedOnly = process.scenario.bug == .endReadCommitted
        return process.network.request(from: process) {
            Int64(isCommittedOnly ? journal.stable : journal.end)
        }
    }

    /// Finds the journal's end, opens the logs and hands the task over.
    private func open() {
        guard !isCancelled else { return endThread() }
        let broker = process.broker
        let inputs = process.inputs(ofTask: index)
        // The offsets before the journal's end: offsets without a journal are then a deleted
        // journal, and not one that another process has begun meanwhile.
        let committed = process.network.request(from: process) {
            inputs.compactMap { broker.group.offsets[$0] }
        }
        guard let committed else { return fail(.again("no answer")) }
        guard let end = journalEnd ?? askJournalEnd() else { return fail(.again("no answer")) }
        if end == 0, journalEnd == nil, committed.contains(where: { $0 > 0 }) {
            return fail(.fatal("the journal was deleted"))
        }
        let starts = process.network.request(from: process) {
            inputs.map { Int64(broker.input($0).start) }
        }
        guard let starts else { return fail(.again("no answer")) }
        guard process.isAlive, !isCancelled else { return endThread() }
        if let warm {
            task = warm
        } else {
            let journal = SimulatedInputLog(
                process: process,
                [
                    (
                        TopicPartition(topic: "journal", partition: Int32(index)),
                        broker.partition(.journal, index)
                    )
                ], start: nil)
            let log = SimulatedInputLog(
                process: process,
                inputs.map {
                    (
                        TopicPartition(
                            topic: SimulatedBroker.inputTopic, partition: Int32($0)),
                        broker.input($0)
                    )
                }, start: starts)
            task = PipelineTask(
                index: index, processor: Canary(), log: log, startOffsets: starts,
                journal: journal, journalEnd: end, generation: membership.generation,
                policy: CommitPolicy(
                    idleInterval: process.scenario.idleInterval,
                    busyInterval: process.scenario.busyInterval,
                    roundLimit: process.scenario.roundLimit),
                batchLimit: process.scenario.batchLimit, waitLimit: process.scenario.waitLimit)
        }
        isHandedOver = true
        phase = .committing
        process.lane.add(self)
    }

    // MARK: Committing

    private func commit() {
        guard !isCancelled || request != nil || isInCommit else { return endThread() }
        guard let current = request.take() else { return }
        if isTakingEpochLate, !output.isInitialized {
            do throws(OutputFailure) {
                try output.initialize()
            } catch {
                request = consume current
                guard process.isAlive else { return endThread() }
                return wakeThread(after: 20)
            }
        }
        if !isInCommit {
            cycle.start()
            isInCommit = true
        }
        // The call may block, and the world goes on meanwhile.
        var local = cycle
        let progress = local.step(current, on: output, now: world.now)
        cycle = local
        guard process.isAlive else { return endThread() }
        switch progress {
        case .again:
            request = consume current
            wakeThread(after: 0)
        case .wait(let milliseconds, let reason):
            if isCancelled, process.scenario.bug != .zombieInitializes {
                output.close()
                finish(.dropped(.fenced("cancelled: \(reason)")))
                return endThread()
            }
            request = consume current
            wakeThread(after: Int(milliseconds))
        case .committed:
            world.note(.committed, index, Int(current.sequence), process.instance)
            finish(.committed(current))
        case .dropped(let failure):
            world.note(.dropped, index, Int(current.sequence), process.instance)
            world.tell("dropped: \(failure)")
            if case .fenced = failure, isKeptAfterFenced {
                output.close()
                cycle = CommitCycle(giveUpAfter: 20_000)
                isInCommit = false
                request = consume current
                return wakeThread(after: 20)
            }
            output.close()
            finish(.dropped(failure))
        }
        if isCancelled { wakeThread(after: 0) }
    }

    /// Planted: an epoch is taken when there is something to commit.
    private var isTakingEpochLate: Bool {
        switch process.scenario.bug {
        case .noFenceFirst, .noRestoreAfterFenced, .zombieInitializes: true
        default: false
        }
    }

    /// Planted: the same bytes are sent again under a new epoch.
    private var isKeptAfterFenced: Bool {
        switch process.scenario.bug {
        case .noRestoreAfterFenced: !isCancelled
        case .zombieInitializes: isCancelled
        default: false
        }
    }

    private func finish(_ outcome: consuming Result) {
        isInCommit = false
        result = consume outcome
        process.lane.wake(after: world.draw(0...1))
    }
}
