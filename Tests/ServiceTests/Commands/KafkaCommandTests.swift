// Method: commands against the embedded cluster; topics are read back and compared with the data,
// and metrics records are written by the test for `metrics` to merge.
import Core
import Foundation
import KafkaIO
import Service
import Testing

@Suite("Commands on Kafka", .serialized)
struct KafkaCommandTests {
    private let folder: TestFolder
    private let cluster: EmbeddedCluster
    private let log = KafkaLog { _ in }

    init() throws {
        folder = try TestFolder()
        cluster = try EmbeddedCluster(log: log)
    }

    private var settings: KafkaSettings {
        KafkaSettings(common: [TextPair("bootstrap.servers", cluster.bootstrapServers)])
    }

    private func records(_ topic: String) throws -> [KafkaRecord] {
        let tail = try KafkaTail(
            settings: settings, topic: topic, from: KafkaOffset.beginning, log: log)
        defer { tail.close() }
        var records: [KafkaRecord] = []
        #expect(try tail.readToEnd { records.append($0) })
        return records
    }

    private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

    @Test("produce writes every row in order, keyed by its number")
    func produce() throws {
        try cluster.createTopic("rows", partitionCount: 1)
        let rows = (0..<3000).map { "\($0).50,name \($0)" }
        let csv = try folder.file("rows.csv", "a,b\n" + rows.joined(separator: "\n") + "\n")
        let run = ProgramRun(
            "produce", csv, "--topic", "rows", "--bootstrap-server", cluster.bootstrapServers)
        #expect(run.code == .success, "\(run.messages)")
        #expect(run.output.hasPrefix("3,000 records to rows (1 partition) in "))
        let found = try records("rows")
        #expect(found.map { text($0.key) } == (0..<3000).map(String.init))
        #expect(
            found.map { text($0.value) } == (0..<3000).map { #"{"a":\#($0).50,"b":"name \#($0)"}"# }
        )
    }

    @Test("a limit ends early, a field can be the key")
    func limit() throws {
        try cluster.createTopic("few", partitionCount: 2)
        let lines = (0..<10).map { #"{"k":"key \#($0 % 3)","v":\#($0)}"# }
        let data = try folder.file("few.jsonl", lines.joined(separator: "\n"))
        let run = ProgramRun(
            "produce", data, "--topic", "few", "--limit", "7", "--key", "k",
            "--bootstrap-server", cluster.bootstrapServers)
        #expect(run.code == .success, "\(run.messages)")
        let found = try records("few")
        #expect(Set(found.map { text($0.value) }) == Set(lines.prefix(7)))
        #expect(found.allSatisfy { text($0.value).contains("\"\(text($0.key))\"") })
        // The same key goes to the same partition.
        let places = Set(found.map { "\(text($0.key)) \($0.partition)" })
        #expect(places.count == 3)
    }

    @Test("bad options are refused before anything is sent")
    func mistakes() throws {
        let csv = try folder.file("rows.csv", "alpha,b\n1,2\n")
        let server = ["--bootstrap-server", cluster.bootstrapServers]
        let key = ProgramRun(["produce", csv, "--topic", "t", "--key", "alhpa"] + server)
        #expect(key.code == .usage)
        #expect(key.messages.contains("unknown column 'alhpa'; did you mean 'alpha'?"))
        let form = ProgramRun(["produce", csv, "--topic", "t", "--property", "x"] + server)
        #expect(form.code == .usage)
        let owned = ProgramRun(
            ["produce", csv, "--topic", "t", "--property", "enable.idempotence=false"] + server)
        #expect(owned.code == .usage)
    }

    private func metricsRecord(task: Int, records: Int, correct: [Int]) -> [UInt8] {
        let half = records / 2
        func series(_ correct: [Int]) -> String {
            let accuracy = Double(correct.reduce(0, +)) / Double(records)
            return """
                {"metrics":{"accuracy":\(accuracy)},"sums":{"actual":[\(half),\(half)],\
                "predicted":[\(half),\(half)],"correct":[\(correct[0]),\(correct[1])],\
                "predicted_null":0,"unchanged":\(half)}}
                """
        }
        return Array(
            """
            {"type":"metrics","version":1,"pipeline":"p","task":\(task),"records":\(records),\
            "drift":[{"detector":"adwin","drifts":\(task + 1),"warnings":0}],\
            "learning":"classification","evaluated":\(records),"unlabelled":0,"unpredicted":0,\
            "classes":["0","1"],"positive":"1","scopes":[{"window":"all","count":\(records),\
            "series":{"model":\(series(correct)),"majority":\(series([half, 0]))}}]}
            """.utf8)
    }

    @Test("metrics merges the last records of all tasks by their sums")
    func metrics() throws {
        try cluster.createTopic("p.metrics", partitionCount: 2)
        let feeder = try KafkaFeeder(settings: settings, topic: "p.metrics", log: log)
        try feeder.send(
            key: nil, value: metricsRecord(task: 0, records: 10, correct: [1, 1]), partition: 0)
        try feeder.send(
            key: nil, value: metricsRecord(task: 0, records: 100, correct: [40, 30]), partition: 0)
        try feeder.send(
            key: nil, value: metricsRecord(task: 1, records: 300, correct: [100, 50]),
            partition: 1)
        // More drift records than are looked back over: the metrics record before still counts.
        for _ in 0..<400 {
            try feeder.send(key: nil, value: Array(#"{"type":"drift"}"#.utf8), partition: 1)
        }
        try feeder.flush()
        let file = try folder.file(
            "p.yaml",
            """
            version: 1
            pipeline: p
            kafka: { bootstrap.servers: "\(cluster.bootstrapServers)" }
            input: { topic: t }
            features: { x: numeric }
            label: { field: y }
            model: majority
            """)
        let run = ProgramRun("metrics", file, "--once", "--json")
        #expect(run.code == .success, "\(run.messages)")
        let result = try #require(JSONValue(Array(run.output.utf8)))
        #expect(result["models"]?.integer == 2)
        #expect(result["records"]?.integer == 400)
        #expect(result["metrics"]?["accuracy"]?.double == 220.0 / 400)
        #expect(result["baselines"]?["majority"]?["accuracy"]?.double == 0.5)
        #expect(result["drifts"]?["adwin"]?.integer == 3)
        let table = ProgramRun("metrics", file, "--once").output
        #expect(table.contains("p: 400 records, 2 models, merged"))
        #expect(table.contains("0.5500"))
    }

    @Test("metrics of a pipeline that never ran say so")
    func noMetrics() throws {
        let file = try folder.file(
            "q.yaml",
            """
            version: 1
            pipeline: q
            kafka: { bootstrap.servers: "\(cluster.bootstrapServers)" }
            input: { topic: t }
            features: { x: numeric }
            label: { field: y }
            model: majority
            """)
        try cluster.createTopic("q.metrics", partitionCount: 1)
        let run = ProgramRun("metrics", file, "--once")
        #expect(run.code == .failure)
        #expect(run.messages.contains("no metrics in topic q.metrics yet"))
    }

    @Test("rows are spread evenly over time")
    func pace() {
        let pace = Pace(recordsPerSecond: 1000)
        #expect(pace.wait(before: 0, elapsed: 0) == 0)
        #expect(pace.wait(before: 500, elapsed: 100_000_000) == 400_000_000)
        #expect(pace.wait(before: 500, elapsed: 600_000_000) < 0)
        #expect(Pace(recordsPerSecond: nil).wait(before: 1_000_000, elapsed: 0) == 0)
    }
}
