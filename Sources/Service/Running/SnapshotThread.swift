import CPlatform
import Engine
import KafkaIO
import State
import Synchronization

/// The thread that does what blocks for the snapshots of all tasks of a process; it lets others go
/// first.
///
/// Jobs of several tasks take turns, at most one call of a store each, so that a large state does
/// not hold up the small ones.
final class SnapshotThread: Sendable {
    private struct Order {
        let errand: SnapshotErrand
        var work: SnapshotWork
        /// The size of the state that is captured once this job is done; 0 if none is.
        var bytesToCapture = 0
        /// The time that the work itself has taken, without that of the others between its steps.
        var nanoseconds: Int64 = 0
    }

    private let inbox = Mutex<[Order]>([])
    private let ending = ThreadEnd()

    /// Takes a job; its outcome goes to the errand.
    func submit(_ job: SnapshotJob, for errand: SnapshotErrand, stateBytes: Int) {
        var order = Order(errand: errand, work: SnapshotWork(job))
        if case .findJournalEnd = job { order.bytesToCapture = stateBytes }
        inbox.withLock { $0.append(order) }
        ending.wakeup.signal()
    }

    /// The thread's body: works until ended.
    func run() {
        _ = tw_set_thread_nice(10)
        var orders: [Order] = []
        while !ending.isStopping {
            orders += inbox.withLock { inbox in
                defer { inbox.removeAll() }
                return inbox
            }
            if orders.isEmpty {
                ending.wakeup.wait(milliseconds: 1000)
                continue
            }
            var index = 0
            while index < orders.count {
                let errand = orders[index].errand
                if errand.isCancelled {
                    orders.remove(at: index)
                    continue
                }
                let began = tw_monotonic_nanoseconds()
                // The lane will copy what it learns into, and learning waits for that.
                tw_prepare_for_copy(orders[index].bytesToCapture)
                let outcome = orders[index].work.step(on: errand.store)
                orders[index].nanoseconds += tw_monotonic_nanoseconds() - began
                if let outcome {
                    let order = orders.remove(at: index)
                    errand.finish(outcome, milliseconds: order.nanoseconds / 1_000_000)
                } else {
                    index += 1
                }
            }
        }
        ending.reached()
    }

    /// Ends the thread after its current call; false if that takes longer.
    func end(milliseconds: Int64) -> Bool {
        ending.request(milliseconds: milliseconds)
    }
}

/// What goes between one task on its lane and the snapshot thread.
final class SnapshotErrand: Sendable {
    let store: any ChunkStore
    private let thread: SnapshotThread
    private let laneWakeup: Wakeup
    private let outcome = Mutex<(SnapshotOutcome, milliseconds: Int64)?>(nil)
    private let cancelled = Atomic<Bool>(false)

    init(store: any ChunkStore, thread: SnapshotThread, laneWakeup: Wakeup) {
        self.store = store
        self.thread = thread
        self.laneWakeup = laneWakeup
    }

    /// Hands a job over; the outcome of the one before must have been taken.
    func submit(_ job: SnapshotJob, stateBytes: Int) {
        thread.submit(job, for: self, stateBytes: stateBytes)
    }

    /// The outcome of the job, once there is one, and how long the work for it took.
    func takeOutcome() -> (SnapshotOutcome, milliseconds: Int64)? {
        outcome.withLock { $0.take() }
    }

    /// Lets go of what is under way after its current call: nothing refers to it.
    func cancel() { cancelled.store(true, ordering: .releasing) }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Gives the lane an outcome; the snapshot thread calls it.
    func finish(_ result: SnapshotOutcome, milliseconds: Int64) {
        outcome.withLock { $0 = (result, milliseconds) }
        laneWakeup.signal()
    }
}
