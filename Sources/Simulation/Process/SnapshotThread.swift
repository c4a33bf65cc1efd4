import Engine
import State

/// The thread of a simulated process that does the work for its tasks' snapshots, one after the
/// other, as the service's: its calls block while the lane goes on.
final class SnapshotThread {
    private struct Item {
        let seat: SimulatedTask
        var work: SnapshotWork
    }

    private unowned let process: SimulatedProcess
    private var queue: [Item] = []
    private var isBusy = false

    init(process: SimulatedProcess) {
        self.process = process
    }

    /// Lets go of the tasks once the simulation is over.
    func dismantle() { queue = [] }

    func submit(_ job: SnapshotJob, for seat: SimulatedTask) {
        queue.append(
            Item(seat: seat, work: SnapshotWork(job, pieceBytes: process.scenario.pieceBytes)))
        wake(after: process.world.draw(0...2))
    }

    private func wake(after milliseconds: Int) {
        process.schedule(milliseconds) { [unowned self] in run() }
    }

    private func run() {
        guard !isBusy, !queue.isEmpty else { return }
        let world = process.world
        isBusy = true
        defer { isBusy = false }
        var item = queue.removeFirst()
        // Work for a task that is gone does no harm, whether it stops or goes on to its end.
        if item.seat.isFinished, world.happens(perMille: 300) {
            return wake(after: 0)
        }
        let outcome = item.work.step(on: item.seat.store)
        guard process.isAlive else { return }
        if let outcome {
            finish(item.seat, outcome)
        } else {
            queue.insert(item, at: 0)
        }
        if !queue.isEmpty { wake(after: world.draw(0...3)) }
    }

    private func finish(_ seat: SimulatedTask, _ outcome: SnapshotOutcome) {
        var outcome = outcome
        switch outcome {
        case .written(var reference):
            if process.scenario.bug == .lateJournalEnd, let end = try? seat.store.journalEnd() {
                reference.journalOffset = end
                outcome = .written(reference)
            }
            process.world.note(.written, seat.index, Int(reference.sequence), process.instance)
        case .trimmed:
            if process.scenario.bug == .trimToLive, let live = seat.task?.snapshots.live {
                try? seat.store.trim(
                    journalBefore: live.journalOffset, chunksBefore: live.firstChunkOffset)
            }
        case .journalEnd, .failed: break
        }
        guard process.isAlive, !seat.isFinished else { return }
        seat.snapshotOutcome = outcome
        process.lane.wake(after: process.world.draw(0...1))
    }
}
