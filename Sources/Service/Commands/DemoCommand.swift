import CPlatform
import Core
import Engine
import Evaluation
import KafkaIO

/// `tidewheel demo`: everything at once, without a Kafka of one's own.
package enum DemoCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "demo", summary: "Show a whole pipeline live, with an embedded Kafka",
        details: [
            "Starts an in-process Kafka, a seeded stream whose concept changes again and again, "
                + "and a pipeline that predicts, evaluates, watches for drift and learns. On a "
                + "terminal it shows accuracy against the baselines as it goes; it ends with a "
                + "summary. While it runs, kcat and other librdkafka clients reach the topics."
        ],
        options: [
            OptionDeclaration(
                "records", .integer("N", 1...Int.max), default: "200000",
                "the length of the stream"),
            OptionDeclaration(
                "rate", .number("N", 0...1e9), default: "20000",
                "records per second; 0 for as fast as it goes"),
            OptionDeclaration(
                "drift-every", .integer("N", 1...Int.max),
                "records between two changes of the concept; default an eighth of the stream"),
            OptionDeclaration(
                "seed", .integer("N", 0...Int.max), default: "1", "where all randomness begins"),
        ],
        examples: [
            CommandExample("tidewheel demo", "ten seconds"),
            CommandExample(
                "tidewheel demo --records 1000000 --rate 0", "as fast as this machine goes"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let records = arguments.integer("records") ?? 1
        let rate = arguments.number("rate") ?? 0
        let plan = DemoRun.Plan(
            records: records, recordsPerSecond: rate > 0 ? rate : nil,
            seed: UInt64(arguments.integer("seed") ?? 1),
            driftEvery: arguments.integer("drift-every") ?? max(1, records / 8))
        let signals = try StopSignals()
        do {
            let demo = try DemoRun(plan)
            console.print("embedded Kafka at \(demo.brokers), topic \(DemoRun.topic)")
            demo.start()
            var follower = try DemoFollower(demo, console: console)
            try follower.run(signals: signals)
            let code = try follower.finish()
            demo.close()
            return code
        } catch let error as KafkaError {
            throw CommandFailure("tidewheel demo: \(error)")
        }
    }
}

/// Follows the demo's metrics topic and shows them.
private struct DemoFollower {
    private let demo: DemoRun
    private let console: Console
    private let screen: LiveScreen
    private let tail: KafkaTail
    private var view: DemoView
    private var shownAt = tw_monotonic_nanoseconds()
    private var wasStopped = false

    init(_ demo: DemoRun, console: Console) throws(KafkaError) {
        self.demo = demo
        self.console = console
        screen = LiveScreen(channel: console.output, isTerminal: console.outputIsTerminal)
        tail = try demo.openMetrics()
        view = DemoView(
            total: demo.plan.records,
            planned: demo.stream.drift.changes(before: demo.plan.records),
            seriesNames: [MetricsSeries.modelName]
                + Evaluator.baselineNames(of: demo.pipeline.task),
            window: MetricsTable.label(demo.pipeline.metrics.windows.first))
    }

    /// Shows until the stream is done, a signal comes, or something fails.
    mutating func run(signals: borrowing StopSignals) throws(KafkaError) {
        while view.records < demo.plan.records, !demo.fleet.isDone {
            try readMetrics(milliseconds: 50)
            note()
            show(force: false)
            if signals.wait(or: demo.fleet.wakeup, milliseconds: 0) {
                wasStopped = true
                break
            }
        }
        demo.stop()
        while !demo.fleet.isDone {
            // The second signal must not wait for anything.
            if signals.wait(or: demo.fleet.wakeup, milliseconds: 200), wasStopped { return }
        }
        try readMetrics(milliseconds: 200)
        note()
        show(force: true)
    }

    /// The summary, or what went wrong.
    func finish() throws(CommandFailure) -> ExitCode {
        screen.keep()
        let isWhole = view.records >= demo.plan.records
        guard isWhole || wasStopped else {
            let reasons = [demo.failure].compactMap { $0 } + demo.warnings
            throw CommandFailure(
                "tidewheel demo: the pipeline ended after \(view.records) records; "
                    + (reasons + [demo.fleet.failure]).joined(separator: "\n"))
        }
        console.print("")
        for line in view.summary(style: console.outputStyle) { console.print(line) }
        console.print("")
        for line in next { console.print(line) }
        return .success
    }

    /// The metrics records that have come, waiting at most so long for the first.
    private mutating func readMetrics(milliseconds: Int32) throws(KafkaError) {
        var wait = milliseconds
        while let record = try tail.next(milliseconds: wait) {
            wait = 0
            guard let value = record.value else { continue }
            if let event = DriftCollector.Event(value) {
                if event.isDrift { view.alarms.append(event.offset) }
            } else if let json = JSONValue(value), let metrics = MetricsRecord(json) {
                take(metrics.report, records: metrics.records)
            }
        }
    }

    private mutating func take(_ report: MetricsReport, records: Int) {
        func accuracies(_ scope: MetricsScope?) -> [Double?] {
            view.seriesNames.map { name in
                scope?.series.first { $0.name == name }?.value("accuracy")
            }
        }
        view.accuracies = accuracies(report.scopes.first { $0.extent == nil })
        let window = report.scopes.first { $0.extent != nil }
        view.samples.append(.init(records: records, accuracies: accuracies(window)))
    }

    /// Notes how far the pipeline is.
    private mutating func note() {
        let committed = demo.committed
        if committed != view.records { view.seconds = demo.seconds }
        view.records = committed
    }

    private mutating func show(force: Bool) {
        let now = tw_monotonic_nanoseconds()
        let interval: Int64 = console.outputIsTerminal ? 100_000_000 : 1_000_000_000
        guard force || now - shownAt >= interval else { return }
        shownAt = now
        if console.outputIsTerminal {
            let title = "Tidewheel: a stream of SEA concepts, a Hoeffding tree, ADWIN"
            screen.draw(
                view.frame(title: title, style: console.outputStyle, width: console.width))
        } else if view.records > 0 {
            console.print(view.line)
        }
    }

    private var next: [String] {
        // As it was called: after a build it is not on the PATH.
        let program = CommandLine.arguments.first ?? "tidewheel"
        let commands = [
            ("generate sea --records 100000 --drift-every 25000 > sea.csv", ""),
            ("eval configs/sea.yaml sea.csv", "the same without Kafka"),
            ("models", "what else can learn"),
            ("check PIPELINE.yaml --connect", "your own pipeline, your own Kafka"),
            ("run PIPELINE.yaml", "then docs/guide/getting-started.md"),
        ]
        return [console.outputStyle.bold("What next")]
            + commands.map { command, purpose in
                let padding = String(repeating: " ", count: max(0, 36 - command.utf8.count))
                return "  \(program) \(command)" + (purpose.isEmpty ? "" : padding + purpose)
            }
    }
}
