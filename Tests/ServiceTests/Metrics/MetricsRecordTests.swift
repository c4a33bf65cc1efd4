// Method: metrics records that real pipelines write are read back and compared with the report that
// they were written from; two halves of a stream merge to the sums of both.
import Core
import Engine
import Evaluation
import Foundation
import Service
import Synchronization
import Testing

@Suite("Metrics records")
struct MetricsRecordTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// The last metrics record of a run over SEA records, and the report behind it.
    private func run(
        seed: UInt64, model: String, label: String, track: String
    ) throws -> MetricsRecord {
        let text = """
            version: 1
            pipeline: p
            features: { attrib1: numeric, attrib2: numeric, attrib3: numeric }
            \(label)
            model: \(model)
            metrics: { every: 100 records, windows: [200 records], track: \(track) }
            """
        let pipeline = try PipelineReader.read(
            bytes: Array(text.utf8), file: "p.yaml", catalogue: .standard
        ).pipeline
        var stream = SyntheticStream(SEASource.self, seed: seed)
        let writer = SyntheticWriter(stream.description, format: .csv)
        var buffer = ByteBuffer()
        writer.writeHeader(to: &buffer)
        for _ in 0..<1000 {
            stream.advance()
            writer.write(stream, to: &buffer)
            buffer.append(UInt8(ascii: "\n"))
        }
        let bytes = buffer.bytes
        let csv = try folder.file(
            "\(seed).csv", String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self))
        let last = Mutex<[UInt8]>([])
        let backtest = try Backtest(
            pipeline, paths: [csv], predictions: nil,
            onMetrics: { record in last.withLock { $0 = record } })
        while try backtest.advance() {}
        let json = try #require(JSONValue(last.withLock { $0 }))
        let record = try #require(MetricsRecord(json))
        // Records measured are a multiple of `every` at the end: the last record is the final report.
        let report = backtest.processor.report()
        #expect(record.report.scopes == report.scopes)
        #expect(record.report.classes == report.classes)
        #expect(record.report.evaluated == report.evaluated)
        #expect(record.records == 1000)
        return record
    }

    private static let classLabel = "label: { field: class, classes: [\"0\", \"1\"] }"

    @Test("classification: everything is read back, and two tasks merge to the sums")
    func classification() throws {
        let track = "[accuracy, f1_macro, kappa, recall_per_class, log_loss, roc_auc]"
        let first = try run(
            seed: 1, model: "logistic_regression", label: Self.classLabel, track: track)
        let second = try run(
            seed: 2, model: "logistic_regression", label: Self.classLabel, track: track)
        let merged = try #require(MetricsRecord.merged([first, second]))
        #expect(merged.records == 2000)
        #expect(merged.report.evaluated == 2000)
        let accuracies = [first, second].compactMap { $0.report.value("accuracy") }
        let accuracy = try #require(merged.report.value("accuracy"))
        #expect(abs(accuracy - accuracies.reduce(0, +) / 2) < 1e-12)
        let area = try #require(merged.report.value("roc_auc"))
        #expect(area > 0.5 && area <= 1)
        #expect(!MetricsTable.table(merged.report).isEmpty)
        let line = MetricsView.line(merged)
        #expect(line.hasPrefix("records=2000 accuracy="))
        #expect(line.contains(" majority.accuracy="))
        #expect(line.contains(" accuracy[200_records]="))
        let frame = MetricsView.frame(merged, taskCount: 2, style: .plain)
        #expect(frame[0] == "p: 2,000 records, 2 models, merged")
        #expect(frame.contains { $0.hasPrefix("recall_per_class 1") })
    }

    @Test("regression and clustering are read back")
    func otherTasks() throws {
        _ = try run(
            seed: 3, model: "linear_regression", label: "label: { field: class }",
            track: "[mae, rmse, r2]")
        _ = try run(
            seed: 4, model: "{ kmeans: { k: 3 } }", label: "",
            track: "[inertia, cluster_sizes]")
    }

    @Test("other records and other versions are left alone")
    func others() {
        for text in [
            "{}", #"{"type":"drift","version":1}"#, #"{"type":"metrics","version":2}"#,
            #"{"type":"metrics","version":1,"pipeline":"p"}"#,
        ] {
            #expect(JSONValue(Array(text.utf8)).flatMap { MetricsRecord($0) } == nil, "\(text)")
        }
    }
}
