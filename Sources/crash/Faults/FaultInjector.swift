import CPlatform
import Core
import Foundation
import Synchronization
import TestSupport

/// Does to a phase what its plan says.
final class FaultInjector {
    private let fleet: Fleet
    private let cluster: KafkaCluster
    private let proxy: NetworkProxy?
    private let probe: ClusterProbe
    private let nodes: Int
    private let points: [CrashPoint]
    private let tasks: [TaskID]
    private let log: (String) -> Void
    private var random: SplitMix64
    /// How many workers there are to be.
    private var wanted: Int
    private let brokers = BrokerRestarts()
    private var isNetworkBad = false
    /// How often each fault was done.
    private(set) var counts: [String: Int] = [:]
    /// Points that were armed but not reached in time.
    private(set) var missed: [String: Int] = [:]

    /// How long anything may take before it counts as stuck.
    static let boundSeconds = 180.0
    /// The most processes at a time.
    private static let workersMax = 4

    init(
        fleet: Fleet, cluster: KafkaCluster, proxy: NetworkProxy?, probe: ClusterProbe,
        nodes: Int, workers: Int, points: [CrashPoint], tasks: [TaskID], seed: UInt64,
        log: @escaping (String) -> Void
    ) {
        self.fleet = fleet
        self.cluster = cluster
        self.proxy = proxy
        self.probe = probe
        self.nodes = nodes
        self.points = points
        self.tasks = tasks
        self.log = log
        wanted = workers
        random = SplitMix64(seed: seed)
    }

    /// A number in 0..<`bound`.
    private func number(_ bound: Int) -> Int { random.next(below: max(1, bound)) }

    func startWorkers() {
        for slot in 0..<wanted { fleet.start(slot: slot) }
    }

    // MARK: Doing

    func inject(_ fault: Fault) {
        makeRoom(for: fault)
        guard let worker = awaitTarget() else {
            return fleet.findings.append("\(fault.name): no process to do it to")
        }
        counts[fault.name, default: 0] += 1
        switch fault {
        case .kill(let restartsAtOnce):
            log("kill worker \(worker.slot)" + (restartsAtOnce ? "" : ", restart later"))
            let pause = restartsAtOnce ? 0 : Int64(500 + number(14_000))
            fleet.kill(
                worker, kind: fault.name, next: .restart(afterMilliseconds: pause, order: nil))
        case .point: reach(rarestPoint(), worker)
        case .pause: pause(worker)
        case .plannedStop:
            log("planned stop of worker \(worker.slot)")
            begin(fault, worker)
            fleet.terminate(worker, next: .restart(afterMilliseconds: 0, order: nil))
            awaitEnd(worker)
        case .sameInstance: repeatInstance(worker)
        case .broker: killBroker(1 + number(nodes), fault)
        case .coordinator:
            let topic = number(2) == 0 ? "__transaction_state" : "__consumer_offsets"
            let leaders = probe.leaders(of: topic).filter { $0 > 0 }
            killBroker(leaders.isEmpty ? 1 : Int(leaders[number(leaders.count)]), fault)
        case .network: spoilNetwork()
        case .addProcess: addProcess(fault)
        case .removeProcess:
            log("worker \(worker.slot) leaves")
            begin(fault, worker)
            fleet.terminate(worker, next: .none)
            awaitEnd(worker)
        }
    }

    /// Makes sure that there is a process to leave, or a place for one to join, so that each fault that
    /// is counted is done.
    private func makeRoom(for fault: Fault) {
        switch fault {
        case .addProcess where fleet.workers.count >= Self.workersMax:
            guard let worker = awaitTarget() else { return }
            log("worker \(worker.slot) makes room")
            fleet.terminate(worker, next: .none)
            awaitEnd(worker)
        case .removeProcess:
            while fleet.workers.count <= 2 {
                let before = fleet.workers.count
                addProcess(nil)
                guard fleet.workers.count > before else { return }
            }
        default: break
        }
    }

