import CPlatform
import CRdKafka
import Foundation
import TestSupport

/// `bench latency`: how long after an event its prediction can be read, at a steady rate.
///
/// From the input record's creation (its CreateTime, which the producer here also notes in
/// microseconds) to the moment in which a read-committed consumer is handed the output with the
/// same id. Pipelines run at their defaults, the copy loop with commits every 20 ms.
struct LatencyBenchmark {
    /// What is measured: the copy loop, or a pipeline with one model.
    private struct Contender {
        let name: String
        /// Of the input: what the model reads.
        let partitions: Int
        /// `nil` for the copy loop.
        var guarantee: String?
        /// For what the state costs: whether it is kept; measured when named only.
        var keepsState: Bool?
    }

    private static let all = [
        Contender(name: "copy_loop_20_ms", partitions: 4),
        Contender(name: "pipeline", partitions: 4, guarantee: "exactly_once"),
        Contender(name: "pipeline_one_input", partitions: 1, guarantee: "exactly_once"),
        Contender(name: "at_least_once", partitions: 4, guarantee: "at_least_once"),
        Contender(name: "at_least_once_one_input", partitions: 1, guarantee: "at_least_once"),
        Contender(name: "state", partitions: 4, guarantee: "exactly_once", keepsState: true),
        Contender(
            name: "without_state", partitions: 4, guarantee: "exactly_once", keepsState: false),
    ]

    private let rate: Int
    private let seconds: Int
    private let rounds: Int
    private let contenders: [Contender]
    private let jsonPath: String?
    /// Sent before measuring begins, so that topics, group and caches are warm.
    private let warmUpSeconds = 10

    init(_ arguments: inout Arguments) throws {
        rate = try arguments.number("rate", default: 5_000)
        seconds = try arguments.number("seconds", default: 30)
        rounds = try arguments.number("rounds", default: 3)
        let names = try arguments.option("only")?.split(separator: ",").map(String.init)
        contenders =
            try names.map { names in
                try names.map { name in
                    guard let contender = Self.all.first(where: { $0.name == name }) else {
                        let known = Self.all.map(\.name).joined(separator: ", ")
                        throw ToolFailure.usage("--only: \(name) is none of \(known)")
                    }
                    return contender
                }
            } ?? Self.all.filter { $0.keepsState == nil }
        jsonPath = try arguments.option("json")
        try arguments.finish()
        guard rate > 0, seconds > 0 else {
            throw ToolFailure.usage("--rate and --seconds must be positive")
        }
        try requireBrokerAndData()
    }

    func run() throws {
        print(machineDescription())
        let cluster = try KafkaCluster(isMeasured: true)
        let rows = try ElectricityRows()
        var results: [String: [LatencyRun]] = [:]
        for round in 1...rounds {
            for contender in contenders {
                let run = try measure(contender, round: round, cluster, rows)
                print("round \(round)", contender.name, jsonLine(run.fields))
                fflush(nil)
                results[contender.name, default: []].append(run)
            }
        }
        try report(results)
    }

    private func measure(
        _ contender: Contender, round: Int, _ cluster: KafkaCluster, _ rows: ElectricityRows
    ) throws -> LatencyRun {
        let kind = contender.name.replacingOccurrences(of: "_", with: "-")
        let partitions = contender.partitions
        let name = "latency-\(kind)-\(round)"
        let input = "\(name)-input"
        let output = "\(name).predictions"
        try cluster.createTopic(input, partitions: partitions)
        try cluster.createTopic(output, partitions: partitions)
        var arguments = [
            executable("bench"), "copy", cluster.bootstrap, input, output, name, "--commit", "20",
        ]
        if let guarantee = contender.guarantee {
            let file = PipelineFile(
                name: name, bootstrap: cluster.bootstrap, inputTopic: input,
                model: "hoeffding_tree: {}", oneModelPer: "pipeline",
                more: "delivery: { guarantee: \(guarantee) }\n"
                    + PipelineFile.snapshots(contender.keepsState ?? true))
            let path = try file.write(to: cluster.folder).path
            arguments = PipelineFile.command(path, keepsState: contender.keepsState)
        }
        let consumer = try KafkaClient(
            consumer: cluster.bootstrap, group: "\(name)-reader",
            ["isolation.level": "read_committed", "enable.auto.commit": "false"])
        try consumer.assign(output, partitions: partitions)
        let child = try ChildProcess(arguments, folder: cluster.folder)
        defer { child.signal(SIGKILL) }

        let source = try PacedProducer(
            bootstrap: cluster.bootstrap, topic: input, partitions: partitions, rate: rate,
            records: rate * (warmUpSeconds + seconds), rows: rows)
        let thread = Thread { source.run() }
        thread.start()
        let latencies = try receive(consumer, source, child, from: rate * warmUpSeconds)
        let residentBytes = residentBytesMax(of: child.pid)
        child.signal(SIGTERM)
        guard child.wait(seconds: 60) == 0 else {
            throw ToolFailure.running("\(name) did not stop in order:\n\(child.errors)")
        }
        return LatencyRun(
            milliseconds: latencies.sorted(),
            cpuSecondsPerMillion: (child.cpuSeconds ?? .nan) / Double(source.records) * 1e6,
            residentMegabytes: Double(residentBytes ?? 0) / 1e6)
    }

