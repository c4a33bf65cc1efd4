import CPlatform
import Engine
import Glibc
import KafkaIO
import Synchronization

/// `tidewheel run`: pipelines on Kafka, until a signal ends them.
package enum RunCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "run", summary: "Run pipelines on Kafka",
        details: [
            "Predictions, metrics, dead letters, the journal and the consumed offsets of a commit "
                + "are one transaction: each record has exactly one committed prediction, "
                + "whatever is restarted or taken over. Several processes of one pipeline share "
                + "its models; those without one stand by.",
            "SIGTERM and SIGINT stop in order: intake ends, what is computed is committed, the "
                + "group is left. A second signal ends the process at once; nothing is lost, the "
                + "rest is computed again. Messages go to standard error.",
        ],
        arguments: [ArgumentDeclaration("FILE", .oneOrMore, "pipeline files")],
        options: [
            OptionDeclaration(
                "lanes", .integer("N", 1...1024),
                "threads that compute; default: one for each core, at most one for each model"),
            OptionDeclaration(
                "instance-id", .text("ID"),
                "the process's name in the group; default: pipeline, host and a slot"),
            OptionDeclaration(
                flag: "keep-membership",
                "stay a member of the group at the end, for a restart within seconds"),
            OptionDeclaration(
                "trust", .choice(["journal", "offsets"]),
                "where the two differ, go on at the journal's end, or skip to the group's offsets"),
            OptionDeclaration(
                "http", .text("ADDRESS:PORT"),
                "answer GET /metrics here, in Prometheus' format; an address such as 127.0.0.1 "
                    + "or [::1]"),
            OptionDeclaration(
                "log-level", .choice(["debug", "info", "warning", "error"]), default: "info",
                "the least severe messages to show"),
        ],
        examples: [
            CommandExample("tidewheel run configs/electricity.yaml", "one pipeline"),
            CommandExample(
                "tidewheel run orders.yaml clicks.yaml --log-level warning",
                "two pipelines in one process"),
            CommandExample(
                "tidewheel run configs/electricity.yaml --http 127.0.0.1:9464",
                "with metrics of the process for Prometheus"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        tw_configure_allocator()
        var pipelines: [Pipeline] = []
        var mistakes: [String] = []
        for path in arguments.all("FILE") {
            do throws(CommandFailure) {
                pipelines.append(try PipelineLoading.load(path, for: .kafka, console: console))
            } catch {
                mistakes.append(error.message)
            }
        }
        for (index, pipeline) in pipelines.enumerated() {
            guard let first = pipelines[..<index].first(where: { $0.name == pipeline.name }) else {
                continue
            }
            mistakes.append(
                "\(pipeline.file): pipeline \(pipeline.name) is also that of \(first.file); "
                    + "give one of them another name")
        }
        guard mistakes.isEmpty else {
            throw CommandFailure(mistakes.joined(separator: "\n"), exitCode: .usage)
        }
        let address = try listenAddress(arguments)
        let signals = try StopSignals()
        let level = arguments.text("log-level").flatMap { LogSeverity(rawValue: $0) } ?? .info
        let log = ProcessLog.standardError(threshold: level)
        var options = ProcessOptions()
        options.laneCount = arguments.integer("lanes") ?? 0
        options.instanceID = arguments.text("instance-id")
        options.keepsMembership = arguments.flag("keep-membership")
        options.trust = arguments.text("trust").flatMap { OffsetTrust(rawValue: $0) }
        let first = pipelines.map(\.name).min()
        let processes = pipelines.map { pipeline in
            options.decidesReplacement = pipeline.name == first
            return PipelineProcess(pipeline: pipeline, options: options, log: log)
        }
        let server = try address.map { address in
            try HTTPServer(address) { path in
                guard path == "/metrics" else { return nil }
                return HTTPServer.Answer(
                    type: StatusMetrics.contentType,
                    body: StatusMetrics.text(processes.map { ($0.pipeline.name, $0.status) }))
            }
        }
        defer { server?.stop() }
        if let server, let address {
            let place = ListenAddress(host: address.host, port: server.port)
            log.say(.info, "metrics are at http://\(place)/metrics")
        }
        let fleet = PipelineFleet(processes)
        fleet.start()
        var wasAsked = false
        while !fleet.isDone {
            guard signals.wait(or: fleet.wakeup, milliseconds: 1000) else { continue }
            if wasAsked {
                log.say(.warning, "second signal: ending at once")
                _exit(ExitCode.failure.rawValue)
            }
            wasAsked = true
            fleet.stop()
        }
        return fleet.exitCode(log: log)
    }

    private static func listenAddress(
        _ arguments: ParsedArguments
    ) throws(CommandFailure) -> ListenAddress? {
        guard let text = arguments.text("http") else { return nil }
        guard let address = ListenAddress(text) else {
            throw CommandFailure(
                "option --http: expected an address and a port such as 127.0.0.1:9464 or "
                    + "[::1]:9464, got '\(text)'", exitCode: .usage)
        }
        return address
    }
}

/// Several pipelines in one process: when one fails, all are stopped, because a process that has
/// lost a pipeline must be seen as failed by whoever watches it.
final class PipelineFleet: Sendable {
    /// Signalled whenever a pipeline has ended.
    let wakeup = Wakeup()
    private let processes: [PipelineProcess]
    private let outcomes: Mutex<[PipelineOutcome?]>

    init(_ processes: [PipelineProcess]) {
        self.processes = processes
        outcomes = Mutex([PipelineOutcome?](repeating: nil, count: processes.count))
    }

    /// Runs each pipeline on a thread of its own.
    func start() {
        for (index, process) in processes.enumerated() {
            WorkerThread.start(name: "control-\(index)") {
                let outcome = process.run()
                self.outcomes.withLock { $0[index] = outcome }
                if outcome != .stopped { self.stop() }
                self.wakeup.signal()
            }
        }
    }

    /// Asks every pipeline to stop in order.
    func stop() {
        for process in processes { process.stop() }
    }

    /// Whether every pipeline has ended.
    var isDone: Bool { outcomes.withLock { $0.allSatisfy { $0 != nil } } }

    /// What the pipelines that failed said.
    var failure: String {
        let ended = outcomes.withLock { $0 }
        return ended.compactMap { outcome in
            switch outcome {
            case .failed(let reason), .instanceFenced(let reason): reason
            case .stopped, .stoppedLate, nil: nil
            }
        }.joined(separator: "\n")
    }

    /// Says how the pipelines ended, and what the process ends with.
    func exitCode(log: ProcessLog) -> ExitCode {
        var code = ExitCode.success
        let ended = outcomes.withLock { $0 }
        for (process, outcome) in zip(processes, ended) {
            let name = [("pipeline", process.pipeline.name)]
            switch outcome {
            case .stopped, nil: continue
            case .stoppedLate:
                log.say(
                    .warning,
                    "not stopped within shutdown_within; the rest is computed again at the next "
                        + "start", name)
                if code == .success { code = .failure }
            case .failed(let reason):
                log.say(.error, reason, name)
                if code != .fenced { code = .failure }
            case .instanceFenced(let reason):
                log.say(.error, reason, name)
                code = .fenced
            }
        }
        return code
    }
}
