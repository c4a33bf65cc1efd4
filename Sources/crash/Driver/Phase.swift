import CPlatform
import Core
import Engine
import Foundation
import KafkaIO
import State
import TestSupport

/// Some pipelines over one input, run and disturbed together until everything is committed.
final class Phase {
    struct Surroundings {
        let settings: CrashSettings
        let cluster: KafkaCluster
        let proxy: NetworkProxy?
        let probe: ClusterProbe
        let folder: URL
    }

    let name: String
    let pipelines: [PipelineUnderTest]
    let fleet: Fleet
    private let surroundings: Surroundings
    private let topic: String
    private let plan: [Fault]
    private let extra: [String]
    private let injector: FaultInjector
    private let tasks: [TaskID]
    private(set) var verifications: [Verification] = []
    private var lastFault = ""
    private var done = 0
    private var lastLine: Int64 = 0
    private let began = tw_monotonic_nanoseconds()
    private(set) var seconds = 0.0

    init(
        _ name: String, pipelines: [PipelineUnderTest], topic: String, plan: [Fault],
        extra: [String], seed: UInt64, _ surroundings: Surroundings
    ) {
        self.name = name
        self.pipelines = pipelines
        self.topic = topic
        self.plan = plan
        self.extra = extra
        self.surroundings = surroundings
        let settings = surroundings.settings
        tasks = pipelines.flatMap(\.tasks)
        fleet = Fleet(
            paths: pipelines.map(\.path), folder: surroundings.folder,
            librdkafka: settings.librdkafka, extra: extra)
        nonisolated(unsafe) var note: (String) -> Void = { _ in }
        injector = FaultInjector(
            fleet: fleet, cluster: surroundings.cluster, proxy: surroundings.proxy,
            probe: surroundings.probe, nodes: settings.nodes, workers: settings.workers,
            points: settings.points, tasks: tasks, seed: seed, log: { note($0) })
        note = { [unowned self] in
            lastFault = $0
            tell()
        }
        fleet.onTurn = { [unowned self] in
            if tw_monotonic_nanoseconds() - lastLine > 15_000_000_000 { tell() }
        }
    }

    var counts: [String: Int] { injector.counts }
    var missed: [String: Int] { injector.missed }
    var isClean: Bool { fleet.findings.isEmpty && verifications.allSatisfy(\.isClean) }

    /// - Parameter load: what writes the input meanwhile; nil when everything is written.
    func run(load: Load?, random: inout SplitMix64) throws {
        injector.startWorkers()
        let isUp = fleet.follow(seconds: FaultInjector.boundSeconds) {
            tasks.allSatisfy { fleet.commits[$0] != nil } || load?.outcome != nil
        }
        if let outcome = load?.outcome { throw ToolFailure.running("the load ended: \(outcome)") }
        guard isUp else {
            let words = fleet.workers.map { $0.lastWords() }.joined(separator: "\n")
            fleet.killAll()
            throw ToolFailure.running("\(name): the workers do not start:\n\(words)")
        }
        for fault in plan {
            if load == nil, isAllCommitted() { break }
            done += 1
            injector.inject(fault)
            // Mostly one trouble at a time, sometimes the next one before it is over.
            if random.next(below: 4) > 0 {
                injector.awaitRecovery(orWhen: { load == nil && self.isAllCommitted() })
                fleet.follow(milliseconds: Int64(random.next(below: 1000)))
            } else {
                fleet.follow(milliseconds: Int64(random.next(below: 800)))
            }
            if fleet.findings.count > 10 { break }
        }
        lastFault = "healing"
        injector.heal()
        injector.awaitRecovery(orWhen: { load == nil && self.isAllCommitted() })
        load?.stop()
        awaitLag(load)
        seconds = Double(tw_monotonic_nanoseconds() - began) * 1e-9
        fleet.stopAll(seconds: FaultInjector.boundSeconds)
        if fleet.restores > 50, fleet.restoresFromSnapshots == 0 {
            fleet.findings.append(
                "\(fleet.restores) restores, none of them from a snapshot; \(fleet.snapshots) were "
                    + "written")
        }
        fleet.findings += injector.unreached(kills: plan.count { $0 == .point })
        try restoreOnce()
        try verify()
    }

