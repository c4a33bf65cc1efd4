import Foundation
import TestSupport

/// What a run of the crash test does; from the command line.
struct CrashSettings {
    static let help = """
        crash [--kills 20] [--others N] [--seed 1] [--faults kill,stop,broker,network,rebalance]
              [--pipelines tree,logistic,field,canary,canary-merged,preloaded,at-least-once,at-least-once-merged]
              [--workers 3] [--rate 2000] [--nodes N] [--restore-within "100 ms"] [--librdkafka PATH]
              [--points POINT[,POINT]...] [--json FILE] [--keep]

            Runs pipelines in up to 4 processes on a real cluster under a steady load, kills and
            disturbs them, and compares everything committed with plain single-threaded passes.

            --kills N         kill -9, a part at random moments, the others at named points
            --others N        of each other fault; default a tenth of the kills, at least 2
            --faults LIST     kill: kill -9; stop: SIGSTOP past the session timeout, planned stops,
                              one instance id twice; broker: kill -9 of one of three brokers, and of
                              a coordinator; network: connections slowed, silenced,
                              without answers, refused, cut; rebalance: processes come and go
            --points LIST     only these named points
            --librdkafka PATH the workers load this shared library instead of the system's
            --json FILE       a line with the result is added to FILE
            --keep            keeps the run's folder (it is kept when something is wrong)

        Exit code: 0 nothing lost, doubled or changed and all alive; 1 otherwise; 2 bad usage.
        """

    var kills = 20
    var others = 2
    var seed: UInt64 = 1
    var faults: Set<FaultGroup> = Set(FaultGroup.allCases)
    var pipelines: [String] = [
        "tree", "logistic", "field", "canary", "canary-merged", "preloaded", "at-least-once",
        "at-least-once-merged",
    ]
    var workers = 3
    var recordsPerSecond = 2000
    var nodes = 1
    var librdkafka: String?
    var points = CrashPoint.allCases
    /// `state.restore_within` of the pipelines; short, so that snapshots are taken all the time.
    var restoreWithin = "100 ms"
    var jsonPath: String?
    var keeps = false

    init(_ arguments: inout Arguments) throws {
        kills = try arguments.number("kills", default: 20)
        others = try arguments.number("others", default: max(2, kills / 10))
        seed = UInt64(try arguments.number("seed", default: 1))
        if let list = try arguments.option("faults") {
            faults = try Set(
                list.split(separator: ",").map { name in
                    guard let group = FaultGroup(rawValue: String(name)) else {
                        throw ToolFailure.usage("--faults: there is no fault \(name)")
                    }
                    return group
                })
        }
        if let list = try arguments.option("pipelines") {
            pipelines = list.split(separator: ",").map(String.init)
        }
        if let list = try arguments.option("points") {
            points = try list.split(separator: ",").map { name in
                guard let point = CrashPoint(rawValue: String(name)) else {
                    throw ToolFailure.usage(
                        "--points: there is no point \(name); there are "
                            + CrashPoint.allCases.map(\.rawValue).joined(separator: ", "))
                }
                return point
            }
        }
        workers = min(4, max(1, try arguments.number("workers", default: 3)))
        recordsPerSecond = try arguments.number("rate", default: 2000)
        nodes = try arguments.number("nodes", default: faults.contains(.broker) ? 3 : 1)
        if faults.contains(.broker), nodes < 3 {
            throw ToolFailure.usage(
                "--nodes: brokers are killed in clusters of three or more; one that is alone loses the "
                    + "markers of a commit that it is killed in (Kafka 4.3), which holds up every reader"
            )
        }
        restoreWithin = try arguments.option("restore-within") ?? restoreWithin
        librdkafka = try arguments.option("librdkafka")
        jsonPath = try arguments.option("json")
        keeps = arguments.flag("keep")
        try arguments.finish()
        let known = PipelineUnderTest.Kind.allCases.map(\.rawValue)
        if let unknown = pipelines.first(where: { !known.contains($0) }) {
            throw ToolFailure.usage(
                "--pipelines: there is no \(unknown); there are \(known.joined(separator: ", "))")
        }
        if let librdkafka, !FileManager.default.fileExists(atPath: librdkafka) {
            throw ToolFailure.usage("--librdkafka: there is no file \(librdkafka)")
        }
    }
}

/// Kinds of faults, as the command line groups them.
enum FaultGroup: String, CaseIterable, Sendable {
    case kill
    case stop
    case broker
    case network
    case rebalance
}
