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
    }

    private unowned let process: SimulatedProcess
    private var seats: [SimulatedTask] = []
    private var isDraining = false
    private var turn = 0

    init(process: SimulatedProcess) {
        self.process = process
    }

    func add(_ task: SimulatedTask) {
        seats.append(task)
        wake(after: 0)
    }

    /// Takes a task away; uncommitted work is left to its next owner.
    func revoke(_ task: SimulatedTask) {
        process.schedule(process.world.draw(0...2)) { [unowned self] in
            guard let place = seats.firstIndex(where: { $0 === task }) else { return }
            seats.remove(at: place)
            release(task, .revoked)
        }
    }

    /// Stops intake, commits what was computed and lets go of every task.
    func drain() {
        isDraining = true
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
        let world = process.world
        let pause = hasWork ? 0 : Int(min(8, max(0, nextCommit - world.now)))
        wake(after: pause + world.draw(1...2))
    }

    private func release(_ seat: SimulatedTask, _ reason: Release) {
        seat.isLaneDone = true
        process.released(seat, reason)
    }

    private func advance(_ seat: SimulatedTask, hasWork: inout Bool) -> Release? {
        guard let task = seat.task else { return nil }
        let now = process.world.now
        if let result = seat.result.take() {
            seat.isCommitting = false
            switch consume result {
            case .committed(let request): task.commitDone(request)
            case .dropped(let failure): return .dropped(failure)
            }
        }
        do throws(TaskFailure) {
            if !task.isLive {
                if isDraining { return .revoked }
                let progress = try task.restore(now: now)
                if !progress.isWaiting { hasWork = true }
                if task.isLive { process.isLive(seat) }
                return nil
            }
            if isDraining {
                if seat.isCommitting { return nil }
                if !task.isCommitDue(now: now, force: true) { return .drained }
            } else if case .worked = try task.step(now: now) {
                hasWork = true
            }
        } catch {
            return .failed(error)
        }
        if let request = task.takeCommit(now: now, force: isDraining) {
            seat.isCommitting = true
            seat.submit(request)
        }
        return nil
    }
}