    /// One that can be disturbed, as soon as there is one.
    private func awaitTarget() -> Worker? {
        _ = fleet.follow(seconds: Self.boundSeconds) { fleet.workers.contains(where: isFree) }
        return target()
    }

    private func isFree(_ worker: Worker) -> Bool {
        !worker.isPaused && !worker.expectsEnd && worker.order == nil
    }

    /// A running worker, rather one that owns something.
    private func target() -> Worker? {
        let free = fleet.workers.filter(isFree)
        let owning = free.filter { !fleet.tasks(of: $0).isEmpty }
        let chosen = owning.isEmpty ? free : owning
        return chosen.isEmpty ? nil : chosen[number(chosen.count)]
    }

    private func begin(_ fault: Fault, _ worker: Worker) {
        fleet.stalls.begin(
            fault.name, at: tw_monotonic_nanoseconds(), tasks: fleet.tasks(of: worker))
    }

    private func awaitEnd(_ worker: Worker) {
        if !fleet.follow(seconds: Self.boundSeconds, until: { !fleet.isRunning(worker) }) {
            fleet.findings.append(
                "worker \(worker.slot) does not stop:\n\(worker.lastWords())")
            worker.kill()
        }
    }

    // MARK: Named points

    /// The point with the fewest deaths so far; one that is hard to reach counts as half a death.
    private func rarestPoint() -> CrashPoint {
        func score(_ point: CrashPoint) -> Int {
            2 * (fleet.deaths[point.rawValue] ?? 0) + (missed[point.rawValue] ?? 0)
        }
        let least = points.map(score).min() ?? 0
        let rarest = points.filter { score($0) == least }
        return rarest[number(rarest.count)]
    }

    /// Points at which nobody died although there were kills enough for each of them.
    func unreached(kills: Int) -> [String] {
        guard kills >= 3 * points.count else { return [] }
        return points.filter { fleet.deaths[$0.rawValue] == nil }
            .map { "nobody died at \($0.rawValue) in \(kills) kills at points" }
    }

    private func reach(_ point: CrashPoint, _ worker: Worker) {
        log("worker \(worker.slot) dies at \(point.rawValue)")
        if point.isInRestore {
            // The one that dies in its restore is restarted and, half the time, dies there again.
            let next = CrashTrap.Order(
                point: point, count: point == .replay || point == .loadStep ? 1 + number(6) : 1,
                delayMicroseconds: UInt32(number(20_000)))
            counts["kill, before one in the restore", default: 0] += 1
            fleet.kill(
                worker, kind: "kill before one in the restore",
                next: .restart(afterMilliseconds: 0, order: next))
            awaitDeath(at: point, repeats: number(2) == 0)
            return
        }
        let isOften = !point.isInRebalance && !point.isInShutdown && !point.isInSnapshot
        let isCommit = point == .duringCommit || point == .duringReference
        let order = CrashTrap.Order(
            point: point, count: isOften ? 1 + number(30) : 1,
            delayMicroseconds: UInt32(number(isCommit ? 15_000 : 4_000)))
        worker.arm(order)
        if point.isInShutdown {
            fleet.terminate(worker, next: .restart(afterMilliseconds: 0, order: nil))
        } else if point.isInRebalance {
            shakeGroup(except: worker)
        }
        awaitDeath(of: worker, at: point)
    }

    private func awaitDeath(of worker: Worker, at point: CrashPoint) {
        let seconds: Double = point.isInSnapshot ? 30 : 15
        guard !fleet.follow(seconds: seconds, until: { !fleet.isRunning(worker) }) else {
            if worker.diedAt == nil {
                // It ended in order before it came there: another one is killed instead.
                missed[point.rawValue, default: 0] += 1
                inject(.kill(restartsAtOnce: true))
            }
            return
        }
        missed[point.rawValue, default: 0] += 1
        worker.arm(nil)
        if !worker.expectsEnd {
            fleet.kill(
                worker, kind: Fault.kill(restartsAtOnce: true).name,
                next: .restart(afterMilliseconds: 0, order: nil))
            counts[Fault.kill(restartsAtOnce: true).name, default: 0] += 1
        }
    }

