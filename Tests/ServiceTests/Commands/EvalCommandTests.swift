// Method: small files whose metrics are computed by hand, whole commands with their files, and each
// mistake as a user meets it.
import Core
import Foundation
import Service
import TestSupport
import Testing

@Suite("eval")
struct EvalCommandTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func pipeline(
        model: String = "majority", extra: String = "", features: String = "x: numeric"
    ) throws -> String {
        try folder.file(
            "pipeline.yaml",
            """
            version: 1
            pipeline: small
            features:
              \(features)
            label:
              field: y
              classes: ["a", "b"]
              positive: "b"
            model: \(model)
            metrics:
              every: 2 records
              windows: [2 records]
              track: [accuracy, recall_per_class]
            \(extra)
            """)
    }

    private func json(_ text: String) throws -> JSONValue {
        try #require(JSONValue(Array(text.utf8)))
    }

    /// Majority predicts a (the first class), a, a, b, a on ties the lower code.
    private let data = "x,y\n1,a\n2,b\n3,b\n4,b\n5,a\n"

    @Test("the metrics are those of a hand computation")
    func handComputation() throws {
        let csv = try folder.file("data.csv", data)
        let run = ProgramRun("eval", try pipeline(), csv, "--json", "-")
        #expect(run.code == .success, "\(run.messages)")
        let result = try json(run.output)
        #expect(result["records"]?.integer == 5)
        // Predictions: a (declared first), a (1:0), a (1:1), b (1:2), b (1:3); labels a b b b a.
        #expect(result["metrics"]?["accuracy"]?.double == 2.0 / 5)
        #expect(result["metrics"]?["recall_per_class"]?["a"]?.double == 1.0 / 2)
        #expect(result["metrics"]?["recall_per_class"]?["b"]?.double == 1.0 / 3)
        // no_change: a (the first class), a, b, b, b.
        #expect(result["baselines"]?["no_change"]?["accuracy"]?.double == 3.0 / 5)
        #expect(result["baselines"]?["majority"]?["accuracy"]?.double == 2.0 / 5)
        let window = result["windows"]?.list?.first
        #expect(window?["window"]?.text == "2 records")
        #expect(window?["metrics"]?["accuracy"]?.double == 0.5)
    }

    @Test("predictions are written as the output topic would hold them")
    func predictions() throws {
        let csv = try folder.file("data.csv", data)
        let run = ProgramRun(
            "eval", try pipeline(), csv, "--predictions", folder.path("p.jsonl"), "--json",
            folder.path("r.json"))
        #expect(run.code == .success, "\(run.messages)")
        let lines = try folder.text("p.jsonl").split(separator: "\n").map(String.init)
        #expect(lines.count == 5)
        for (index, line) in lines.enumerated() {
            let record = try json(line)
            #expect(record["offset"]?.integer == index)
            #expect(record["partition"]?.integer == 0)
            #expect(record["id"]?.text == "\(index)")
            #expect(record["prediction"]?.text == (index < 3 ? "a" : "b"))
        }
        #expect(try json(folder.text("r.json"))["records"]?.integer == 5)
        #expect(run.output.contains("small: 5 records in "))
        #expect(run.output.contains("accuracy"))
    }

    @Test("CSV, JSON lines, several files and gzip are one and the same stream")
    func formats() throws {
        let csv = try folder.file("data.csv", data)
        let jsonLines = try folder.file(
            "data.jsonl",
            "{\"x\":1,\"y\":\"a\"}\n{\"x\":2,\"y\":\"b\"}\n{\"x\":3,\"y\":\"b\"}\n"
                + "{\"x\":4,\"y\":\"b\"}\n{\"x\":5,\"y\":\"a\"}\n")
        let first = try folder.file("1.csv", "x,y\n1,a\n2,b\n")
        let second = try folder.file("2.csv", "x,y\n3,b\n4,b\n5,a\n")
        let file = try pipeline()
        let expected = ProgramRun("eval", file, csv, "--json", "-").output
        #expect(ProgramRun("eval", file, jsonLines, "--json", "-").output == expected)
        #expect(ProgramRun("eval", file, first, second, "--json", "-").output == expected)
    }

    @Test("faults and missing labels are counted and told")
    func faults() throws {
        let csv = try folder.file("data.csv", "x,y\n1,a\nno,b\n3\n4,\n5,b\n")
        let file = try pipeline()
        let result = try json(ProgramRun("eval", file, csv, "--json", "-").output)
        #expect(result["records"]?.integer == 5)
        #expect(result["evaluated"]?.integer == 2)
        #expect(result["unlabelled"]?.integer == 1)
        #expect(result["faults"]?["wrong_type"]?.integer == 1)
        #expect(result["faults"]?["wrong_field_count"]?.integer == 1)
        let text = ProgramRun("eval", file, csv).output
        #expect(text.contains("without label: 1 of 5 records"))
        #expect(text.contains("set aside: 2 of 5 records (1 wrong_type, 1 wrong_field_count)"))
    }

    @Test("on_bad_record: fail ends with code 1 and names the record")
    func failing() throws {
        let csv = try folder.file("data.csv", "x,y\n1,a\nno,b\n")
        let run = ProgramRun("eval", try pipeline(extra: "on_bad_record: fail"), csv)
        #expect(run.code == .failure)
        #expect(run.messages.contains("offset 1: bad record (wrong_type)"))
    }

    @Test("drift alarms are listed with their records")
    func drift() throws {
        var stream = SyntheticStream(SEASource.self, seed: 3, drift: .never, noise: 0)
        var text = "x,y\n"
        for index in 0..<4000 {
            stream.advance()
            // The class turns round in the middle.
            let isAbove = stream.values[0] > 5
            text += "\(stream.values[0]),\(isAbove == (index < 2000) ? "a" : "b")\n"
        }
        let csv = try folder.file("data.csv", text)
        let file = try pipeline(model: "logistic_regression", extra: "drift:\n  - adwin")
        let result = try json(ProgramRun("eval", file, csv, "--json", "-").output)
        let events = try #require(result["drift"]?.list)
        let offsets = events.filter { $0["signal"]?.text == "drift" }
            .compactMap { $0["offset"]?.integer }
        #expect(offsets.contains { (2000..<2500).contains($0) }, "\(offsets)")
        #expect(ProgramRun("eval", file, csv).output.contains("drift: adwin gave "))
    }

    @Test("an empty file is no mistake")
    func empty() throws {
        let csv = try folder.file("data.csv", "x,y\n")
        let result = try json(ProgramRun("eval", try pipeline(), csv, "--json", "-").output)
        #expect(result["records"]?.integer == 0)
    }

    @Test("a bad pipeline file ends with code 2 and all its mistakes")
    func badPipeline() throws {
        let csv = try folder.file("data.csv", data)
        let file = try folder.file(
            "bad.yaml", "version: 1\npipeline: p\nfeatures:\n  x: numric\nmodel: majorty\n")
        let run = ProgramRun("eval", file, csv)
        #expect(run.code == .usage)
        #expect(run.messages.contains("\(file):4"))
        #expect(run.messages.contains("\(file):5"))
        #expect(run.messages.contains("majority"))
    }

    @Test("a column that is missing is told with the nearest one")
    func missingColumn() throws {
        let csv = try folder.file("data.csv", "temperature,y\n1,a\n")
        let run = ProgramRun("eval", try pipeline(features: "temprature: numeric"), csv)
        #expect(run.code == .usage)
        #expect(run.messages.contains("has no column temprature; did you mean temperature?"))
    }

    @Test("a missing data file and an unwritable result end with code 1")
    func files() throws {
        let file = try pipeline()
        let missing = ProgramRun("eval", file, folder.path("missing.csv"))
        #expect(missing.code == .failure)
        #expect(missing.messages.contains("missing.csv: No such file or directory"))
        let csv = try folder.file("data.csv", data)
        let full = ProgramRun("eval", file, csv, "--predictions", "/dev/full")
        #expect(full.code == .failure)
        #expect(full.messages.contains("No space left on device"))
        let json = ProgramRun("eval", file, csv, "--json", folder.path("no/such/r.json"))
        #expect(json.code == .failure)
    }

    @Test("windows of time need the records' time")
    func timeWindows() throws {
        let csv = try folder.file("data.csv", data)
        let file = try folder.file(
            "time.yaml",
            "version: 1\npipeline: p\nfeatures:\n  x: numeric\nlabel:\n  field: y\n"
                + "model: majority\nmetrics:\n  windows: [1 h]\n")
        let run = ProgramRun("eval", file, csv)
        #expect(run.code == .usage)
        #expect(run.messages.contains("metrics.windows[0]"))
    }
}
