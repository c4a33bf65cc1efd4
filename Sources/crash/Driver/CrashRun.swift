import CPlatform
import Core
import Foundation
import TestSupport

/// A whole run: cluster, network, load, phases, verdict.
final class CrashRun {
    private let settings: CrashSettings
    private let folder: URL
    private static let partitions = 4

    init(_ settings: CrashSettings) throws {
        guard TestEnvironment.hasKafka else {
            throw ToolFailure.usage(TestEnvironment.kafkaRemedy)
        }
        self.settings = settings
        folder = FileManager.default.temporaryDirectory
            .appending(path: "tidewheel-crash-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Whether everything was as it must be.
    func run() throws -> Bool {
        print("seed \(settings.seed), \(settings.kills) kills, \(settings.others) of each other")
        let cluster = try KafkaCluster(
            nodes: settings.nodes, proxied: true,
            settings: [
                "log.segment.delete.delay.ms=1000",
                // A broker that comes back waits until its former session is over.
                "broker.session.timeout.ms=5000", "broker.heartbeat.interval.ms=1000",
            ])
        let routes = cluster.proxyRoutes
        let proxy = try NetworkProxy(routes: routes)
        defer { proxy.end() }
        // Without network faults the workers talk to the brokers themselves.
        let isProxied = settings.faults.contains(.network)
        let bootstrap =
            isProxied
            ? routes.map { "127.0.0.1:\($0.from)" }.joined(separator: ",") : cluster.bootstrap
        let surroundings = Phase.Surroundings(
            settings: settings, cluster: cluster, proxy: isProxied ? proxy : nil,
            probe: try ClusterProbe(bootstrap: cluster.bootstrap), folder: folder)
        var random = SplitMix64(seed: settings.seed)
        var phases: [Phase] = []
        let kinds = settings.pipelines.compactMap { PipelineUnderTest.Kind(rawValue: $0) }
        let live = kinds.filter { $0 != .preloaded }
        if !live.isEmpty {
            let phase = try livePhase(live, bootstrap, surroundings, &random)
            phases.append(phase)
        }
        if kinds.contains(.preloaded) {
            phases.append(try preloadedPhase(bootstrap, surroundings, &random))
        }
        let isClean = phases.allSatisfy(\.isClean)
        try Report(settings: settings, phases: phases).write()
        if isClean && !settings.keeps {
            try? FileManager.default.removeItem(at: folder)
        } else {
            print("the run's folder: \(folder.path)")
        }
        return isClean
    }

    private func livePhase(
        _ kinds: [PipelineUnderTest.Kind], _ bootstrap: String,
        _ surroundings: Phase.Surroundings, _ random: inout SplitMix64
    ) throws -> Phase {
        let topic = "crash-input"
        try surroundings.cluster.createTopic(
            topic, partitions: Self.partitions, replicas: min(3, settings.nodes))
        let plan = FaultPlan.make(
            kills: settings.kills, others: settings.others, groups: settings.faults,
            hasPoints: !settings.points.isEmpty, nodes: settings.nodes, random: &random)
        let phase = try Phase(
            "live", pipelines: kinds.map { try pipeline($0, bootstrap, topic) }, topic: topic,
            plan: plan, extra: [], seed: random.next(), surroundings)
        let load = Load()
        load.start(
            bootstrap: surroundings.cluster.bootstrap, topic: topic, partitions: Self.partitions,
            recordsPerSecond: settings.recordsPerSecond, seed: settings.seed)
        try phase.run(load: load, random: &random)
        return phase
    }

    /// Kills only: a broker that is away may change which input is waited for in vain, and so the
    /// order.
    private func preloadedPhase(
        _ bootstrap: String, _ surroundings: Phase.Surroundings, _ random: inout SplitMix64
    ) throws -> Phase {
        let topic = "crash-preloaded"
        let kills = max(3, settings.kills / 10)
        let pace = 4 * settings.recordsPerSecond
        try surroundings.cluster.createTopic(
            topic, partitions: Self.partitions, replicas: min(3, settings.nodes))
        try Load.fill(
            bootstrap: surroundings.cluster.bootstrap, topic: topic, partitions: Self.partitions,
            records: pace * 3 * kills, seed: settings.seed)
        let plan = FaultPlan.make(
            kills: kills, others: 0, groups: [.kill], hasPoints: !settings.points.isEmpty,
            nodes: 1, random: &random)
        let phase = Phase(
            "preloaded", pipelines: [try pipeline(.preloaded, bootstrap, topic)], topic: topic,
            plan: plan, extra: ["--pace", "\(pace)"], seed: random.next(), surroundings)
        try phase.run(load: nil, random: &random)
        return phase
    }

    private func pipeline(
        _ kind: PipelineUnderTest.Kind, _ bootstrap: String, _ topic: String
    ) throws -> PipelineUnderTest {
        try PipelineUnderTest(
            kind, bootstrap: bootstrap, topic: topic, partitions: Self.partitions, folder: folder,
            restoreWithin: settings.restoreWithin)
    }
}
