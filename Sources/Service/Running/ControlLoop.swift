import Core
import Engine
import KafkaIO
import State
import Synchronization

/// What lanes, committers and starting threads tell the control thread.
enum ControlNews: Sendable {
    case lane(LaneEvent)
    case startFailed(task: Int, TaskRunner.StartFailure)
    case committer(task: Int, CommitterNews)
}

/// The control thread's work: follows the group's assignments, starts and ends tasks, keeps the
/// fetcher awake, and says what happens.
struct ControlLoop: ~Copyable {
    /// A task of this process, or one that is to be started again.
    private struct Seat {
        var runner: TaskRunner?
        /// Whether the group's current assignment gives the task to this process.
        var isOwned = true
        /// When a task that ended is to be started again, in monotonic milliseconds.
        var restartAt: Int64?
        var failures = 0
        var progress: RestoreProgress?
        var restoreStarted: Int64 = 0
        var restoredRecords = 0
        var isLive = false
    }

    /// Uncommitted output of all tasks, in bytes; each has it twice, computing and committing.
    private static let outputBytesBudget: Int = 8 << 20

    private let pipeline: Pipeline
    private let options: ProcessOptions
    private let layout: TopicLayout
    private let admin: KafkaAdmin
    private let reader: KafkaReader
    private let member: KafkaMember
    private let log: ProcessLog
    private let kafkaLog: KafkaLog
    private let settings: KafkaSettings
    private let news: NewsBox
    private let lanes: [Lane]
    private let policy: CommitPolicy

    private var seats: [Int: Seat] = [:]
    private var token: GroupToken?
    private var outcome: PipelineOutcome?
    private var lastWake: Int64 = 0
    private var lastProgressLine: Int64 = 0

    /// News for the control thread, from any thread.
    private final class NewsBox: Sendable {
        private let waiting = Mutex<[ControlNews]>([])

        func add(_ item: ControlNews) { waiting.withLock { $0.append(item) } }

        func take() -> [ControlNews] {
            waiting.withLock { waiting in
                defer { waiting.removeAll() }
                return waiting
            }
        }
    }

    init(
        pipeline: Pipeline, options: ProcessOptions, layout: TopicLayout, settings: KafkaSettings,
        admin: KafkaAdmin, reader: KafkaReader, member: KafkaMember, log: ProcessLog,
        kafkaLog: KafkaLog
    ) {
        self.pipeline = pipeline
        self.options = options
        self.layout = layout
        self.settings = settings
        self.admin = admin
        self.reader = reader
        self.member = member
        self.log = log
        self.kafkaLog = kafkaLog
        let news = NewsBox()
        self.news = news
        let cores = options.laneCount > 0 ? options.laneCount : coreCount()
        lanes = (0..<max(1, min(cores, layout.taskCount))).map { _ in
            Lane { news.add(.lane($0)) }
        }
        // The tasks share a budget, less the batch by which a buffer may exceed its limit: at full
        // speed it holds about 100 ms of output.
        let byteLimit = max(1 << 20, Self.outputBytesBudget / layout.taskCount) - (256 << 10)
        switch pipeline.delivery.commitEvery {
        case .automatic: policy = .auto(byteLimit: byteLimit)
        case .milliseconds(let time): policy = .every(time, byteLimit: byteLimit)
        }
    }

    // MARK: Life

