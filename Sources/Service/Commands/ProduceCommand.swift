import CPlatform
import Core
import Glibc
import KafkaIO
import State

/// `tidewheel produce`: data files into a topic.
package enum ProduceCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "produce", summary: "Write data files to a topic as flat JSON",
        details: [
            "CSV rows become JSON objects: numbers keep their digits, empty cells are left out, "
                + "other cells are texts. JSON lines go as they are. The key is the row number, "
                + "counted from 0, or a field. The topic is created if it is not there.",
            "Records of one partition keep their order; without a rate it writes as fast as the "
                + "brokers take them.",
        ],
        arguments: [
            ArgumentDeclaration(
                "DATA", .oneOrMore, "CSV or JSON lines, plain or gzip; - for a pipe")
        ],
        options: [
            OptionDeclaration("topic", .text("T"), isRequired: true, "the topic to write to"),
            OptionDeclaration(
                "key", .text("FIELD"), "the field that is the key; default the row number"),
            OptionDeclaration(
                "rate", .number("N", 0.001...1e9), "records per second; default: no limit"),
            OptionDeclaration(
                "limit", .integer("N", 0...Int.max), "stop after this many records"),
            OptionDeclaration(
                "partitions", .integer("N", 1...10000), default: "1",
                "partitions of the topic if it is created"),
        ] + KafkaConnection.options,
        examples: [
            CommandExample(
                "tidewheel produce elec.csv.gz --topic electricity", "a whole file at once"),
            CommandExample(
                "tidewheel produce orders.jsonl --topic orders --key customer --rate 500",
                "keyed by a field, at 500 records per second"),
            CommandExample(
                "tidewheel generate sea --records 1000000 | tidewheel produce - --topic sea "
                    + "--partitions 4", "a synthetic stream"),
        ])

    /// The largest row that is read; brokers take far less by default.
    private static let rowBytesLimit = 64 << 20

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let settings = try KafkaConnection.settings(arguments)
        let log: FileInputLog
        do {
            log = try FileInputLog(
                paths: arguments.all("DATA"), valueBytesLimit: rowBytesLimit)
        } catch {
            throw CommandFailure("cannot read \(error)")
        }
        let rows = try DataRow(
            format: log.format, columns: log.columns, keyField: arguments.text("key"))
        let topic = arguments.text("topic") ?? ""
        let kafkaLog = KafkaConnection.log(console)
        do {
            let partitions = try ensureTopic(
                topic, partitions: arguments.integer("partitions") ?? 1, settings: settings,
                log: kafkaLog)
            let feeder = try KafkaFeeder(settings: settings, topic: topic, log: kafkaLog)
            var pump = Pump(
                log: log, rows: rows, feeder: feeder,
                limit: arguments.integer("limit") ?? .max,
                pace: Pace(recordsPerSecond: arguments.number("rate")))
            try pump.run(console: console)
            let seconds = pump.seconds
            let rate = seconds > 0 ? Double(pump.count) / seconds : 0
            console.print(
                "\(NumberText.grouped(pump.count)) records to \(topic) (\(partitions) partition"
                    + "\(partitions == 1 ? "" : "s")) in \(NumberText.fixed(seconds, decimals: 2)) s"
                    + " (\(NumberText.short(rate))/s)")
        } catch let error as KafkaError {
            throw CommandFailure("tidewheel produce: \(error)")
        }
        return .success
    }

    private static func ensureTopic(
        _ topic: String, partitions: Int, settings: KafkaSettings, log: KafkaLog
    ) throws(KafkaError) -> Int {
        let admin = try KafkaAdmin(settings: settings, log: log)
        defer { admin.close() }
        try admin.connect()
        return try admin.ensure(
            TopicSpecification(
                name: topic, partitionCount: partitions, replicationFactor: -1, properties: []))
    }
}

/// Spreads records evenly over time.
package struct Pace: Sendable, Equatable {
    /// `nil` for as fast as possible.
    package let recordsPerSecond: Double?

    package init(recordsPerSecond: Double?) {
        self.recordsPerSecond = recordsPerSecond
    }

    /// How long to wait before a record, in nanoseconds; 0 or less if it is due.
    ///
    /// - Parameters:
    ///   - record: Its number, counted from 0.
    ///   - elapsed: Since the first record was due, in nanoseconds.
    package func wait(before record: Int, elapsed: Int64) -> Int64 {
        guard let recordsPerSecond else { return 0 }
        return Int64(Double(record) / recordsPerSecond * 1e9) - elapsed
    }
}

/// Moves the records of a file log to a topic.
private struct Pump {
    let log: FileInputLog
    let rows: DataRow
    let feeder: KafkaFeeder
    let limit: Int
    let pace: Pace
    var count = 0
    var seconds = 0.0

    mutating func run(console: Console) throws {
        let screen = LiveScreen(channel: console.messages, isTerminal: console.messagesIsTerminal)
        let start = tw_monotonic_nanoseconds()
        var drawnAt = start
        while count < limit {
            do {
                try log.poll(0, upTo: min(1024, limit - count))
            } catch {
                throw CommandFailure("tidewheel produce: \(error)")
            }
            let queued = log.queuedCount(0)
            if queued == 0 { break }
            for index in 0..<queued {
                try waitForTurn(since: start)
                let message = try message(index)
                try feeder.send(key: message.key, value: message.value)
                count += 1
            }
            log.release(0, queued)
            try feeder.serve()
            let now = tw_monotonic_nanoseconds()
            if now - drawnAt > 200_000_000 {
                drawnAt = now
                let progress = ProgressLine(
                    records: count, fraction: log.fraction, seconds: Double(now - start) / 1e9)
                screen.draw([progress.text])
            }
        }
        screen.clear()
        try feeder.flush()
        seconds = Double(tw_monotonic_nanoseconds() - start) / 1e9
    }

    private func message(_ index: Int) throws(CommandFailure) -> DataRow.Message {
        let row = count
        let result = log.withQueued(0) { span -> Result<DataRow.Message, CommandFailure> in
            let record = span[index]
            let value = record.value
            do throws(CommandFailure) {
                return .success(try rows.message(value, row: row))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func waitForTurn(since start: Int64) throws(KafkaError) {
        while true {
            let wait = pace.wait(before: count, elapsed: tw_monotonic_nanoseconds() - start)
            guard wait > 0 else { return }
            try feeder.serve()
            _ = usleep(UInt32(clamping: min(wait / 1000, 100_000)))
        }
    }
}