    /// Reads until every record's output has come; the latencies of those from `first` on.
    private func receive(
        _ consumer: KafkaClient, _ source: PacedProducer, _ child: ChildProcess, from first: Int
    ) throws -> [Double] {
        var latencies: [Double] = []
        var seen = [Bool](repeating: false, count: source.records)
        var left = source.records
        var lastArrival = tw_monotonic_nanoseconds()
        while left > 0 {
            guard let message = rd_kafka_consumer_poll(consumer.handle, 100) else {
                if let failure = source.failure { throw ToolFailure.running(failure) }
                guard child.isRunning, tw_monotonic_nanoseconds() - lastArrival < 60_000_000_000
                else {
                    throw ToolFailure.running(
                        "\(left) outputs are missing after 60 s\n\(child.errors)")
                }
                continue
            }
            let now = tw_monotonic_nanoseconds()
            defer { rd_kafka_message_destroy(message) }
            guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR,
                let id = Self.id(
                    UnsafeRawBufferPointer(
                        start: message.pointee.payload, count: message.pointee.len)),
                id < source.records
            else { continue }
            guard !seen[id] else { throw ToolFailure.running("two outputs of record \(id)") }
            seen[id] = true
            left -= 1
            lastArrival = now
            if id >= first { latencies.append(Double(now - source.sentNanoseconds(id)) * 1e-6) }
        }
        return latencies
    }

    /// The number after `"id":`, quoted or not, with which an output begins.
    static func id(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var value: Int?
        for byte in bytes.prefix(40) {
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
            } else if value != nil {
                return value
            }
        }
        return value
    }

    private func report(_ results: [String: [LatencyRun]]) throws {
        var rows: [[String]] = []
        var parts: [String] = []
        for (name, runs) in results.sorted(by: { $0.key < $1.key }) {
            let fields = [
                ("p50_ms", rounded(median(runs.map { quantile($0.milliseconds, 0.5) }), 1)),
                ("p99_ms", rounded(median(runs.map { quantile($0.milliseconds, 0.99) }), 1)),
                ("p999_ms", rounded(median(runs.map { quantile($0.milliseconds, 0.999) }), 1)),
                ("cpu_seconds_per_million", rounded(median(runs.map(\.cpuSecondsPerMillion)), 2)),
                ("resident_mb_max", rounded(runs.map(\.residentMegabytes).max() ?? .nan, 1)),
            ]
            rows.append([name] + fields.map { shown($0.1) })
            parts.append("\"\(name)\":\(jsonLine(fields))")
        }
        print()
        print(
            markdownTable(
                [
                    "\(rate)/s, median of \(rounds)", "p50 ms", "p99 ms", "p99.9 ms", "CPU s/M",
                    "RSS MB",
                ], rows))
        let json =
            "{\"rate\":\(rate),\"seconds\":\(seconds),\"rounds\":\(rounds),"
            + parts.joined(separator: ",") + "}"
        print(json)
        try write(json, to: jsonPath)
    }
}

/// What one round measured.
private struct LatencyRun {
    /// Sorted.
    let milliseconds: [Double]
    let cpuSecondsPerMillion: Double
    let residentMegabytes: Double

    var fields: [(String, Double)] {
        [
            ("p50_ms", rounded(quantile(milliseconds, 0.5), 1)),
            ("p99_ms", rounded(quantile(milliseconds, 0.99), 1)),
            ("max_ms", rounded(milliseconds.last ?? .nan, 1)),
            ("cpu_seconds_per_million", rounded(cpuSecondsPerMillion, 2)),
            ("resident_mb_max", rounded(residentMegabytes, 1)),
        ]
    }
}
