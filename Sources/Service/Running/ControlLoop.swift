import Core
import Engine
import Glibc
import KafkaIO
import State
import Synchronization

/// What lanes, committers and starting threads tell the control thread.
enum ControlNews: Sendable {
    case lane(LaneEvent)
    case startFailed(task: Int, TaskRunner.StartFailure)
    case committer(task: Int, CommitterNews)
    case loading(task: Int, LoadingNews)
}

/// The control thread's work: follows the group's assignments, starts and ends tasks, keeps the
/// fetcher awake, watches over what stands still, and says what happens.
struct ControlLoop: ~Copyable {
    /// What the loop works with; all of it is made before and outlives it.
    struct Parts: Sendable {
        let pipeline: Pipeline
        let options: ProcessOptions
        let settings: KafkaSettings
        let watch: InputWatch
        let snapshotWatch: SnapshotWatch
        let standbyCheck: StandbyCheck
        let admin: KafkaAdmin
        let reader: KafkaReader
        let member: KafkaMember
        let snapshots: SnapshotThread
        let chunks: KafkaChunkWriter
        let log: ProcessLog
        let kafkaLog: KafkaLog
    }

    /// A task of this process, or one that is to be started again.
    struct Seat {
        var runner: TaskRunner?
        /// Whether the group's current assignment gives the task to this process.
        var isOwned = true
        /// When a task that ended is to be started again, in monotonic milliseconds.
        var restartAt: Int64?
        var failures = 0
        /// Starts in a row whose journal and offsets did not agree.
        var refusals = 0
        /// When the task's producer broke, in monotonic milliseconds; the last few times.
        var breaks: [Int64] = []
        /// What was last said of why the task does not start.
        var trouble: String?
        var progress: RestoreProgress?
        var restoreStarted: Int64 = 0
        var restoredRecords = 0
        var isLive = false
        /// The sequence number of the next commit of a task that waits for its assignment to come
        /// back, everything committed.
        var parkedSequence: UInt64?
        /// Whether the task was asked to end after its commit, to be started with more inputs.
        var isRetiring = false
        /// The snapshot that the task began with.
        var loaded: SnapshotReference?
        /// Whether it was said that snapshots cannot be written, or old ones not deleted.
        var cannotSnapshot = false
        var cannotTrim = false
    }

    /// The cores that this process may use.
    private static var coreCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
    /// Uncommitted output of all tasks, in bytes; each has it twice, computing and committing.
    private static let outputBytesBudget: Int = 16 << 20

    let parts: Parts
    let news: NewsBox
    let lanes: [Lane]
    let policy: CommitPolicy
    var log: ProcessLog { parts.log }

    var seats: [Int: Seat] = [:]
    var token: GroupToken?
    var outcome: PipelineOutcome?
    var isStopping = false
    var lastProgressLine: Int64 = 0
    /// Whether it was said that a restart would take too long.
    var isRestartSlow = false
    private var watchdog: Watchdog
    private var lastWake: Int64 = 0
    private var lastCheck: Int64 = 0

    /// News for the control thread, from any thread.
    final class NewsBox: Sendable {
        private let waiting = Mutex<[ControlNews]>([])

        func add(_ item: ControlNews) { waiting.withLock { $0.append(item) } }

        func take() -> [ControlNews] {
            waiting.withLock { waiting in
                defer { waiting.removeAll() }
                return waiting
            }
        }
    }

