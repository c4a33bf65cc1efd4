import CPlatform
import Foundation
import TestSupport

/// `bench kafka`: the pipeline beside the copy loop, on one real broker in one run.
///
/// Both are processes of their own and are judged from outside by the same measure: the offsets
/// that their group has committed. The rate is that of the records between the first commit seen
/// and the last, so that neither's start counts; processor time is the whole process's.
struct KafkaBenchmark {
    private let records: Int
    private let rounds: Int
    private let warmUps: Int
    private let only: [String]
    private let jsonPath: String?
    private let partitions = 4

    private struct Contender {
        let name: String
        /// `nil` for the copy loop.
        let pipeline: (model: String, oneModelPer: String)?
        /// For what the state costs: whether it is kept; measured when named only.
        var keepsState: Bool?
    }

    private static let contenders = [
        Contender(name: "copy_loop", pipeline: nil),
        Contender(name: "tree_per_partition", pipeline: ("hoeffding_tree: {}", "partition")),
        Contender(
            name: "logistic_per_partition", pipeline: ("logistic_regression: {}", "partition")),
        Contender(name: "tree_per_pipeline", pipeline: ("hoeffding_tree: {}", "pipeline")),
        Contender(
            name: "logistic_per_pipeline", pipeline: ("logistic_regression: {}", "pipeline")),
        Contender(
            name: "state", pipeline: ("hoeffding_tree: {}", "partition"), keepsState: true),
        Contender(
            name: "without_state", pipeline: ("hoeffding_tree: {}", "partition"), keepsState: false),
    ]

    init(_ arguments: inout Arguments) throws {
        records = try arguments.number("records", default: 1_000_000)
        rounds = try arguments.number("rounds", default: 5)
        warmUps = try arguments.number("warm-ups", default: 10)
        only = try arguments.option("only")?.split(separator: ",").map(String.init) ?? []
        jsonPath = try arguments.option("json")
        try arguments.finish()
        try requireBrokerAndData()
        let names = Self.contenders.map(\.name)
        for name in only where !names.contains(name) {
            throw ToolFailure.usage("--only: \(name) is none of \(names)")
        }
    }

    func run() throws {
        print(machineDescription())
        let cluster = try KafkaCluster(
            isMeasured: true, settings: ["log.segment.delete.delay.ms=1000"])
        try cluster.createTopic("electricity", partitions: partitions)
        print(
            "loaded",
            try ChildProcess.run([
                executable("bench"), "load", cluster.bootstrap, "electricity", "--records",
                "\(records)", "--partitions", "\(partitions)",
            ]), terminator: "")
        let contenders = Self.contenders.filter {
            only.isEmpty ? $0.keepsState == nil : only.contains($0.name)
        }
        var runs: [String: [Run]] = [:]
        // The first rounds warm up the broker, whose compiler takes a good part of the processor then,
        // the page cache and the processor; they do not count.
        for round in (1 - warmUps)...rounds {
            for contender in contenders {
                let run = try measure(contender, round: round, cluster)
                print("round \(round)", contender.name, jsonLine(run.fields))
                fflush(nil)
                if round > 0 { runs[contender.name, default: []].append(run) }
            }
        }
        try report(contenders.map { ($0.name, runs[$0.name] ?? []) })
    }

    private func measure(
        _ contender: Contender, round: Int, _ cluster: KafkaCluster
    ) throws -> Run {
        let name = "\(contender.name.replacingOccurrences(of: "_", with: "-"))-\(round + warmUps)"
        var arguments: [String]
        var group = name
        if let pipeline = contender.pipeline {
            let file = PipelineFile(
                name: name, bootstrap: cluster.bootstrap, inputTopic: "electricity",
                model: pipeline.model, oneModelPer: pipeline.oneModelPer,
                more: PipelineFile.snapshots(contender.keepsState ?? true))
            let path = try file.write(to: cluster.folder).path
            arguments = PipelineFile.command(path, keepsState: contender.keepsState)
            group = PipelineFile.group(name)
        } else {
            try cluster.createTopic(name, partitions: partitions)
            arguments = [
                executable("bench"), "copy", cluster.bootstrap, "electricity", name, name,
            ]
        }
        // Read committed, a question about an offset of an open transaction is asked again after 100 ms.
        let observer = try KafkaClient(
            consumer: cluster.bootstrap, group: group, ["isolation.level": "read_uncommitted"])
        let child = try ChildProcess(arguments, folder: cluster.folder)
        defer { child.signal(SIGKILL) }
        var progress = Progress(start: tw_monotonic_nanoseconds())
        while progress.committed < records {
            guard child.isRunning else {
                throw ToolFailure.running("\(name) ended early:\n\(child.errors)")
            }
            guard progress.seconds < 300 else {
                throw ToolFailure.running(
                    "\(name): \(progress.committed) of \(records) in 300 s\n\(child.errors)")
            }
            usleep(5_000)
            let committed = try observer.committed("electricity", partitions: partitions)
            progress.note(committed, at: tw_monotonic_nanoseconds())
        }
        let residentBytes = residentBytesMax(of: child.pid)
        child.signal(SIGTERM)
        guard let code = child.wait(seconds: 60) else {
            throw ToolFailure.running("\(name) did not stop within 60 s of SIGTERM")
        }
        guard code == 0 else {
            throw ToolFailure.running("\(name) ended with \(code):\n\(child.errors)")
        }
        // A round that finds the memory of those before it in use writes into fresh pages, which on
        // a virtual machine cost several times as much: rounds would differ by their place.
        try observer.deleteTopics { $0 == name || $0.hasPrefix("\(name).") }
        return Run(
            rate: progress.rate, startSeconds: progress.startSeconds,
            cpuSecondsPerMillion: (child.cpuSeconds ?? .nan) / Double(records) * 1e6,
            residentMegabytes: Double(residentBytes ?? 0) / 1e6)
    }

