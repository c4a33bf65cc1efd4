import CPlatform
import CRdKafka
import Foundation
import TestSupport

/// `bench restart`: how long a pipeline stands still when its process is killed, or stopped, and
/// started again at once, under a steady load.
///
/// From the start of the new process to the moment in which a read-committed consumer is handed the
/// first prediction that the old process had not committed.
struct RestartBenchmark {
    private let rate: Int
    private let kills: Int
    private let stops: Int
    private let model: String
    private let within: String
    private let isVerbose: Bool
    private let jsonPath: String?
    private let partitions = 4
    private let warmUpSeconds: Int
    /// Between two restarts, in seconds: more than half of a second, so that commits, snapshots and
    /// kills do not fall into step.
    private let pauses: ClosedRange<Double> = 0.7...2.5

    init(_ arguments: inout Arguments) throws {
        rate = try arguments.number("rate", default: 2_000)
        kills = try arguments.number("kills", default: 40)
        stops = try arguments.number("stops", default: 10)
        warmUpSeconds = try arguments.number("warm-up", default: 20)
        model = try arguments.option("model") ?? "hoeffding_tree: { grace_period: 50 }"
        within = try arguments.option("restore-within") ?? "1 s"
        isVerbose = try arguments.option("log") != nil
        jsonPath = try arguments.option("json")
        try arguments.finish()
        try requireBrokerAndData()
    }

    func run() throws {
        print(machineDescription())
        let cluster = try KafkaCluster(isMeasured: true)
        try cluster.createTopic("restart-input", partitions: partitions)
        try cluster.createTopic("restart.predictions", partitions: partitions)
        let file = PipelineFile(
            name: "restart", bootstrap: cluster.bootstrap, inputTopic: "restart-input",
            model: model, oneModelPer: "pipeline",
            more: "state: { restore_within: \(within), folder: \(cluster.folder.path)/state }")
        let command = [
            executable("tidewheel"), "run", try file.write(to: cluster.folder).path,
            "--log-level", "debug",
        ]
        let consumer = try KafkaClient(
            consumer: cluster.bootstrap, group: "restart-reader",
            ["isolation.level": "read_committed", "enable.auto.commit": "false"])
        try consumer.assign("restart.predictions", partitions: partitions)
        let seconds = warmUpSeconds + 6 * (kills + stops) + 60
        let source = try PacedProducer(
            bootstrap: cluster.bootstrap, topic: "restart-input", partitions: partitions,
            rate: rate, records: rate * seconds, rows: try ElectricityRows())
        Thread { source.run() }.start()

        var child = try ChildProcess(command, folder: cluster.folder)
        defer { child.signal(SIGKILL) }
        try read(consumer, child, seconds: Double(warmUpSeconds))
        var killed: [Double] = []
        var stopped: [Double] = []
        for round in 0..<kills + stops {
            let isKill = round < kills
            let pause = pauses.lowerBound + Double(round * 7 % 10) / 10
            try read(consumer, child, seconds: min(pauses.upperBound, pause))
            child.signal(isKill ? SIGKILL : SIGTERM)
            guard child.wait(seconds: 30) != nil else {
                throw ToolFailure.running("it did not end:\n\(child.errors)")
            }
            // What the old process has committed has arrived when nothing comes any more.
            while next(consumer, milliseconds: 50) {}
            let began = tw_monotonic_nanoseconds()
            child = try ChildProcess(command, folder: cluster.folder)
            while !next(consumer, milliseconds: 10) {
                guard child.isRunning, tw_monotonic_nanoseconds() - began < 60_000_000_000 else {
                    throw ToolFailure.running("nothing came:\n\(child.errors)")
                }
            }
            let time = Double(tw_monotonic_nanoseconds() - began) * 1e-6
            if isKill { killed.append(time) } else { stopped.append(time) }
            try read(consumer, child, seconds: 0.2)
            print(isKill ? "killed" : "stopped", rounded(time, 1))
            if isVerbose { print(child.errors) }
            fflush(nil)
        }
        try report(killed.sorted(), stopped.sorted(), said: child.errors)
    }

    /// Takes what comes for a while.
    private func read(_ consumer: KafkaClient, _ child: ChildProcess, seconds: Double) throws {
        let end = tw_monotonic_nanoseconds() + Int64(seconds * 1e9)
        while tw_monotonic_nanoseconds() < end {
            guard child.isRunning else {
                throw ToolFailure.running("it ended by itself:\n\(child.errors)")
            }
            _ = next(consumer, milliseconds: 10)
        }
    }

    /// Whether a prediction has come within the time.
    private func next(_ consumer: KafkaClient, milliseconds: Int32) -> Bool {
        guard let message = rd_kafka_consumer_poll(consumer.handle, milliseconds) else {
            return false
        }
        defer { rd_kafka_message_destroy(message) }
        return message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR
    }

    private func report(_ killed: [Double], _ stopped: [Double], said: String) throws {
        let bytes = said.split(separator: "\n").last { $0.contains("snapshot_bytes=") }?
            .split(separator: " ").first { $0.hasPrefix("snapshot_bytes=") }?.dropFirst(15)
        var fields: [(String, Double)] = [("state_bytes", bytes.flatMap { Double($0) } ?? .nan)]
        for (name, times) in [("killed", killed), ("stopped", stopped)] {
            fields.append(("\(name)_p50_ms", rounded(quantile(times, 0.5), 1)))
            fields.append(("\(name)_p99_ms", rounded(quantile(times, 0.99), 1)))
            fields.append(("\(name)_max_ms", rounded(times.last ?? .nan, 1)))
        }
        printJSON(fields)
        try write(jsonLine(fields), to: jsonPath)
    }
}
