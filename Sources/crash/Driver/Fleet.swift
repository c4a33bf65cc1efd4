import CPlatform
import Foundation

/// The workers of a phase: starts them, follows what they say, starts them again when they end.
final class Fleet {
    /// What is done when a worker has ended.
    enum NextLife {
        case none
        case restart(afterMilliseconds: Int64, order: CrashTrap.Order?)
    }

    private(set) var workers: [Worker] = []
    /// The last commit of each task and the process that made it.
    private(set) var commits: [TaskID: (time: Int64, pid: Int32)] = [:]
    /// How often a process died at each named point.
    private(set) var deaths: [String: Int] = [:]
    /// Deaths in a restore that followed a death in a restore.
    private(set) var deathsInRepeatedRestore = 0
    private(set) var states: [TaskID: UInt64] = [:]
    private(set) var restores = 0
    private(set) var restoresFromSnapshots = 0
    private(set) var snapshots = 0
    private(set) var recordsReplayed = 0
    /// The versions of librdkafka that the workers ran on.
    private(set) var libraries: Set<String> = []
    /// What must not have happened.
    var findings: [String] = [] {
        didSet {
            for finding in findings.dropFirst(oldValue.count) {
                FileHandle.standardError.write(Data("FOUND: \(finding)\n".utf8))
            }
        }
    }
    var stalls = Stalls()
    private var deferred: [(due: Int64, action: () -> Void)] = []
    private var nextLives: [Int32: NextLife] = [:]
    private var diedInRestore: Set<Int> = []

    private let paths: [String]
    private let folder: URL
    private let librdkafka: String?
    private let extra: [String]
    /// Called now and then while waiting.
    var onTurn: () -> Void = {}

    init(paths: [String], folder: URL, librdkafka: String?, extra: [String]) {
        self.paths = paths
        self.folder = folder
        self.librdkafka = librdkafka
        self.extra = extra
    }

    // MARK: Workers

    @discardableResult
    func start(slot: Int, order: CrashTrap.Order? = nil, extra more: [String] = []) -> Worker? {
        do {
            let worker = try Worker(
                slot: slot, instance: "crash-\(slot)", paths: paths, folder: folder,
                librdkafka: librdkafka, extra: extra + more, order: order)
            workers.append(worker)
            nextLives[worker.pid] = .restart(afterMilliseconds: 0, order: nil)
            return worker
        } catch {
            findings.append("worker \(slot) does not start: \(error)")
            return nil
        }
    }

    func setNextLife(of worker: Worker, _ life: NextLife) { nextLives[worker.pid] = life }

    func isRunning(_ worker: Worker) -> Bool { workers.contains { $0 === worker } }

    /// The tasks whose last commit a worker made.
    func tasks(of worker: Worker) -> Set<TaskID> {
        Set(commits.filter { $0.value.pid == worker.pid }.map(\.key))
    }

    /// Kills a worker from outside.
    func kill(_ worker: Worker, kind: String, next: NextLife) {
        nextLives[worker.pid] = next
        stalls.begin(kind, at: tw_monotonic_nanoseconds(), tasks: tasks(of: worker))
        worker.kill()
    }

    /// Asks a worker to stop in order.
    func terminate(_ worker: Worker, next: NextLife) {
        nextLives[worker.pid] = next
        worker.expectedCodes.insert(0)
        worker.expectsEnd = true
        worker.terminate()
    }

    /// Does something later, while the fleet is followed.
    func later(milliseconds: Int64, _ action: @escaping () -> Void) {
        deferred.append((tw_monotonic_nanoseconds() + milliseconds * 1_000_000, action))
    }

    /// Does everything that was put off, now.
    func hurry() {
        let actions = deferred
        deferred = []
        for entry in actions.sorted(by: { $0.due < $1.due }) { entry.action() }
    }

    // MARK: Following

    /// Follows the workers for a while.
    func follow(milliseconds: Int64) {
        let end = tw_monotonic_nanoseconds() + milliseconds * 1_000_000
        _ = follow(seconds: Double(milliseconds) / 1000 + 1) {
            tw_monotonic_nanoseconds() >= end
        }
    }

    /// Follows the workers until a condition holds; false when it does not in time.
    func follow(seconds: Double, until condition: () -> Bool) -> Bool {
        let end = tw_monotonic_nanoseconds() + Int64(seconds * 1e9)
        while true {
            turn()
            if condition() { return true }
            if tw_monotonic_nanoseconds() >= end { return false }
            usleep(5000)
        }
    }

    private func turn() {
        let now = tw_monotonic_nanoseconds()
        let due = deferred.filter { $0.due <= now }
        deferred.removeAll { $0.due <= now }
        for entry in due { entry.action() }
        for worker in workers {
            // Asked before the events are read: what it said last is among them.
            let code = worker.exitCode
            for event in worker.newEvents() { note(event, of: worker) }
            if let code { end(worker, code) }
        }
        onTurn()
    }

    private func note(_ event: WorkerEvent, of worker: Worker) {
        switch event.what {
        case .started(let version): libraries.insert(version)
        case .ended: break
        case .commit(let task):
            if (commits[task]?.time ?? 0) < event.time {
                commits[task] = (event.time, worker.pid)
            }
            stalls.end(task, at: event.time)
            diedInRestore.remove(worker.slot)
        case .restored(_, let records, let snapshot):
            restores += 1
            if snapshot != nil { restoresFromSnapshots += 1 }
            recordsReplayed += records
        case .snapshot: snapshots += 1
        case .state(let task, let hash): states[task] = hash
        case .died(let point):
            worker.diedAt = point
            stalls.begin("kill at a point", at: event.time, tasks: tasks(of: worker))
        }
    }

    private func end(_ worker: Worker, _ code: Int32) {
        workers.removeAll { $0 === worker }
        if let point = worker.diedAt {
            deaths[point, default: 0] += 1
            if CrashPoint(rawValue: point)?.isInRestore == true {
                if !diedInRestore.insert(worker.slot).inserted { deathsInRepeatedRestore += 1 }
            }
        }
        if !worker.expectedCodes.contains(code) {
            findings.append(
                "worker \(worker.slot) (pid \(worker.pid)) ended with \(code):\n"
                    + worker.lastWords())
        } else {
            worker.removeOutput()
        }
        switch nextLives.removeValue(forKey: worker.pid) ?? .none {
        case .none: break
        case .restart(let pause, let order):
            let slot = worker.slot
            if pause == 0 {
                start(slot: slot, order: order)
            } else {
                later(milliseconds: pause) { [unowned self] in
                    if !workers.contains(where: { $0.slot == slot }) {
                        start(slot: slot, order: order)
                    }
                }
            }
        }
    }

    /// Stops every worker in order; what does not stop is a finding.
    func stopAll(seconds: Double) {
        hurry()
        for worker in workers {
            if worker.isPaused { worker.resume() }
            worker.arm(nil)
            terminate(worker, next: .none)
        }
        if !follow(seconds: seconds, until: { workers.isEmpty }) {
            for worker in workers {
                findings.append(
                    "worker \(worker.slot) does not stop:\n\(worker.lastWords())")
            }
            killAll()
        }
    }

    /// Kills what is left, without a word.
    func killAll() {
        deferred = []
        for worker in workers {
            nextLives[worker.pid] = Fleet.NextLife.none
            worker.kill()
        }
        _ = follow(seconds: 30) { workers.isEmpty }
    }
}