    private func report(_ results: [(name: String, runs: [Run])]) throws {
        let loop = median(results.first { $0.name == "copy_loop" }?.runs.map(\.rate) ?? [])
        var rows: [[String]] = []
        var parts: [String] = []
        for (name, runs) in results {
            let rates = runs.map(\.rate)
            let fields = [
                ("records_per_second", median(rates).rounded()),
                ("records_per_second_min", (rates.min() ?? .nan).rounded()),
                ("records_per_second_max", (rates.max() ?? .nan).rounded()),
                ("ratio_to_copy_loop", rounded(median(rates) / loop, 3)),
                ("cpu_seconds_per_million", rounded(median(runs.map(\.cpuSecondsPerMillion)), 3)),
                ("resident_mb_max", rounded(runs.map(\.residentMegabytes).max() ?? .nan, 1)),
                ("seconds_to_first_commit", rounded(median(runs.map(\.startSeconds)), 2)),
            ]
            rows.append([name] + fields.map { shown($0.1) })
            parts.append("\"\(name)\":\(jsonLine(fields))")
        }
        print()
        print(
            markdownTable(
                [
                    "median of \(rounds)", "records/s", "min", "max", "of the loop", "CPU s/M",
                    "RSS MB", "first commit s",
                ], rows))
        let json =
            "{\"records\":\(records),\"rounds\":\(rounds),"
            + parts.joined(separator: ",") + "}"
        print(json)
        try write(json, to: jsonPath)
    }
}

/// One measured run of one contender.
private struct Run {
    let rate: Double
    let startSeconds: Double
    let cpuSecondsPerMillion: Double
    let residentMegabytes: Double

    var fields: [(String, Double)] {
        [
            ("records_per_second", rate.rounded()),
            ("cpu_seconds_per_million", rounded(cpuSecondsPerMillion, 3)),
            ("resident_mb_max", rounded(residentMegabytes, 1)),
            ("seconds_to_first_commit", rounded(startSeconds, 2)),
        ]
    }
}

/// How a group's committed offsets grow.
private struct Progress {
    private(set) var committed = 0
    private let start: Int64
    private var first: (records: Int, time: Int64)?
    private var last: Int64

    init(start: Int64) {
        self.start = start
        last = start
    }

    mutating func note(_ records: Int, at time: Int64) {
        last = time
        guard records > committed else { return }
        committed = records
        if first == nil { first = (records, time) }
    }

    /// Seconds since the process was started.
    var seconds: Double { Double(last - start) * 1e-9 }
    /// Seconds until the first commit was seen.
    var startSeconds: Double { Double((first?.time ?? last) - start) * 1e-9 }
    /// Records per second between the first commit and the last.
    var rate: Double {
        guard let first, last > first.time else { return .nan }
        return Double(committed - first.records) / (Double(last - first.time) * 1e-9)
    }
}

/// The path of a product of this build, which lies beside the running one.
func executable(_ name: String) -> String {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return own.deletingLastPathComponent().appending(path: name).path
}

/// The largest resident memory of a running process since it was started, from the kernel.
///
/// Not from `wait4`: that number begins with the memory of the process that started it.
func residentBytesMax(of pid: Int32) -> Int? {
    let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        .flatMap { Int($0) }.map { $0 * 1024 }
}
