import Core
import Engine
import Formats
import Foundation
import KafkaIO
import Service
import State
import Synchronization
import TestSupport
import Testing

/// A pipeline on a real broker: its topics, its records, and processes that run it.
final class PipelineFixture: Sendable {
    let cluster: KafkaCluster
    let name: String
    let pipeline: Pipeline
    let partitions: Int
    let stateFolder: URL
    /// The pipeline file.
    let text: String
    let log = KafkaLog { _ in }
    private let lines = Mutex<[String]>([])

    /// What the processes of the fixture said.
    var said: [String] { lines.withLock { $0 } }
    var settings: KafkaSettings {
        KafkaSettings(common: [TextPair("bootstrap.servers", cluster.bootstrap)])
    }

    /// For a test's own producers: calls take as long as they need, transactions stay open.
    var patientSettings: KafkaSettings {
        KafkaSettings(
            common: settings.common, producer: [TextPair("transaction.timeout.ms", "600000")])
    }
    static let patience: Int32 = 60_000

    /// - Parameter properties: Those of the input topic.
    init(
        _ prefix: String, partitions: Int, scope: String = "pipeline", input: String = "",
        kafka: String = "", state: String = "", more: String = "",
        properties: [String: String] = [:], cluster: KafkaCluster? = nil
    ) throws {
        let cluster = try cluster ?? KafkaCluster.shared()
        self.cluster = cluster
        self.partitions = partitions
        name = cluster.uniqueName(prefix)
        stateFolder = FileManager.default.temporaryDirectory.appending(path: "\(name).state")
        text = """
            version: 1
            pipeline: \(name)
            kafka:
              bootstrap.servers: \(cluster.bootstrap)
              \(kafka)
            input: { topic: \(name), format: json\(input.isEmpty ? "" : ", \(input)") }
            features: { a: numeric, b: numeric }
            label: { field: y, classes: ["0", "1"] }
            prepare: [{ standardize: all }]
            model: { logistic_regression: { learning_rate: 0.05 } }
            one_model_per: \(scope)
            metrics: { every: 100 records, windows: [200 records] }
            drift: [{ adwin: { watch: error, then: alert } }]
            state: { folder: \(stateFolder.path)\(state.isEmpty ? "" : ", \(state)") }
            \(more)
            """
        pipeline = try PipelineReader.read(bytes: Array(text.utf8), file: "test.yaml").pipeline
        try cluster.createTopic(name, partitions: partitions, settings: properties)
    }

    /// A record of a stream whose concept changes half way.
    static func value(_ index: Int) -> String {
        var random = SplitMix64(seed: UInt64(index))
        let a = Double(random.next(below: 1000)) / 1000
        let b = Double(random.next(below: 1000)) / 1000
        let y = (index / 1500) % 2 == 0 ? (a + b > 1 ? 1 : 0) : (a > b ? 1 : 0)
        return #"{"a":\#(a),"b":\#(b),"y":\#(y)}"#
    }

    /// Produces records `range`, spread over the partitions in turn.
    ///
    /// - Parameter place: Another key and partition for a record.
    func produce(
        _ range: Range<Int>, value: (Int) -> String = PipelineFixture.value,
        place: ((Int) -> (key: String, partition: Int))? = nil
    ) throws {
        let feeder = try KafkaFeeder(settings: settings, topic: name, log: log)
        for index in range {
            let (key, partition) = place?(index) ?? ("k\(index)", index % partitions)
            try feeder.send(
                key: Array(key.utf8), value: Array(value(index).utf8),
                partition: Int32(partition))
        }
        try feeder.flush()
    }

    /// Produces records to one partition.
    func produce(_ range: Range<Int>, to partition: Int32) throws {
        let feeder = try KafkaFeeder(settings: settings, topic: name, log: log)
        for index in range {
            try feeder.send(
                key: Array("k\(index)".utf8), value: Array(Self.value(index).utf8),
                partition: partition)
        }
        try feeder.flush()
    }

    /// All committed records of one of the pipeline's topics, by partition.
    func committed(_ stream: Core.OutputStream) throws -> [[KafkaRecord]] {
        try read(pipeline.output.topic(stream))
    }

    func read(_ topic: String) throws -> [[KafkaRecord]] {
        let tail = try KafkaTail(
            settings: settings, topic: topic, from: KafkaOffset.beginning, log: log)
        defer { tail.close() }
        var records: [[KafkaRecord]] = []
        let isRead = try tail.readToEnd { record in
            while records.count <= Int(record.partition) { records.append([]) }
            records[Int(record.partition)].append(record)
        }
        guard isRead else { throw FixtureError("\(topic) was not read to its end") }
        return records
    }

    /// Starts a process of the pipeline on threads of this one.
    func start(
        instanceID: String? = nil, _ configure: (inout ProcessOptions) -> Void = { _ in }
    ) -> RunningProcess {
        var options = ProcessOptions()
        options.instanceID = instanceID
        configure(&options)
        let log = ProcessLog { severity, line in
            self.lines.withLock { $0.append("\(severity.rawValue) \(line)") }
        }
        return RunningProcess(PipelineProcess(pipeline: pipeline, options: options, log: log))
    }

