import Engine
import State

/// The lane of a simulated process, as the service's: steps its tasks one after the other.
final class SimulatedLane {
    /// Why the lane let go of a task.
    enum Release {
        case drained
        case revoked
        case dropped(OutputFailure)
        case failed(TaskFailure)
        case refused(String)
    }

    private unowned let process: SimulatedProcess
    private var seats: [SimulatedTask] = []
    private var turn = 0

    init(process: SimulatedProcess) {
        self.process = process
    }

    private var world: World { process.world }

    /// Lets go of the tasks once the simulation is over.
    func dismantle() { seats = [] }

    func add(_ task: SimulatedTask) {
        seats.append(task)
        wake(after: 0)
    }

    /// Takes a task away; uncommitted work is left to its next owner.
    func revoke(_ task: SimulatedTask) {
        process.schedule(world.draw(0...2)) { [unowned self] in
            guard let place = seats.firstIndex(where: { $0 === task }) else { return }
            seats.remove(at: place)
            release(task, .revoked)
        }
    }

    /// Stops the intake of a task and commits what was computed; then lets go of it, or keeps it.
    func finish(_ task: SimulatedTask, keepsTask: Bool) {
        process.schedule(world.draw(0...2)) { [unowned self] in
            if case .running = task.course { task.course = .finishing(keepsTask: keepsTask) }
            wake(after: 0)
        }
    }

    /// Lets a task that was kept go on under another generation.
    func resume(_ task: SimulatedTask, generation: Int32) {
        process.schedule(world.draw(0...2)) { [unowned self] in
            guard seats.contains(where: { $0 === task }), case .parked = task.course else { return }
            task.task?.adopt(generation: generation)
            task.course = .running
            process.resumed(task)
            wake(after: 0)
        }
    }

    /// Stops intake, commits what was computed and lets go of every task.
    func drain(withSnapshots: Bool) {
        for seat in seats {
            seat.course = .finishing(keepsTask: false)
            if withSnapshots { seat.task?.requestSnapshot() }
        }
        wake(after: 0)
    }

    /// Takes a turn soon; a turn that was planned for later is not taken.
    func wake(after milliseconds: Int) {
        turn += 1
        let planned = turn
        process.schedule(milliseconds) { [unowned self] in
            if planned == turn { run() }
        }
    }

    private func run() {
        var hasWork = false
        var nextCommit = Int64.max
        for seat in seats {
            if let reason = advance(seat, hasWork: &hasWork) {
                seats.removeAll { $0 === seat }
                seat.cancel()
                release(seat, reason)
                continue
            }
            if let time = seat.task?.nextCommitTime() { nextCommit = min(nextCommit, time) }
        }
        guard !seats.isEmpty else { return }
        let pause = hasWork ? 0 : Int(min(8, max(0, nextCommit - world.now)))
        wake(after: pause + world.draw(1...2))
    }

    private func release(_ seat: SimulatedTask, _ reason: Release) {
        seat.isLaneDone = true
        process.released(seat, reason)
    }

    private func advance(_ seat: SimulatedTask, hasWork: inout Bool) -> Release? {
        guard let task = seat.task else { return nil }
        let now = world.now
        if let outcome = seat.snapshotOutcome.take() { task.snapshotJobDone(outcome, now: now) }
        if let result = seat.result.take() {
            seat.isCommitting = false
            switch consume result {
            case .committed(let request): task.commitDone(request)
            case .dropped(let failure): return .dropped(failure)
            }
        }
        var isFinishing = false
        switch seat.course {
        case .running: break
        case .finishing: isFinishing = true
        case .parked: return nil
        }
        do throws(TaskFailure) {
            if !task.isLive {
                if isFinishing { return .revoked }
                let progress = try task.restore(now: now)
                if !progress.isWaiting { hasWork = true }
                return task.isLive ? arrive(seat, task) : nil
            }
            if !seat.hasArrived, let reason = arrive(seat, task) { return reason }
            if case .finishing(let keepsTask) = seat.course {
                if let reason = finishTurn(seat, task, keepsTask: keepsTask, now: now) {
                    return reason
                }
                if case .parked = seat.course { return nil }
            } else if case .worked = try task.step(now: now) {
                hasWork = true
            }
        } catch {
            return .failed(error)
        }
        let installs = task.snapshots.hasReferenceToInstall
        if let request = task.takeCommit(now: now, force: isFinishing) {
            if installs, process.scenario.bug == .trimBeforeCommit { trimEarly(seat, task) }
            seat.isCommitting = true
            seat.submit(request)
        }
        if let job = task.takeSnapshotJob(now: now) {
            process.snapshots.submit(job, for: seat)
        }
        return nil
    }

    /// A turn of a task that takes no records any more; the reason is set when it is let go of.
    private func finishTurn(
        _ seat: SimulatedTask, _ task: PipelineTask, keepsTask: Bool, now: Int64
    ) -> Release? {
        guard !seat.isCommitting, !task.isCommitDue(now: now, force: true) else { return nil }
        if keepsTask {
            seat.course = .parked
            process.parked(seat, sequence: task.sequence)
            return nil
        }
        return task.snapshots.isUnderWay && process.waitsForSnapshots ? nil : .drained
    }

    /// The restore has reached the journal's end: decides where the task goes on.
    private func arrive(_ seat: SimulatedTask, _ task: PipelineTask) -> Release? {
        seat.hasArrived = true
        if let review = seat.review {
            if review.confirmsOutputs(at: task.nextOffsets) { task.confirmOutputs() }
            switch review.verdict(sequence: task.sequence, positions: task.nextOffsets) {
            case .agreed: break
            case .moveOn(let offsets, _):
                do throws(TaskFailure) {
                    try task.moveOn(to: offsets)
                } catch {
                    return .failed(error)
                }
            case .refused(let why): return .refused(why)
            }
        }
        process.isLive(seat)
        return nil
    }

    /// Planted: the entry that refers to a new snapshot is not committed yet.
    private func trimEarly(_ seat: SimulatedTask, _ task: PipelineTask) {
        guard let live = task.snapshots.live else { return }
        let oldest = task.snapshots.previous ?? live
        try? seat.store.trim(
            journalBefore: task.snapshots.previous?.journalOffset ?? 0,
            chunksBefore: oldest.firstChunkOffset)
    }
}
