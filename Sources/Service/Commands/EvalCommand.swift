import CPlatform
import Engine
import Formats
import Synchronization

/// `tidewheel eval`: a pipeline over data files, without Kafka.
package enum EvalCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "eval", summary: "Evaluate a pipeline on data files, without Kafka",
        details: [
            "Each record is predicted, evaluated and then learned from, in the order of the files, "
                + "by the same code as on Kafka. Data are CSV with a header or JSON lines, plain "
                + "or gzip; several files are one stream; '-' is standard input.",
            "Prints the metrics beside those of the baselines. The JSON of --json has at its top "
                + "the number of records and the metrics by name.",
        ],
        arguments: [
            ArgumentDeclaration("FILE", .one, "the pipeline file"),
            ArgumentDeclaration("DATA", .oneOrMore, "data files in their order; - for a pipe"),
        ],
        options: [
            OptionDeclaration(
                "json", .text("F"), "write the result as JSON; - for standard output"),
            OptionDeclaration(
                "predictions", .text("F"),
                "write the predictions as JSON lines, as the output topic would hold them"),
        ],
        examples: [
            CommandExample(
                "tidewheel eval configs/electricity.yaml elec.csv.gz", "one file, unpacked as read"),
            CommandExample(
                "tidewheel eval pipeline.yaml day1.jsonl day2.jsonl --json result.json",
                "two files as one stream, the result for a script"),
            CommandExample(
                "tidewheel generate sea | tidewheel eval configs/sea.yaml -", "from a pipe"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let pipeline = try PipelineLoading.load(
            arguments.one("FILE") ?? "", for: .files, console: console)
        let drifts = DriftCollector()
        let backtest = try Backtest(
            pipeline, paths: arguments.all("DATA"), predictions: arguments.text("predictions"),
            onMetrics: { drifts.take($0) })
        let seconds = try advance(backtest, console: console)
        let summary = BacktestSummary(backtest, drifts: drifts.events)
        let target = arguments.text("json")
        if let target, target != "-" {
            do {
                let file = try FileDescriptor(creating: target)
                let text = Array(summary.json.utf8)
                try file.write(text.span)
            } catch {
                throw CommandFailure("cannot write the result: \(error)")
            }
        }
        if target == "-" {
            console.output.write(summary.json)
        } else {
            for line in summary.lines(seconds: seconds, style: console.outputStyle) {
                console.print(line)
            }
        }
        return .success
    }

    /// Runs to the end, with progress on a terminal; returns the time that it took.
    private static func advance(
        _ backtest: Backtest, console: Console
    ) throws(CommandFailure) -> Double {
        let start = tw_monotonic_nanoseconds()
        let screen = LiveScreen(channel: console.messages, isTerminal: console.messagesIsTerminal)
        var drawnAt = start
        var seconds = 0.0
        while try backtest.advance() {
            let now = tw_monotonic_nanoseconds()
            seconds = Double(now - start) / 1e9
            guard now - drawnAt > 100_000_000 else { continue }
            drawnAt = now
            let progress = ProgressLine(
                records: backtest.records, fraction: backtest.fraction, seconds: seconds)
            screen.draw([progress.text])
        }
        screen.clear()
        return Double(tw_monotonic_nanoseconds() - start) / 1e9
    }
}

/// Keeps the drift events among the metrics records.
package final class DriftCollector: Sendable {
    /// A signal of a detector.
    package struct Event: Sendable, Equatable {
        package let detector: String
        /// Whether it is a drift, and not a warning.
        package let isDrift: Bool
        package let partition: Int
        package let offset: Int
        /// The record as it was written.
        package let json: String
    }

    private let collected = Mutex<[Event]>([])

    package init() {}

    package var events: [Event] { collected.withLock { $0 } }

    /// Takes any record of the metrics topic.
    package func take(_ record: [UInt8]) {
        guard let event = Event(record) else { return }
        collected.withLock { $0.append(event) }
    }
}

extension DriftCollector.Event {
    /// Reads a drift record; `nil` for other records.
    package init?(_ record: [UInt8]) {
        guard let json = JSONValue(record), json["type"]?.text == "drift",
            let detector = json["detector"]?.text, let signal = json["signal"]?.text
        else { return nil }
        self.detector = detector
        isDrift = signal == "drift"
        partition = json["partition"]?.integer ?? 0
        offset = json["offset"]?.integer ?? 0
        self.json = String(decoding: record, as: UTF8.self)
    }
}
