import Configuration
import Core
import Engine
import Formats
import KafkaIO

/// `tidewheel check`: every mistake of a pipeline file, and of what it needs on Kafka.
package enum CheckCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "check", summary: "Tell every mistake of a pipeline file",
        details: [
            "Without --connect nothing but the file is read. With it, the brokers are asked "
                + "whether the topics are there or may be created, have the partitions that the "
                + "pipeline needs, may be read, and keep the journal for ever. The rights to write "
                + "to topics that are there and to use transactional ids show when the pipeline "
                + "starts: there is no way to try them without writing.",
            "With --connect the file is also compared with the one that the stored state comes "
                + "from: for each key that has changed it says whether the state is kept, whether "
                + "metrics begin anew, or whether the model would be another one, which needs a "
                + "new state.version; exit code 1 means that the pipeline would not start.",
        ],
        arguments: [ArgumentDeclaration("FILE", .one, "the pipeline file")],
        options: [
            OptionDeclaration(flag: "connect", "ask the brokers, too"),
            OptionDeclaration(flag: "json", "print the result as JSON"),
        ],
        examples: [
            CommandExample("tidewheel check configs/electricity.yaml", "offline; exit code 0 or 2"),
            CommandExample(
                "tidewheel check configs/electricity.yaml --connect",
                "topics, partitions, rights and retention, too"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let path = arguments.one("FILE") ?? ""
        let asJSON = arguments.flag("json")
        let read: (pipeline: Pipeline, warnings: [ConfigurationError])
        do {
            read = try PipelineReader.read(path: path, catalogue: .standard)
        } catch {
            if asJSON {
                console.print(json(path, mistakes: error.all, warnings: [], findings: []))
            } else {
                console.say(error.description)
            }
            return .usage
        }
        let pipeline = read.pipeline
        let wantsKafka = arguments.flag("connect")
        // Certificates need not be where the file is only looked at.
        let mistakes =
            ((wantsKafka ? pipeline.mistakesOnKafka : [])
            + pipeline.clientMistakes(readsFiles: wantsKafka)).sortedByLine
        let warnings = read.warnings.filter { warning in
            !mistakes.contains { $0.key == warning.key }
        }
        guard mistakes.isEmpty else {
            if asJSON {
                console.print(
                    json(path, mistakes: mistakes, warnings: warnings, findings: [], report: nil))
            } else {
                for mistake in mistakes { console.say(mistake.description) }
            }
            return .usage
        }
        var findings: [ConnectionCheck.Finding] = []
        var report: ChangeReport?
        if wantsKafka {
            // Each question tells its own outage: the log would say it a second time.
            let log = KafkaLog { _ in }
            findings = ConnectionCheck(pipeline, log: log).findings()
            // What hides the brokers would be told twice.
            if findings.contains(where: { $0.severity == .good }) {
                let state = StateCheck(pipeline, log: log).run()
                findings += state.findings
                report = state.report
            }
        }
        let isGood = !findings.contains { $0.severity == .problem }
        if asJSON {
            console.print(
                json(
                    path, mistakes: [], warnings: warnings, findings: findings, report: report)
            )
        } else {
            for warning in warnings {
                console.say("\(console.messagesStyle.color("warning", .yellow)): \(warning)")
            }
            for line in summary(pipeline) { console.print(line) }
            for finding in findings { console.print(finding.line(style: console.outputStyle)) }
        }
        return isGood ? .success : .failure
    }

    /// What the file says, in a few lines.
    private static func summary(_ pipeline: Pipeline) -> [String] {
        let preparation = pipeline.preparation.map(\.name) + [pipeline.model.name]
        let detectors = pipeline.detectors.map {
            "\($0.component.name) (\($0.action.rawValue))"
        }
        var limit = ""
        if case .field(_, let models) = pipeline.scope {
            limit = ", at most \(models) in a task"
            // What refuses to be made is told elsewhere.
            if let bytes = try? pipeline.freshModelBytes() {
                limit += " (\(bytes) bytes for a new one)"
            }
        }
        var lines = [
            "\(pipeline.file): pipeline \(pipeline.name) is valid",
            "  learns     \(preparation.joined(separator: " → ")), one model per "
                + pipeline.scope.text + limit,
        ]
        if let topic = pipeline.input.topic { lines.append("  reads      \(topic)") }
        lines.append(
            "  writes     \(pipeline.output.predictionsTopic), \(pipeline.output.metricsTopic), "
                + pipeline.output.deadLettersTopic)
        if !detectors.isEmpty {
            lines.append("  watches    \(detectors.joined(separator: ", "))")
        }
        if pipeline.delivery.guarantee == .atLeastOnce { lines += atLeastOnce }
        return lines
    }

    /// What the guarantee gives and what it does not.
    private static let atLeastOnce = [
        "  delivers   at least once: the model learns each record exactly once, and no prediction is",
        "             lost, but after a crash the last ones may be written again: drop those whose",
        "             partition and offset you have seen. With one input partition for a model copies",
        "             are equal to the byte; with several, a process that was taken for dead may have",
        "             written other values, which its successor's model does not know. Metrics, drift",
        "             events and dead letters may be repeated, too",
    ]

    private static func json(
        _ path: String, mistakes: [ConfigurationError], warnings: [ConfigurationError],
        findings: [ConnectionCheck.Finding], report: ChangeReport? = nil
    ) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("file", path)
            json.member("valid", mistakes.isEmpty)
            json.list("mistakes") { json in for mistake in mistakes { write(mistake, to: &json) } }
            json.list("warnings") { json in for warning in warnings { write(warning, to: &json) } }
            json.list("connection") { json in
                for finding in findings {
                    json.object { json in
                        json.member("severity", finding.severity.rawValue)
                        json.member("message", finding.message)
                    }
                }
            }
            if let report { write(report, to: &json) }
        }
        return json.text
    }

    private static func write(_ report: ChangeReport, to json: inout JSONWriter) {
        json.object("state") { json in
            json.member("version", report.stored.version)
            switch report.verdict {
            case .keeps: json.member("verdict", "kept")
            case .begins: json.member("verdict", "new_version")
            case .refused: json.member("verdict", "refused")
            }
            json.list("changes") { json in
                for change in report.changes {
                    json.object { json in
                        json.member("key", change.key)
                        if let old = change.old { json.member("old", old) }
                        if let new = change.new { json.member("new", new) }
                        json.member("effect", change.effect.rawValue)
                    }
                }
            }
        }
    }

    private static func write(_ mistake: ConfigurationError, to json: inout JSONWriter) {
        json.object { json in
            json.member("line", mistake.line)
            json.member("key", mistake.key)
            json.member("problem", mistake.problem)
            json.member("remedy", mistake.remedy)
        }
    }
}
