import CPlatform
import Core
import Engine
import Formats
import KafkaIO
import State

/// `tidewheel metrics`: the merged rolling metrics of a running pipeline.
package enum MetricsCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "metrics", summary: "Show the metrics of a running pipeline, live",
        details: [
            "Reads the pipeline's metrics topic and merges the records of all its models: exact "
                + "sums, so that the numbers are those of one model over all records (ROC AUC "
                + "over several models to 1/1024). On a terminal the table is drawn anew with "
                + "each record, elsewhere each one gives a line."
        ],
        arguments: [ArgumentDeclaration("FILE", .one, "the pipeline file")],
        options: [
            OptionDeclaration(flag: "once", "print the current state and end"),
            OptionDeclaration(flag: "json", "print JSON, an object a line"),
        ],
        examples: [
            CommandExample("tidewheel metrics configs/electricity.yaml", "watch; Ctrl-C ends it"),
            CommandExample(
                "tidewheel metrics configs/electricity.yaml --once --json", "for scripts"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let pipeline = try PipelineLoading.load(
            arguments.one("FILE") ?? "", for: .kafka, console: console)
        do {
            var watch = try MetricsWatch(pipeline, log: KafkaConnection.log(console))
            try watch.readCurrent()
            let printer = MetricsPrinter(asJSON: arguments.flag("json"), console: console)
            if arguments.flag("once") {
                guard let current = watch.current else {
                    throw CommandFailure(
                        "no metrics in topic \(pipeline.output.metricsTopic) yet; is the pipeline "
                            + "running, and has it measured \(every(pipeline))?")
                }
                printer.show(current, taskCount: watch.taskCount, isLast: true)
                return .success
            }
            if let current = watch.current {
                printer.show(current, taskCount: watch.taskCount, isLast: false)
            } else {
                console.say("waiting for metrics in topic \(pipeline.output.metricsTopic)")
            }
            while console.output.failure == nil {
                if try watch.readMore(), let current = watch.current {
                    printer.show(current, taskCount: watch.taskCount, isLast: false)
                }
            }
            return .success
        } catch let error as KafkaError {
            let hint =
                error.kind == .unknownTopic
                ? "; `tidewheel run \(pipeline.file)` creates it" : ""
            throw CommandFailure("tidewheel metrics: \(error)\(hint)")
        }
    }

    private static func every(_ pipeline: Pipeline) -> String {
        MetricsTable.label(pipeline.metrics.every)
    }
}

/// Follows a metrics topic and keeps the last record of each task.
struct MetricsWatch {
    /// Records before the end of a partition that are read for its last metrics record; drift
    /// records and transaction markers stand between them.
    private static let lookBack: Int64 = 200

    private let topic: String
    private let tail: KafkaTail
    private let starts: [Int32: (start: Int64, low: Int64, high: Int64)]
    private var records: [Int: MetricsRecord] = [:]

    init(_ pipeline: Pipeline, log: KafkaLog) throws(KafkaError) {
        topic = pipeline.output.metricsTopic
        let settings = pipeline.kafkaSettings
        let admin = try KafkaAdmin(settings: settings, log: log)
        defer { admin.close() }
        try admin.connect()
        guard let count = try admin.partitionCount(of: topic) else {
            throw KafkaError(
                kind: .unknownTopic, problem: "topic \(topic) does not exist",
                remedy: "start the pipeline first")
        }
        var starts: [Int32: (start: Int64, low: Int64, high: Int64)] = [:]
        for partition in 0..<Int32(count) {
            let (low, high) = try admin.watermarks(
                of: TopicPartition(topic: topic, partition: partition))
            starts[partition] = (max(low, high - Self.lookBack), low, high)
        }
        self.starts = starts
        tail = try KafkaTail(
            settings: settings, topic: topic,
            starts: starts.keys.sorted().map { ($0, starts[$0]?.start ?? 0) }, log: log)
    }

    /// The tasks that have reported.
    var taskCount: Int { records.count }

    /// The records of all tasks as one, in the order of their numbers.
    var current: MetricsRecord? {
        MetricsRecord.merged(records.keys.sorted().compactMap { records[$0] })
    }

    /// Reads up to the topic's end; where only other records stood there, from the beginning.
    mutating func readCurrent() throws(KafkaError) {
        _ = try readToEnd()
        var isAgain = false
        for (partition, place) in starts.sorted(by: { $0.key < $1.key })
        where place.start > place.low && records[Int(partition)] == nil {
            try tail.seek(partition, to: place.low)
            isAgain = true
        }
        if isAgain { _ = try readToEnd() }
    }

    private mutating func readToEnd() throws(KafkaError) -> Bool {
        var found: [KafkaRecord] = []
        let isAtEnd = try tail.readToEnd { found.append($0) }
        for record in found { _ = take(record) }
        return isAtEnd
    }

    /// Waits for records for a quarter of a second; whether the metrics have changed.
    mutating func readMore() throws(KafkaError) -> Bool {
        let end = tw_monotonic_nanoseconds() + 250_000_000
        var hasChanged = false
        while true {
            let left = (end - tw_monotonic_nanoseconds()) / 1_000_000
            guard left > 0 else { return hasChanged }
            if let record = try tail.next(milliseconds: Int32(left)) {
                hasChanged = take(record) || hasChanged
            }
        }
    }

    private mutating func take(_ record: KafkaRecord) -> Bool {
        guard let value = record.value, let json = JSONValue(value), let found = MetricsRecord(json)
        else { return false }
        records[found.task] = found
        return true
    }
}

/// Shows metrics on a terminal, as lines, or as JSON.
private struct MetricsPrinter {
    private let asJSON: Bool
    private let console: Console
    private let screen: LiveScreen

    init(asJSON: Bool, console: Console) {
        self.asJSON = asJSON
        self.console = console
        screen = LiveScreen(
            channel: console.output, isTerminal: console.outputIsTerminal && !asJSON)
    }

    func show(_ record: MetricsRecord, taskCount: Int, isLast: Bool) {
        if asJSON {
            console.print(Self.json(record, taskCount: taskCount))
        } else if isLast {
            let frame = MetricsView.frame(
                record, taskCount: taskCount, style: console.outputStyle)
            for line in frame { console.print(line) }
        } else if console.outputIsTerminal {
            screen.draw(
                MetricsView.frame(record, taskCount: taskCount, style: console.outputStyle))
        } else {
            console.print(MetricsView.line(record))
        }
    }

    private static func json(_ record: MetricsRecord, taskCount: Int) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("pipeline", record.pipeline)
            json.member("models", taskCount)
            json.member("records", record.records)
            MetricsJSON.write(record.report, to: &json)
            if let models = record.models {
                json.object("field_models") { json in models.write(to: &json) }
            }
            json.object("faults") { json in
                for fault in record.faults { json.member(fault.name, fault.count) }
            }
            json.object("drifts") { json in
                for drift in record.drifts { json.member(drift.name, drift.count) }
            }
        }
        return json.text
    }
}
