import CPlatform
import Engine
import KafkaIO
import State
import Synchronization

/// A task on its lane, with what it needs.
struct LaneTask: ~Copyable, @unchecked Sendable {
    // Safety: handed from the thread that made the task to the lane's, and used there alone.
    let task: PipelineTask
    let committer: Committer
    /// Asked once when the restore has reached the journal's end.
    let review: OffsetReview
    var snapshots: LaneSnapshots
}

/// What happened to a task on a lane, for the control thread.
enum LaneEvent: Sendable {
    case restoring(task: Int, RestoreProgress)
    /// The task takes records from now; `note` is what the user should know of where it goes on.
    case live(task: Int, sequence: UInt64, note: String?)
    /// Everything computed is committed; the lane keeps the task until it goes on or is revoked.
    case parked(task: Int, sequence: UInt64)
    /// The parked task goes on.
    case resumed(task: Int)
    case snapshot(task: Int, SnapshotNews)
    /// The lane has let go of the task: nothing of it is under way in the lane.
    case released(task: Int, ReleaseReason)
}

/// Why a lane let go of a task.
enum ReleaseReason: Sendable {
    /// Everything computed was committed; `isLost` where that does not help, because the model's
    /// snapshot is gone and no other could be stored.
    case drained(isLost: Bool)
    /// The task was taken away, computed work included.
    case revoked
    /// The output dropped the commit.
    case dropped(OutputFailure)
    /// The task cannot go on.
    case failed(TaskFailure)
    /// The task must not go on: what its journal and its group say does not fit.
    case refused(String)
}

/// A thread that steps the tasks that it owns, one after the other, and waits when none has work.
final class Lane: Sendable {
    /// Counters that the control thread reads.
    let recordsProcessed = Atomic<Int>(0)
    let commits = Atomic<Int>(0)
    let snapshots = Atomic<Int>(0)
    let backloggedTasks = Atomic<Int>(0)
    /// How long restoring the lane's tasks would take now.
    let restoreMilliseconds = Atomic<Int64>(0)
    /// When the thread began its latest turn, in monotonic milliseconds.
    let turnBegan = Atomic<Int64>(monotonicMilliseconds())

    let wakeup = Wakeup()
    private let inbox = Mutex(Inbox())
    private let isStopping = Atomic<Bool>(false)
    private let report: @Sendable (LaneEvent) -> Void

    private struct Inbox: ~Copyable {
        var added: [PendingTask] = []
        var revoked: [Int] = []
        /// Tasks that are to stop at a commit, and whether the lane keeps them then.
        var finishing: [(task: Int, ending: Ending)] = []
        var resumed: [(task: Int, generation: Int32)] = []
        /// Tasks whose state is to be stored whatever their policy says.
        var toStore: [Int] = []
        /// Until when tasks may write a snapshot before they are let go of, once all are to be.
        var drain: Int64?
    }

    /// A box, because collections cannot hold noncopyable values.
    private final class PendingTask: @unchecked Sendable {
        // Safety: filled before it is shared and emptied by the lane alone, under the inbox's lock.
        var task: LaneTask?

        init(_ task: consuming LaneTask) { self.task = consume task }
    }

    init(report: @escaping @Sendable (LaneEvent) -> Void) {
        self.report = report
    }

    /// Gives the lane a task, to be restored first.
    func add(_ task: consuming LaneTask) {
        let pending = PendingTask(task)
        inbox.withLock { $0.added.append(pending) }
        wakeup.signal()
    }

    /// Takes a task away at once; uncommitted work is left to its next owner.
    func revoke(_ index: Int) {
        inbox.withLock { $0.revoked.append(index) }
        wakeup.signal()
    }

    /// What becomes of a task that has stopped its intake and committed.
    enum Ending: Sendable {
        /// The lane keeps it as it is.
        case kept
        /// Let go of; until the deadline it may write a snapshot, where that spares a long replay.
        case released(deadline: Int64)
    }

    /// Stops the intake of a task and commits what was computed; then it ends as told. A task that
    /// is still being restored is let go of at once.
    func finish(_ index: Int, _ ending: Ending) {
        inbox.withLock { $0.finishing.append((index, ending)) }
        wakeup.signal()
    }

    /// Lets a task that was kept go on under another generation.
    func resume(_ index: Int, generation: Int32) {
        inbox.withLock { $0.resumed.append((index, generation)) }
        wakeup.signal()
    }