    /// Waits for the death of the worker that was restarted to die in its restore.
    private func awaitDeath(at point: CrashPoint, repeats: Bool) {
        let before = fleet.deaths[point.rawValue] ?? 0
        var repeated = !repeats
        let isDone = fleet.follow(seconds: 30) {
            if !repeated, let worker = fleet.workers.first(where: { $0.order?.point == point }) {
                repeated = true
                let again = CrashTrap.Order(
                    point: [.afterInitialize, .replay, .restored][number(3)], count: 1,
                    delayMicroseconds: 0)
                fleet.setNextLife(of: worker, .restart(afterMilliseconds: 0, order: again))
            }
            return (fleet.deaths[point.rawValue] ?? 0) > before
        }
        if !isDone { missed[point.rawValue, default: 0] += 1 }
        // One that got no task to restore must not die of it much later.
        if !isDone || repeats { fleet.follow(milliseconds: 3000) }
        for worker in fleet.workers where worker.order?.point.isInRestore == true {
            worker.arm(nil)
        }
    }

    /// Makes the group rebalance: a process comes, or another one leaves and comes back.
    private func shakeGroup(except worker: Worker) {
        if fleet.workers.count < Self.workersMax {
            addProcess(nil)
        } else if let other = fleet.workers.first(where: {
            $0 !== worker && !$0.isPaused && !$0.expectsEnd
        }) {
            fleet.terminate(other, next: .none)
        }
    }

    private func addProcess(_ fault: Fault?) {
        guard fleet.workers.count < Self.workersMax,
            let slot = (0..<Self.workersMax).first(where: { slot in
                !fleet.workers.contains { $0.slot == slot }
            })
        else { return }
        log("worker \(slot) joins")
        if let fault {
            fleet.stalls.begin(fault.name, at: tw_monotonic_nanoseconds(), tasks: Set(tasks))
        }
        fleet.start(slot: slot)
    }

    // MARK: Stops

    private func pause(_ worker: Worker) {
        let owned = fleet.tasks(of: worker)
        log("worker \(worker.slot) is paused past its session")
        begin(.pause, worker)
        worker.pause()
        let pid = worker.pid
        // Past the session of 6 s; others have taken over, if there are any.
        fleet.follow(milliseconds: Int64(7_000 + number(4_000)))
        _ = fleet.follow(seconds: 30) {
            owned.allSatisfy { (fleet.commits[$0]?.pid ?? pid) != pid }
                || fleet.workers.count < 2
        }
        worker.resume()
    }

    private func repeatInstance(_ worker: Worker) {
        log("a second process with the instance id of worker \(worker.slot)")
        begin(.sameInstance, worker)
        worker.expectedCodes.insert(WorkerCommand.fencedCode)
        fleet.setNextLife(of: worker, .none)
        guard let second = fleet.start(slot: worker.slot) else { return }
        second.expectedCodes.insert(WorkerCommand.fencedCode)
        fleet.setNextLife(of: second, .none)
        let isSettled = fleet.follow(seconds: Self.boundSeconds) {
            !fleet.isRunning(worker) || !fleet.isRunning(second)
        }
        if !isSettled {
            fleet.findings.append("two processes with one instance id both go on")
            worker.kill()
        }
        for survivor in [worker, second] where fleet.isRunning(survivor) {
            survivor.expectedCodes.remove(WorkerCommand.fencedCode)
            fleet.setNextLife(of: survivor, .restart(afterMilliseconds: 0, order: nil))
        }
        if !fleet.workers.contains(where: { $0.slot == worker.slot }) {
            fleet.start(slot: worker.slot)
        }
    }

    // MARK: Brokers