    init(_ parts: Parts) {
        self.parts = parts
        let news = NewsBox()
        self.news = news
        let taskCount = parts.watch.layout.taskCount
        let cores = parts.options.laneCount > 0 ? parts.options.laneCount : Self.coreCount
        lanes = (0..<max(1, min(cores, taskCount))).map { _ in
            Lane { news.add(.lane($0)) }
        }
        watchdog = Watchdog(
            reader: parts.reader, lanes: lanes, log: parts.log, limit: parts.options.stallLimit,
            callLimit: parts.options.callLimit)
        // The tasks share a budget, less the batch by which a buffer may exceed its limit: at full
        // speed it holds about 100 ms of output.
        let byteLimit = max(1 << 20, Self.outputBytesBudget / taskCount) - (256 << 10)
        switch parts.pipeline.delivery.commitEvery {
        case .automatic:
            policy = .auto(
                parts.pipeline.delivery.guarantee,
                inputCount: parts.watch.layout.inputs(ofTask: 0).count, byteLimit: byteLimit)
        case .milliseconds(let time):
            policy = .every(time, parts.pipeline.delivery.guarantee, byteLimit: byteLimit)
        }
    }

    /// Runs until stopped or failed, then leaves the group.
    mutating func run(
        isStopping: () -> Bool, publish: (PipelineStatus) -> Void
    ) -> PipelineOutcome {
        for (index, lane) in lanes.enumerated() {
            WorkerThread.start(name: "lane-\(index)") { lane.run() }
        }
        do throws(KafkaError) {
            try parts.member.subscribe()
        } catch {
            for lane in lanes { lane.stop() }
            return .failed("\(error)")
        }
        while outcome == nil, !isStopping() {
            turn(pollMilliseconds: isBacklogged ? 5 : 50)
            publish(status())
        }
        let ended = shutDown()
        publish(status())
        return ended
    }

    /// Whether no task of this process uses a client any more.
    var isQuiet: Bool { seats.values.allSatisfy { $0.runner == nil } }

    private var isBacklogged: Bool {
        lanes.contains { $0.backloggedTasks.load(ordering: .relaxed) > 0 }
            || seats.values.contains { !$0.isLive }
    }

    /// One round of everything that the control thread looks after.
    private mutating func turn(pollMilliseconds: Int32) {
        var pending = PendingMembership()
        parts.member.poll(milliseconds: pollMilliseconds) { event in
            pending.add(event)
            // A revoked assignment ends when this returns: its tasks must have stopped by then.
            switch event {
            case .revoked: giveUpAll()
            case .lost: dropAll()
            case .assigned, .instanceFenced, .failed: break
            }
        }
        for event in pending.events { follow(event) }
        handleNews()
        finishRunners()
        startDueTasks()
        parts.reader.serve()
        let now = monotonicMilliseconds()
        if now - lastWake >= (isBacklogged ? 10 : 1000) {
            lastWake = now
            parts.reader.wakeFetcher(milliseconds: 50)
        }
        if now - lastCheck >= Watchdog.interval {
            lastCheck = now
            let calls = seats.compactMapValues { $0.runner?.calls }
            if let why = watchdog.check(now: now, committers: calls), outcome == nil {
                outcome = .failed(why)
            }
            growTasks()
            storeLostStates()
            tellRestoreTimes()
        }
    }

    private func status() -> PipelineStatus {
        var status = PipelineStatus()
        for lane in lanes {
            status.records += lane.recordsProcessed.load(ordering: .relaxed)
            status.commits += lane.commits.load(ordering: .relaxed)
            status.snapshots += lane.snapshots.load(ordering: .relaxed)
        }
        for task in seats.keys.sorted() {
            guard let seat = seats[task], seat.runner != nil else { continue }
            if seat.isLive {
                status.liveTasks.append(task)
            } else if let progress = seat.progress {
                status.restoringTasks.append(
                    RestoringTask(
                        task: task, share: progress.share,
                        milliseconds: monotonicMilliseconds() - seat.restoreStarted))
            }
        }
        if !status.liveTasks.isEmpty {
            status.estimatedRestoreMilliseconds = slowestRestore.milliseconds
        }
        let topic = parts.watch.layout.inputTopic
        for progress in parts.reader.progress() where progress.partition.topic == topic {
            if let lag = progress.lag { status.lag = (status.lag ?? 0) + lag }
        }
        status.refetches = watchdog.refetches
        return status
    }
}