    /// Everything written must be committed within the bound, and every task owned.
    private func awaitLag(_ load: Load?) {
        lastFault = "catching up"
        let isDone = fleet.follow(seconds: FaultInjector.boundSeconds) {
            (load == nil || load?.outcome != nil) && isAllCommitted()
        }
        if let outcome = load?.outcome, !outcome.isEmpty {
            fleet.findings.append("the load failed: \(outcome)")
        }
        if !isDone {
            fleet.findings.append(
                "\(name): not everything is committed \(FaultInjector.boundSeconds) s after the "
                    + "last fault: \(lagText())\n"
                    + fleet.workers.map { "worker \($0.slot):\n\($0.lastWords(6))" }
                    .joined(separator: "\n"))
        }
    }

    /// A last start whose restored states are compared.
    private func restoreOnce() throws {
        lastFault = "the last restore"
        guard let worker = fleet.start(slot: 0, extra: ["--verify"]) else { return }
        fleet.setNextLife(of: worker, .none)
        _ = fleet.follow(seconds: FaultInjector.boundSeconds) {
            tasks.allSatisfy { fleet.states[$0] != nil }
        }
        fleet.stopAll(seconds: FaultInjector.boundSeconds)
    }

    private func verify() throws {
        for pipeline in pipelines {
            lastFault = "comparing \(pipeline.name)"
            tell()
            verifications.append(
                try Verification(
                    pipeline,
                    Evidence(
                        of: pipeline, bootstrap: surroundings.cluster.bootstrap, topic: topic,
                        states: fleet.states, probe: surroundings.probe)))
        }
    }

    // MARK: Lag

    private var lastLagCheck: Int64 = 0
    private var lags: [String: Int64] = [:]

    private func isAllCommitted() -> Bool {
        if tw_monotonic_nanoseconds() - lastLagCheck > 500_000_000 {
            for pipeline in pipelines { lags[pipeline.name] = lag(of: pipeline) }
            lastLagCheck = tw_monotonic_nanoseconds()
        }
        return pipelines.allSatisfy { lags[$0.name] == 0 }
    }

    private func lagText() -> String {
        pipelines.map { "\($0.name) \(lags[$0.name].map(String.init) ?? "unknown")" }
            .joined(separator: ", ")
    }

    private func lag(of pipeline: PipelineUnderTest) -> Int64? {
        do {
            let settings = KafkaSettings(
                common: [TextPair("bootstrap.servers", surroundings.cluster.bootstrap)])
            let admin = try KafkaAdmin(
                settings: settings, groupID: pipeline.pipeline.groupID, log: KafkaLog { _ in })
            defer { admin.close() }
            let inputs = (0..<Int32(pipeline.partitionCount)).map {
                TopicPartition(topic: topic, partition: $0)
            }
            let committed = try admin.committedOffsets(of: pipeline.pipeline.groupID, inputs)
            var lag: Int64 = 0
            for (input, offset) in zip(inputs, committed) {
                lag += try admin.watermarks(of: input).high - max(0, offset)
            }
            return lag
        } catch {
            return nil
        }
    }

    // MARK: Progress

    private func tell() {
        lastLine = tw_monotonic_nanoseconds()
        let elapsed = Double(lastLine - began) * 1e-9
        var left = ""
        if done > 2, done < plan.count {
            left = ", about \(Int(elapsed / Double(done) * Double(plan.count - done))) s left"
        }
        let line =
            "[\(name) \(Int(elapsed)) s] \(done)/\(plan.count) faults\(left), "
            + "\(fleet.workers.count) workers, \(fleet.restores) restores, "
            + "\(fleet.findings.count) findings: \(lastFault)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
