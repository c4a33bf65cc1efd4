import Core
import Engine
import State

/// One task on a simulated process, as the service's task runner, its committer thread and its
/// seat on the lane: the same calls of the same state machines in the same order.
final class SimulatedTask {
    /// Why a task could not be started.
    enum StartFailure: Error {
        case again(String)
        case fatal(String)
        case instanceFenced(String)
        case task(TaskFailure)
    }

    enum Phase {
        case initializing
        case opening
        case loading
        case committing
        case done
    }

    /// What the lane does with the task.
    enum Course {
        case running
        /// Takes no records; let go of, or parked, once everything is committed.
        case finishing(keepsTask: Bool)
        case parked
    }

    /// How a submitted commit ended.
    enum Result: ~Copyable {
        case committed(CommitRequest)
        case dropped(OutputFailure)
    }

    let index: Int
    var membership: Membership
    let process: SimulatedProcess
    let output: any SimulatedTaskOutput
    let store: SimulatedChunkStore
    var phase = Phase.initializing
    var began: Int64
    var task: PipelineTask?
    private var cycle: CommitCycle
    private var request: CommitRequest?
    var result: Result?
    private var isBusy = false
    private var isInCommit = false
    var isCancelled = false
    private(set) var isThreadDone = false
    var isHandedOver = false
    /// Whether the lane has let go of the task.
    var isLaneDone = false
    var isCommitting = false
    var course = Course.running
    /// Whether the lane has seen the restore's end.
    var hasArrived = false
    /// What the snapshot thread has for the task.
    var snapshotOutcome: SnapshotOutcome?
    var review: OffsetReview?
    /// The inputs that the task reads; empty before it has found them.
    var inputs: [Int] = []
    var loading: TaskLoading?
    var loadingProcessor: (any BatchProcessor)?
    var journal: SimulatedInputLog?
    /// The assignment that gave a parked task back, and the entry that must come next.
    var reclaiming: (membership: Membership, sequence: UInt64)?
    /// A planted bug keeps a task of an earlier assignment.
    let warm: PipelineTask?
    var journalEnds: (start: Int64, end: Int64)?

    init(process: SimulatedProcess, index: Int, membership: Membership, warm: PipelineTask?) {
        self.process = process
        self.index = index
        self.membership = membership
        self.warm = warm
        let output: any SimulatedTaskOutput =
            process.scenario.isAtLeastOnce
            ? SimulatedPlainOutput(process: process, task: index, membership: membership)
            : SimulatedOutput(process: process, task: index, membership: membership)
        self.output = output
        store = SimulatedChunkStore(process: process, task: index, output: output)
        cycle = CommitCycle(giveUpAfter: 20_000)
        began = process.world.now
        wakeThread(after: process.world.draw(0...2))
    }

    var world: World { process.world }

    /// Whether no thread touches the task any more.
    var isFinished: Bool { isThreadDone && (isLaneDone || !isHandedOver) }

    func cancel() {
        isCancelled = true
        wakeThread(after: 0)
        if isHandedOver, !isLaneDone { process.lane.revoke(self) }
    }

    func close() { output.close() }

    /// The parked task came back to this process: it goes on if nobody has committed since.
    func reclaim(_ given: Membership, sequence: UInt64) {
        reclaiming = (given, sequence)
        began = world.now
        wakeThread(after: world.draw(0...2))
    }

    /// Hands over a commit.
    func submit(_ commit: consuming CommitRequest) {
        precondition(request == nil && !isInCommit, "a commit is under way")
        request = consume commit
        wakeThread(after: world.draw(0...1))
    }

    // MARK: The committer's thread

    func wakeThread(after milliseconds: Int) {
        process.schedule(milliseconds) { [self] in
            guard !isBusy, !isThreadDone else { return }
            isBusy = true
            runThread()
            isBusy = false
        }
    }

    func endThread() {
        phase = .done
        isThreadDone = true
    }

    private func runThread() {
        switch phase {
        case .initializing: initialize()
        case .opening: open()
        case .loading: load()
        case .committing:
            if reclaiming == nil { commit() } else { settleReclaim() }
        case .done: break
        }
    }

    func fail(_ failure: StartFailure) {
        endThread()
        process.startFailed(self, failure)
    }

    // MARK: Committing

    private func commit() {
        if isCancelled, request == nil, !isInCommit { return endThread() }
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