    /// Has a task write a snapshot, if it is live; it does not end without, if it has the time.
    func store(_ index: Int) {
        inbox.withLock { $0.toStore.append(index) }
        wakeup.signal()
    }

    /// Stops intake, commits what was computed and lets go of every task; see ``Ending``.
    func drain(deadline: Int64) {
        inbox.withLock { $0.drain = deadline }
        wakeup.signal()
    }

    /// Makes `run` return once its current step is done.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeup.signal()
    }

    // MARK: The lane's thread

    private enum Course {
        case running
        /// Takes no records; let go of, or parked, once everything is committed.
        case finishing(Ending)
        case parked
    }

    private final class Seat {
        let task: PipelineTask
        let committer: Committer
        let review: OffsetReview
        var snapshots: LaneSnapshots
        var course = Course.running
        var isCommitting = false
        /// Whether the restore is over and it is decided where the task goes on.
        var hasArrived = false

        init(_ handed: consuming LaneTask) {
            task = handed.task
            committer = handed.committer
            review = handed.review
            snapshots = handed.snapshots
        }

        /// Ends what others do for the task.
        func cancel() {
            committer.cancel()
            snapshots.cancel()
        }
    }

    /// What one round of all tasks has found.
    private struct Turn {
        var hasWork = false
        var backlogged = 0
        /// Whether a restore would take another time now.
        var movesRestore: Bool
    }

    /// The thread's body.
    func run() {
        var seats: [Seat] = []
        while !isStopping.load(ordering: .acquiring) {
            turnBegan.store(monotonicMilliseconds(), ordering: .relaxed)
            var turn = Turn(movesRestore: takeCommands(&seats))
            var nextCommit = Int64.max
            var index = 0
            while index < seats.count {
                let seat = seats[index]
                let now = monotonicMilliseconds()
                if let reason = advance(seat, now: now, &turn) {
                    seats.remove(at: index)
                    seat.cancel()
                    report(.released(task: seat.task.index, reason))
                    turn.movesRestore = true
                    continue
                }
                if let time = seat.task.nextCommitTime() { nextCommit = min(nextCommit, time) }
                index += 1
            }
            backloggedTasks.store(turn.backlogged, ordering: .relaxed)
            if turn.movesRestore { followRestore(of: seats) }
            if !turn.hasWork {
                let pause = nextCommit == .max ? 100 : nextCommit - monotonicMilliseconds()
                if pause > 0 { wakeup.wait(milliseconds: min(100, pause)) }
            }
        }
    }

    /// Does what others have asked for; whether a task came or went.
    private func takeCommands(_ seats: inout [Seat]) -> Bool {
        let added: [PendingTask]
        let revoked: [Int]
        let finishing: [(task: Int, ending: Ending)]
        let resumed: [(task: Int, generation: Int32)]
        let toStore: [Int]
        let drain: Int64?
        (added, revoked, finishing, resumed, toStore, drain) = inbox.withLock { inbox in
            defer {
                inbox.added.removeAll()
                inbox.revoked.removeAll()
                inbox.finishing.removeAll()
                inbox.resumed.removeAll()
                inbox.toStore.removeAll()
            }
            return (
                inbox.added, inbox.revoked, inbox.finishing, inbox.resumed, inbox.toStore,
                inbox.drain
            )
        }
        for pending in added {
            if let task = pending.task.take() { seats.append(Seat(task)) }
        }
        for (index, ending) in finishing {
            guard let seat = seats.first(where: { $0.task.index == index }) else { continue }
            if case .running = seat.course { seat.course = .finishing(ending) }
        }
        for (index, generation) in resumed {
            guard let seat = seats.first(where: { $0.task.index == index }),
                case .parked = seat.course
            else { continue }
            seat.task.adopt(generation: generation)
            seat.course = .running
            report(.resumed(task: index))
        }
        for seat in seats where seat.hasArrived && toStore.contains(seat.task.index) {
            seat.snapshots.need(of: seat.task)
        }
        for index in revoked {
            if let place = seats.firstIndex(where: { $0.task.index == index }) {
                seats.remove(at: place).cancel()
                report(.released(task: index, .revoked))
            }
        }
        if let drain {
            for seat in seats { seat.course = .finishing(.released(deadline: drain)) }
        }
        return !added.isEmpty || !revoked.isEmpty
    }

    /// One turn of a task; returns why the lane lets go of it, if it does.
    private func advance(_ seat: Seat, now: Int64, _ turn: inout Turn) -> ReleaseReason? {
        if let result = seat.committer.takeResult() {
            seat.isCommitting = false
            switch consume result {
            case .committed(let request):
                recordsProcessed.add(request.recordCount, ordering: .relaxed)
                commits.add(1, ordering: .relaxed)
                seat.task.commitDone(request)
                turn.movesRestore = true
            case .dropped(let failure):
                return .dropped(failure)
            }
        }
        if let news = seat.snapshots.takeOutcome(seat.task, now: now) {
            if case .written = news { snapshots.add(1, ordering: .relaxed) }
            report(.snapshot(task: seat.task.index, news))
        }
        var isFinishing = false
        switch seat.course {
        case .running: break
        case .finishing: isFinishing = true
        case .parked: return nil
        }
        do throws(TaskFailure) {
            if !seat.hasArrived {
                if isFinishing { return .revoked }
                if seat.task.isLive {
                    turn.hasWork = true
                    turn.movesRestore = true
                    return try arrive(seat)
                }
                let began = tw_monotonic_nanoseconds()
                let progress = try seat.task.restore(now: now)
                seat.snapshots.note(
                    busyNanoseconds: tw_monotonic_nanoseconds() - began, records: progress.records)
                if !progress.isWaiting { turn.hasWork = true }
                report(.restoring(task: seat.task.index, progress))
                return nil
            }
            if case .finishing(let ending) = seat.course {
                if seat.isCommitting { return nil }
                if !seat.task.isCommitDue(now: now, force: true) {
                    return end(seat, ending, now: now)
                }
            } else {
                let began = tw_monotonic_nanoseconds()
                switch try seat.task.step(now: now) {
                case .worked(let count):
                    seat.snapshots.note(
                        busyNanoseconds: tw_monotonic_nanoseconds() - began, records: count)
                    turn.hasWork = true
                    turn.backlogged += 1
                case .waiting, .blocked: turn.backlogged += 1
                case .idle: break
                }
            }
        } catch {
            return .failed(error)
        }
        if let request = seat.task.takeCommit(now: now, force: isFinishing) {
            seat.isCommitting = true
            seat.committer.submit(request)
        }
        seat.snapshots.submitJob(seat.task, now: now)
        return nil
    }

    /// How soon snapshots are due follows from what restoring all tasks of the lane takes.
    private func followRestore(of seats: [Seat]) {
        var restore = LaneRestore()
        for seat in seats { seat.snapshots.add(seat.task, to: &restore) }
        for seat in seats { seat.snapshots.update(seat.task, on: restore) }
        restoreMilliseconds.store(restore.milliseconds, ordering: .relaxed)
    }

    /// A task that was to stop has committed everything.
    private func end(_ seat: Seat, _ ending: Ending, now: Int64) -> ReleaseReason? {
        switch ending {
        case .kept:
            seat.course = .parked
            report(.parked(task: seat.task.index, sequence: seat.task.sequence))
            return nil
        case .released(let deadline):
            guard seat.snapshots.delaysEnd(of: seat.task, now: now, until: deadline) else {
                return .drained(isLost: seat.snapshots.lacksNeeded(seat.task))
            }
            seat.snapshots.submitJob(seat.task, now: now)
            return nil
        }
    }

    /// The restore has reached the journal's end: decides where the task goes on.
    private func arrive(_ seat: Seat) throws(TaskFailure) -> ReleaseReason? {
        seat.hasArrived = true
        if seat.review.confirmsOutputs(at: seat.task.nextOffsets) { seat.task.confirmOutputs() }
        if seat.task.mayLackOutputs {
            // No model of the version before is there to compute them again: the new one does.
            let offsets = seat.review.withOutputs(upTo: seat.task.nextOffsets)
            if offsets != seat.task.nextOffsets { try seat.task.moveOn(to: offsets) }
        }
        // A new version goes on at the offsets of the one before, although it has no entries yet.
        let sequence = seat.task.beginsVersion ? max(1, seat.task.sequence) : seat.task.sequence
        let verdict = seat.review.verdict(
            sequence: sequence, positions: seat.task.nextOffsets)
        let said: String?
        switch verdict {
        case .agreed(let note): said = note
        case .moveOn(let offsets, let note):
            said = note
            try seat.task.moveOn(to: offsets)
        case .refused(let why): return .refused(why)
        }
        report(.live(task: seat.task.index, sequence: seat.task.sequence, note: said))
        return nil
    }
}
