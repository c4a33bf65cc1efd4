import Engine
import State
import Synchronization

/// A task on its lane, with what it needs.
struct LaneTask: ~Copyable, @unchecked Sendable {
    // Safety: handed from the thread that made the task to the lane's, and used there alone.
    let task: PipelineTask
    let committer: Committer
    let journalLog: any InputLog
}

/// What happened to a task on a lane, for the control thread.
enum LaneEvent: Sendable {
    case restoring(task: Int, RestoreProgress)
    case live(task: Int, sequence: UInt64)
    /// The lane has let go of the task: nothing of it is under way in the lane.
    case released(task: Int, ReleaseReason)
}

/// Why a lane let go of a task.
enum ReleaseReason: Sendable {
    /// Everything computed was committed.
    case drained
    /// The task was taken away, computed work included.
    case revoked
    /// The output dropped the commit.
    case dropped(OutputFailure)
    /// The task cannot go on.
    case failed(TaskFailure)
}

/// A thread that steps the tasks that it owns, one after the other, and waits when none has work.
final class Lane: Sendable {
    /// Counters that the control thread reads.
    let recordsProcessed = Atomic<Int>(0)
    let commits = Atomic<Int>(0)
    let backloggedTasks = Atomic<Int>(0)

    let wakeup = Wakeup()
    private let inbox = Mutex(Inbox())
    private let isStopping = Atomic<Bool>(false)
    private let report: @Sendable (LaneEvent) -> Void

    private struct Inbox: ~Copyable {
        var added: [Int: PendingTask] = [:]
        var order: [Int] = []
        var revoked: [Int] = []
        var isDraining = false
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
        let index = task.task.index
        let pending = PendingTask(task)
        inbox.withLock {
            $0.added[index] = pending
            $0.order.append(index)
        }
        wakeup.signal()
    }

    /// Takes a task away at once; uncommitted work is left to its next owner.
    func revoke(_ index: Int) {
        inbox.withLock { $0.revoked.append(index) }
        wakeup.signal()
    }

    /// Stops intake, commits what was computed and lets go of every task.
    func drain() {
        inbox.withLock { $0.isDraining = true }
        wakeup.signal()
    }

    /// Makes `run` return once its current step is done.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeup.signal()
    }

    // MARK: The lane's thread

    private final class Seat {
        let task: PipelineTask
        let committer: Committer
        let journalLog: any InputLog
        var isDraining = false
        var isCommitting = false

        init(_ handed: consuming LaneTask) {
            task = handed.task
            committer = handed.committer
            journalLog = handed.journalLog
        }
    }

    /// The thread's body.
    func run() {
        var seats: [Seat] = []
        while !isStopping.load(ordering: .acquiring) {
            takeCommands(&seats)
            var hasWork = false
            var nextCommit = Int64.max
            var backlogged = 0
            var index = 0
            while index < seats.count {
                let seat = seats[index]
                let now = monotonicMilliseconds()
                if let reason = advance(seat, now: now, hasWork: &hasWork, &backlogged) {
                    seats.remove(at: index)
                    seat.committer.cancel()
                    report(.released(task: seat.task.index, reason))
                    continue
                }
                if let time = seat.task.nextCommitTime() { nextCommit = min(nextCommit, time) }
                index += 1
            }
            backloggedTasks.store(backlogged, ordering: .relaxed)
            if !hasWork {
                let pause = nextCommit == .max ? 100 : nextCommit - monotonicMilliseconds()
                if pause > 0 { wakeup.wait(milliseconds: min(100, pause)) }
            }
        }
    }

    private func takeCommands(_ seats: inout [Seat]) {
        let (added, revoked, isDraining) = inbox.withLock { inbox in
            let added = inbox.order.compactMap { inbox.added[$0] }
            defer {
                inbox.added.removeAll()
                inbox.order.removeAll()
                inbox.revoked.removeAll()
            }
            return (added, inbox.revoked, inbox.isDraining)
        }
        for pending in added {
            if let task = pending.task.take() { seats.append(Seat(task)) }
        }
        for index in revoked {
            if let place = seats.firstIndex(where: { $0.task.index == index }) {
                let seat = seats.remove(at: place)
                seat.committer.cancel()
                report(.released(task: index, .revoked))
            }
        }
        if isDraining {
            for seat in seats { seat.isDraining = true }
        }
    }

    /// One turn of a task; returns why the lane lets go of it, if it does.
    private func advance(
        _ seat: Seat, now: Int64, hasWork: inout Bool, _ backlogged: inout Int
    ) -> ReleaseReason? {
        if let result = seat.committer.takeResult() {
            seat.isCommitting = false
            switch consume result {
            case .committed(let request):
                recordsProcessed.add(request.recordCount, ordering: .relaxed)
                commits.add(1, ordering: .relaxed)
                seat.task.commitDone(request)
            case .dropped(let failure):
                return .dropped(failure)
            }
        }
        do throws(TaskFailure) {
            if !seat.task.isLive {
                if seat.isDraining { return .revoked }
                let progress = try seat.task.restore(now: now)
                if !progress.isWaiting { hasWork = true }
                report(.restoring(task: seat.task.index, progress))
                if seat.task.isLive {
                    report(.live(task: seat.task.index, sequence: seat.task.sequence))
                }
                return nil
            }
            if seat.isDraining {
                if seat.isCommitting { return nil }
                if !seat.task.isCommitDue(now: now, force: true) { return .drained }
            } else {
                switch try seat.task.step(now: now) {
                case .worked:
                    hasWork = true
                    backlogged += 1
                case .waiting, .blocked: backlogged += 1
                case .idle: break
                }
            }
        } catch {
            return .failed(error)
        }
        if let request = seat.task.takeCommit(now: now, force: seat.isDraining) {
            seat.isCommitting = true
            seat.committer.submit(request)
        }
        return nil
    }
}
