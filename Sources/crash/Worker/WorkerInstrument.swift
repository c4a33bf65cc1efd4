import Engine
import Service
import State
import Synchronization

/// Puts crash points around every task of one pipeline in a worker.
final class WorkerInstrument: TaskInstrument {
    private let trap: CrashTrap
    private let events: EventWriter
    private let nanosecondsPerRecord: Int64
    private let verifies: Bool
    private let isStopping = Atomic<Bool>(false)
    private let cells = Mutex<[Int: TaskCell]>([:])

    /// - Parameters:
    ///   - nanosecondsPerRecord: Slows live tasks down to this.
    ///   - verifies: Tells each task's state once it is restored.
    init(trap: CrashTrap, events: EventWriter, nanosecondsPerRecord: Int64, verifies: Bool) {
        self.trap = trap
        self.events = events
        self.nanosecondsPerRecord = nanosecondsPerRecord
        self.verifies = verifies
    }

    /// From now on commits are those of a shutdown.
    func noteStopping() { isStopping.store(true, ordering: .relaxed) }

    /// Looks for points in what the process says of itself.
    func follow(_ line: String, of pipeline: String) {
        if line.hasPrefix("revoked") {
            trap.reach(.revoked)
        } else if line.hasPrefix("assigned") || line.hasPrefix("standing by") {
            trap.reach(.assigned)
        } else if line.hasPrefix("stopping") {
            trap.reach(.stopping)
        } else if line.hasPrefix("stopped") {
            trap.reach(.stopped)
        } else if line.hasPrefix("task restored") || line.hasPrefix("task started") {
            let fields = line.split(separator: " ")
            func number(_ name: String) -> Int? {
                fields.first { $0.hasPrefix("\(name)=") }.flatMap {
                    Int($0.dropFirst(name.count + 1))
                }
            }
            guard let task = number("task") else { return }
            events.write(
                "restored \(pipeline) \(task) \(number("replayed_records") ?? 0) "
                    + "\(number("snapshot") ?? -1)")
            trap.reach(.restored)
            let cell = cells.withLock { $0[task] }
            cell?.isReplaying.store(false, ordering: .relaxed)
            if verifies { cell?.wantsState.store(true, ordering: .releasing) }
        }
    }

    func output(
        _ output: any TransactionalOutput, task: Int, of pipeline: Pipeline
    ) -> any TransactionalOutput {
        // The first part of a task that is made: what follows belongs to the same life of it.
        let cell = TaskCell(
            pipeline: pipeline.name, task: task, trap: trap, events: events,
            isStopping: { self.isStopping.load(ordering: .relaxed) })
        cells.withLock { $0[task] = cell }
        return InstrumentedOutput(output, cell)
    }

    func input(_ log: any InputLog, task: Int, of pipeline: Pipeline) -> any InputLog {
        guard let cell = cells.withLock({ $0[task] }) else { return log }
        return InstrumentedLog(log, cell, isJournal: false)
    }

    func journal(_ log: any InputLog, task: Int, of pipeline: Pipeline) -> any InputLog {
        guard let cell = cells.withLock({ $0[task] }) else { return log }
        return InstrumentedLog(log, cell, isJournal: true)
    }

    /// Where the journal is what the oracle replays, it stays whole.
    func store(
        _ store: any ChunkStore, task: Int, of pipeline: Pipeline
    ) -> any ChunkStore {
        guard let cell = cells.withLock({ $0[task] }) else { return store }
        return InstrumentedStore(store, cell, keepsJournal: pipeline.scope == .pipeline)
    }

    func willLoad(task: Int, of pipeline: Pipeline) { trap.reach(.loadStep) }

    func processor(
        _ processor: any BatchProcessor, task: Int, of pipeline: Pipeline
    ) -> any BatchProcessor {
        let chosen = ProcessorChoice.processor(processor, task: task, of: pipeline)
        guard let cell = cells.withLock({ $0[task] }) else { return chosen }
        let wrapped = InstrumentedProcessor(
            chosen, cell, nanosecondsPerRecord: nanosecondsPerRecord)
        cell.processor = wrapped
        return wrapped
    }
}

/// What computes for a pipeline: a canary where its name says so.
enum ProcessorChoice {
    static func processor(
        _ real: any BatchProcessor, task: Int, of pipeline: Pipeline
    ) -> any BatchProcessor {
        guard pipeline.name.contains("canary") else { return real }
        return CanaryProcessor(fingerprint: real.fingerprint, task: task)
    }
}
