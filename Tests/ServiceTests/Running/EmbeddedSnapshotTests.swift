// Method: a pipeline on the embedded cluster takes snapshots every thousand records or so; it must
// write them without a complaint, and a second process must load the newest one.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import Synchronization
import TestSupport
import Testing

@Suite("Snapshots on the embedded cluster")
struct EmbeddedSnapshotTests {
    @Test("they are written and loaded; what cannot be deleted there is not complained of")
    func snapshots() throws {
        let silent = KafkaLog { _ in }
        let cluster = try EmbeddedCluster(log: silent)
        let folder = try TestFolder()
        let text = """
            version: 1
            pipeline: small
            kafka: { bootstrap.servers: "\(cluster.bootstrapServers)" }
            input: { topic: small, format: json }
            features: { a: numeric, b: numeric }
            label: { field: y, classes: ["0", "1"] }
            model: logistic_regression
            state: { restore_within: 1 ms, folder: \(folder.url.path) }
            """
        let pipeline = try PipelineReader.read(bytes: Array(text.utf8), file: "small.yaml").pipeline
        let output = pipeline.output
        let topics = [
            "small", output.predictionsTopic, output.metricsTopic, output.deadLettersTopic,
            output.journalTopic, output.stateTopic,
        ]
        for topic in topics { try cluster.createTopic(topic, partitionCount: 1) }
        let said = Mutex<[String]>([])
        func start() -> RunningProcess {
            var options = ProcessOptions()
            options.instanceID = "one"
            options.isEmbedded = true
            options.snapshotRecordsMax = 1000
            let log = ProcessLog(threshold: .info) { severity, line in
                said.withLock { $0.append("\(severity.rawValue) \(line)") }
            }
            return RunningProcess(
                PipelineProcess(pipeline: pipeline, options: options, log: log))
        }
        let feeder = try KafkaFeeder(settings: pipeline.kafkaSettings, topic: "small", log: silent)
        var produced = 0
        func wait(_ what: String, until condition: () throws -> Bool) throws {
            let end = Date().addingTimeInterval(180)
            while try !condition() {
                guard Date() < end else {
                    throw FixtureError("\(what): not so; \(said.withLock { $0 })")
                }
                usleep(10_000)
            }
        }
        let first = start()
        try wait("three snapshots") {
            let status = first.process.status
            if status.snapshots < 3, status.records + 2000 > produced {
                for index in produced..<produced + 2000 {
                    try feeder.send(
                        key: nil, value: Array(PipelineFixture.value(index).utf8), partition: 0)
                }
                try feeder.flush()
                produced += 2000
            }
            return status.snapshots >= 3 && status.records == produced
        }
        #expect(first.stop() == .stopped)
        let second = start()
        try wait("it is live") { second.process.status.liveTasks == [0] }
        #expect(second.stop() == .stopped)
        let lines = said.withLock { $0 }
        let line = try #require(lines.last { $0.contains("task restored") })
        #expect(line.contains(" snapshot="), "\(line)")
        let complaints = lines.filter { $0.contains("snapshot could") || $0.contains("deleted") }
        #expect(complaints.isEmpty, "\(complaints)")
    }
}