    private func killBroker(_ node: Int, _ fault: Fault) {
        awaitBrokers()
        log("broker \(node) is killed")
        fleet.stalls.begin(fault.name, at: tw_monotonic_nanoseconds(), tasks: Set(tasks))
        do { try cluster.kill(node: node) } catch { fleet.findings.append("\(error)") }
        brokers.noteDown()
        fleet.later(milliseconds: Int64(200 + number(5_000))) { [brokers, cluster] in
            brokers.restart(node, of: cluster)
        }
    }

    private func awaitBrokers() {
        _ = fleet.follow(seconds: Self.boundSeconds) { brokers.areUp }
        fleet.findings += brokers.takeTrouble()
    }

    // MARK: Network

    private func spoilNetwork() {
        guard let proxy else { return }
        let weathers: [NetworkProxy.Weather] = [
            .slow(milliseconds: 20 + number(400)), .silent, .deaf, .down, .fair,
        ]
        let weather = weathers[number(weathers.count)]
        let percent = [30, 60, 100][number(3)]
        log("network: \(weather == .fair ? "cut" : "\(weather)"), \(percent) % of connections")
        fleet.stalls.begin(
            Fault.network.name, at: tw_monotonic_nanoseconds(), tasks: Set(tasks))
        guard weather != .fair else { return proxy.cut(percent: percent) }
        isNetworkBad = true
        proxy.set(weather, percent: percent)
        if weather == .down { proxy.cut(percent: percent) }
        // Where answers are lost a connection is of no more use; a silent one may go on.
        let cuts = weather == .deaf || (weather == .silent && number(2) == 0)
        fleet.later(milliseconds: Int64(300 + number(7_000))) { [self] in
            if cuts { proxy.cut(percent: percent) }
            proxy.set(.fair)
            isNetworkBad = false
        }
    }

    // MARK: Recovering

    /// Waits until everything that was broken is whole again and every task commits.
    func awaitRecovery(orWhen isOver: () -> Bool = { false }) {
        let start = tw_monotonic_nanoseconds()
        _ = fleet.follow(seconds: 60) { !isNetworkBad }
        awaitBrokers()
        let healed = tw_monotonic_nanoseconds()
        let isWell = fleet.follow(seconds: Self.boundSeconds) {
            tasks.allSatisfy { (fleet.commits[$0]?.time ?? 0) > healed } || isOver()
        }
        if !isWell {
            let stuck = tasks.filter { (fleet.commits[$0]?.time ?? 0) <= healed }
            let seconds = (tw_monotonic_nanoseconds() - start) / 1_000_000_000
            fleet.findings.append(
                "after \(seconds) s without a commit: "
                    + stuck.map(\.description).joined(separator: ", ") + "\n"
                    + fleet.workers.map { "worker \($0.slot):\n\($0.lastWords(6))" }
                    .joined(separator: "\n"))
        }
    }

    /// Ends every fault that is under way.
    func heal() {
        fleet.hurry()
        proxy?.set(.fair)
        isNetworkBad = false
        for worker in fleet.workers {
            worker.arm(nil)
            if worker.isPaused { worker.resume() }
        }
        awaitBrokers()
        if fleet.workers.isEmpty { fleet.start(slot: 0) }
    }
}

/// Brokers that are being started again, on threads of their own, because that takes seconds.
private final class BrokerRestarts: Sendable {
    private let state = Mutex<(down: Int, trouble: [String])>((0, []))

    var areUp: Bool { state.withLock { $0.down == 0 } }

    func noteDown() { state.withLock { $0.down += 1 } }

    func takeTrouble() -> [String] {
        state.withLock { state in
            defer { state.trouble = [] }
            return state.trouble
        }
    }

    func restart(_ node: Int, of cluster: KafkaCluster) {
        Thread.detachNewThread { [self] in
            var trouble: String?
            do {
                try cluster.restart(node: node)
            } catch {
                trouble = "broker \(node): \(error)"
            }
            state.withLock { state in
                state.down -= 1
                if let trouble { state.trouble.append(trouble) }
            }
        }
    }
}