    /// What is wrong with the committed predictions: each input record must have one, with its key
    /// and offset, in the order of its partition.
    func coverageProblem() throws -> String? {
        let inputs = try read(name)
        let predictions = try committed(.predictions)
        for partition in inputs.indices {
            let found = partition < predictions.count ? predictions[partition] : []
            guard found.map(\.key) == inputs[partition].map(\.key) else {
                return "partition \(partition): \(found.count) predictions for "
                    + "\(inputs[partition].count) records, or other keys"
            }
            for (input, prediction) in zip(inputs[partition], found)
            where !prediction.text.contains("\"offset\":\(input.offset)}")
                && !prediction.text.contains("\"offset\":\(input.offset),")
            {
                return "partition \(partition): \(prediction.text) for offset \(input.offset)"
            }
        }
        return nil
    }

    /// The entries of a task's journal.
    func journal(_ task: Int = 0) throws -> [JournalEntry] {
        let records = try committed(.journal)
        guard task < records.count else { return [] }
        return try records[task].map { try JournalEntry(decoding: $0.value ?? []) }
    }

    /// Waits until a condition holds, or fails.
    func wait(
        _ what: String, seconds: Double = 180, until condition: () throws -> Bool
    ) throws {
        let end = Date().addingTimeInterval(seconds)
        while try !condition() {
            guard Date() < end else { throw FixtureError("\(what): not so; \(said)") }
            usleep(20_000)
        }
    }

    /// Waits until as many predictions are committed, or fails.
    func waitForPredictions(_ count: Int, seconds: Double = 180) throws {
        let end = Date().addingTimeInterval(seconds)
        while true {
            let found = (try? committed(.predictions).joined().count) ?? 0
            if found >= count { return }
            guard Date() < end else {
                throw FixtureError("\(found) of \(count) predictions after \(seconds) s; \(said)")
            }
            usleep(50_000)
        }
    }

    /// What an uninterrupted run over each task's records, in the order given, writes.
    func oracle(_ tasks: [[KafkaRecord]]) throws -> [[String]] {
        try tasks.enumerated().map { index, records in
            let processor = try PipelineProcessor(
                pipeline: pipeline, taskIndex: index, format: .json)
            var output = OutputBuffer()
            try processor.pass(records, ofPartition: index, into: &output)
            var lines: [String] = []
            for entry in output.entries where entry.stream == .predictions {
                let value = [UInt8](copying: output.value(of: entry))
                lines.append(String(decoding: value, as: UTF8.self))
            }
            return lines
        }
    }
}

extension PipelineFixture {
    /// Expects the committed predictions of each partition to be those of one plain pass over it.
    func expectPlainPass(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let inputs = try read(name)
        let expected = try oracle(inputs)
        let predictions = try committed(.predictions)
        for partition in inputs.indices {
            let found = partition < predictions.count ? predictions[partition].map(\.text) : []
            let place = found.indices.first {
                $0 >= expected[partition].count || found[$0] != expected[partition][$0]
            }
            let isEqual = found == expected[partition]
            #expect(
                isEqual,
                """
                partition \(partition): \(found.count) predictions for \
                \(expected[partition].count) records, other from number \(place ?? found.count) on
                """, sourceLocation: sourceLocation)
        }
    }
}

struct FixtureError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A pipeline process on its own control thread.
final class RunningProcess: Sendable {
    let process: PipelineProcess
    private let outcome = Mutex<PipelineOutcome?>(nil)

    init(_ process: PipelineProcess) {
        self.process = process
        Thread.detachNewThread {
            let ended = process.run()
            self.outcome.withLock { $0 = ended }
        }
    }

    /// Asks it to stop and waits for its end.
    func stop() -> PipelineOutcome? {
        process.stop()
        return wait(seconds: 180)
    }

    /// Waits for its end.
    func wait(seconds: Double) -> PipelineOutcome? {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if let ended = outcome.withLock({ $0 }) { return ended }
            usleep(10_000)
        }
        return nil
    }
}

extension KafkaRecord {
    var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

extension MemoryLog {
    /// What was read of each partition of a topic.
    convenience init(topic: String, read partitions: [[KafkaRecord]]) {
        self.init(
            topic: topic,
            partitions.map { records in
                records.map {
                    MemoryLog.Record(
                        offset: $0.offset, timestamp: $0.timestamp, key: $0.key ?? [],
                        value: $0.value ?? [])
                }
            })
    }
}

extension PipelineProcessor {
    /// Takes the records that were read of one partition, all at once.
    func pass(
        _ records: [KafkaRecord], ofPartition partition: Int = 0, into output: inout OutputBuffer
    ) throws {
        // A log in memory numbers its partitions from 0.
        let empty = [[KafkaRecord]](repeating: [], count: partition)
        let log = MemoryLog(topic: "read", read: empty + [records])
        try log.poll(partition, upTo: .max)
        try log.withQueued(partition) { span in
            Result { try process(span, headers: { _ in [] }, into: &output) }
        }.get()
    }
}