    /// Runs until stopped or failed, then leaves the group.
    mutating func run(
        isStopping: () -> Bool, publish: (PipelineStatus) -> Void
    ) -> PipelineOutcome {
        for (index, lane) in lanes.enumerated() {
            WorkerThread(name: "lane-\(index)") { lane.run() }.detach()
        }
        do throws(KafkaError) {
            try member.subscribe()
        } catch {
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
        var events: [MemberEvent] = []
        member.poll(milliseconds: pollMilliseconds) { event in
            // A revoked assignment ends when this returns: its tasks must have stopped by then.
            switch event {
            case .revoked, .lost: takeAwayAll(event)
            default: events.append(event)
            }
        }
        for event in events { follow(event) }
        handleNews()
        finishRunners()
        startDueTasks()
        reader.serve()
        let now = monotonicMilliseconds()
        if now - lastWake >= (isBacklogged ? 10 : 1000) {
            lastWake = now
            reader.wakeFetcher(milliseconds: 50)
        }
    }

    // MARK: Assignment

    private mutating func follow(_ event: MemberEvent) {
        switch event {
        case .assigned(let partitions, let token):
            self.token = token
            let tasks = partitions.map(Int.init).filter { $0 < layout.taskCount }
            log.say(
                .info, tasks.isEmpty ? "standing by" : "assigned",
                [
                    ("tasks", tasks.map(String.init).joined(separator: ",")),
                    ("of", "\(layout.taskCount)"), ("generation", "\(token.generation)"),
                ])
            for task in tasks {
                var seat = seats[task] ?? Seat()
                seat.isOwned = true
                seat.failures = 0
                seat.restartAt = monotonicMilliseconds()
                seats[task] = seat
            }
        case .revoked, .lost: break
        case .instanceFenced(let reason): outcome = .instanceFenced(reason)
        case .failed(let error):
            log.say(.error, "\(error)")
            if error.kind == .unauthorised || error.kind == .unauthenticated {
                outcome = .failed("\(error)")
            }
        }
    }

    /// Ends every task: at once when the assignment is lost, else after what is under way.
    private mutating func takeAwayAll(_ event: MemberEvent) {
        token = nil
        let owned = seats.filter { $0.value.isOwned }
        guard !owned.isEmpty else { return }
        if case .lost = event {
            log.say(.warning, "the assignment was lost; its tasks are dropped and restored later")
        } else {
            log.say(.info, "revoked")
        }
        for task in owned.keys {
            seats[task]?.isOwned = false
            seats[task]?.restartAt = nil
            seats[task]?.runner?.cancel()
        }
        // The committers' current calls are given time to end while the assignment still holds.
        let began = monotonicMilliseconds()
        let pause = Wakeup()
        while seats.values.contains(where: { $0.runner != nil }),
            monotonicMilliseconds() - began < 3000
        {
            handleNews()
            finishRunners()
            pause.wait(milliseconds: 2)
        }
    }

    private mutating func startDueTasks() {
        guard let token else { return }
        let now = monotonicMilliseconds()
        for task in seats.keys.sorted() {
            guard var seat = seats[task], seat.isOwned, seat.runner == nil,
                let time = seat.restartAt, now >= time
            else { continue }
            let news = news
            let runner = TaskRunner(
                index: task, inputs: layout.inputs(ofTask: task), token: token,
                lane: lanes[task % lanes.count],
                surroundings: TaskRunner.Surroundings(
                    pipeline: pipeline, settings: settings, admin: admin, reader: reader,
                    log: kafkaLog, policy: policy, giveUpAfter: options.giveUpAfter,
                    trustsJournal: options.trustsJournal, instrument: options.instrument,
                    onStartFailure: { news.add(.startFailed(task: $0, $1)) },
                    onCommitterNews: { news.add(.committer(task: $0, $1)) }))
            seat.runner = runner
            seat.restartAt = nil
            seat.isLive = false
            seat.progress = nil
            seat.restoredRecords = 0
            seat.restoreStarted = now
            seats[task] = seat
            runner.start()
        }
    }

    /// Frees the tasks that no thread touches any more.
    private mutating func finishRunners() {
        for task in seats.keys.sorted() {
            guard let runner = seats[task]?.runner, runner.isFinished else { continue }
            runner.close()
            seats[task]?.runner = nil
            seats[task]?.isLive = false
            if seats[task]?.isOwned == false { seats[task] = nil }
        }
    }

    /// Starts a task again after a while, doubling from 100 ms to 10 s.
    private mutating func restartLater(_ task: Int) {
        guard var seat = seats[task], seat.isOwned else { return }
        let pause: Int64 = min(10_000, 100 << Int64(min(7, seat.failures)))
        seat.failures += 1
        seat.restartAt = monotonicMilliseconds() + pause
        seats[task] = seat
    }

    // MARK: News

    private mutating func handleNews() {
        for item in news.take() {
            switch item {
            case .lane(let event): follow(event)
            case .startFailed(let task, let failure): follow(failure, of: task)
            case .committer(let task, .retrying(let reason)):
                log.say(
                    .warning, "commits are retried: \(reason); nothing is lost meanwhile",
                    [("task", "\(task)")])
            case .committer(let task, .recovered):
                log.say(.info, "commits go on", [("task", "\(task)")])
            }
        }
    }

    private mutating func follow(_ event: LaneEvent) {
        switch event {
        case .restoring(let task, let progress):
            seats[task]?.progress = progress
            seats[task]?.restoredRecords += progress.records
            tellProgress(task)
        case .live(let task, let sequence):
            let seconds =
                Double(monotonicMilliseconds() - (seats[task]?.restoreStarted ?? 0)) / 1000
            seats[task]?.isLive = true
            seats[task]?.failures = 0
            log.say(
                .info, sequence == 0 ? "task started" : "task restored",
                [
                    ("task", "\(task)"), ("sequence", "\(sequence)"),
                    ("replayed_records", "\(seats[task]?.restoredRecords ?? 0)"),
                    ("seconds", "\(seconds)"),
                ])
        case .released(let task, let reason):
            seats[task]?.runner?.laneReleased()
            seats[task]?.isLive = false
            follow(reason, of: task)
        }
    }

    private mutating func follow(_ reason: ReleaseReason, of task: Int) {
        switch reason {
        case .drained, .revoked: break
        case .failed(let failure): outcome = outcome ?? .failed("task \(task): \(failure.message)")
        case .dropped(.instanceFenced(let why)): outcome = .instanceFenced(why)
        case .dropped(.fatal(let why)): outcome = outcome ?? .failed("task \(task): \(why)")
        case .dropped(.fenced(let why)), .dropped(.uncertain(let why)),
            .dropped(.abortable(let why)):
            guard seats[task]?.isOwned == true else { return }
            log.say(
                .warning, "dropped (\(why)); restoring it from its journal", [("task", "\(task)")])
            restartLater(task)
        }
    }

    private mutating func follow(_ failure: TaskRunner.StartFailure, of task: Int) {
        switch failure {
        case .again(let reason):
            guard seats[task]?.isOwned == true else { return }
            log.say(.warning, "not started yet: \(reason); trying again", [("task", "\(task)")])
            restartLater(task)
        case .fatal(let reason): outcome = outcome ?? .failed("task \(task): \(reason)")
        case .instanceFenced(let reason): outcome = .instanceFenced(reason)
        }
    }

    /// Says once a second how far a restore is and how long it will take.
    private mutating func tellProgress(_ task: Int) {
        let now = monotonicMilliseconds()
        guard let seat = seats[task], let progress = seat.progress, progress.journalEnd > 0,
            now - lastProgressLine >= 1000, now - seat.restoreStarted >= 1000
        else { return }
        lastProgressLine = now
        let share = Double(progress.journalOffset) / Double(progress.journalEnd)
        let elapsed = Double(now - seat.restoreStarted) / 1000
        var fields = [
            ("task", "\(task)"), ("percent", "\(Int(share * 100))"),
            ("replayed_records", "\(seat.restoredRecords)"),
        ]
        if share > 0.01 { fields.append(("seconds_left", "\(Int(elapsed * (1 - share) / share))")) }
        log.say(.info, "restoring", fields)
    }

    // MARK: Status

    private func status() -> PipelineStatus {
        var status = PipelineStatus()
        for lane in lanes {
            status.records += lane.recordsProcessed.load(ordering: .relaxed)
            status.commits += lane.commits.load(ordering: .relaxed)
        }
        for task in seats.keys.sorted() {
            guard let seat = seats[task], seat.runner != nil else { continue }
            if seat.isLive {
                status.liveTasks.append(task)
            } else if let progress = seat.progress, progress.journalEnd > 0 {
                status.restoringTasks.append(
                    (task, Double(progress.journalOffset) / Double(progress.journalEnd)))
            }
        }
        return status
    }

    // MARK: Shutting down

    /// Stops intake, commits what is computed, leaves the group, within `shutdown_within`.
    private mutating func shutDown() -> PipelineOutcome {
        let began = monotonicMilliseconds()
        let limit = pipeline.delivery.shutdownWithin
        log.say(.info, "stopping")
        if outcome == nil {
            for lane in lanes { lane.drain() }
        }
        for seat in seats.values where outcome != nil || !seat.isLive { seat.runner?.cancel() }
        let pause = Wakeup()
        // A margin for leaving the group.
        let margin = min(1000, limit / 4)
        while seats.values.contains(where: { $0.runner != nil }),
            monotonicMilliseconds() - began < limit - margin
        {
            member.poll(milliseconds: 0) { _ in }
            handleNews()
            finishRunners()
            reader.serve()
            pause.wait(milliseconds: 2)
        }
        let isLate = seats.values.contains { $0.runner != nil }
        for seat in seats.values { seat.runner?.cancel() }
        for lane in lanes { lane.stop() }
        if options.keepsMembership {
            member.close(keepMembership: true) { _ in }
        } else {
            member.leave(milliseconds: Int(max(100, min(5000, margin)))) { _ in }
        }
        if let outcome { return outcome }
        log.say(
            isLate ? .warning : .info, isLate ? "stopped late" : "stopped",
            [("milliseconds", "\(monotonicMilliseconds() - began)")])
        return isLate ? .stoppedLate : .stopped
    }
}
