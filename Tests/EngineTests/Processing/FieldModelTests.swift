// Method: one pipeline with a model per device takes a mixed stream; a pipeline of its own takes each
// device's records, one at a time, and must write the same bytes. With a limit, the oracle drops
// whole pipelines by a plain list. Batch sizes, restore points and faults are varied.
import Core
import Engine
import Formats
import TestSupport
import Testing

@Suite("One model per value of a field")
struct FieldModelTests {
    /// A model, its steps and detectors; with the kind of its label.
    struct Learning: Sendable, CustomTestStringConvertible {
        let lines: String
        var testDescription: String { lines }
    }

    static let regression = Learning(
        lines: """
            label: { field: y }
            prepare: [{ standardize: all }]
            model: { linear_regression: { learning_rate: 0.05 } }
            """)

    static let learnings: [Learning] = [
        regression,
        Learning(
            lines: """
                label: { field: y }
                prepare: [{ impute: all }, { standardize: all }]
                model: { linear_regression: { learning_rate: 0.05 } }
                drift: [{ page_hinkley: { threshold: 3, then: reset } }, { adwin: { then: alert } }]
                """),
        Learning(
            lines: """
                label: { field: class, classes: ["0", "1"] }
                model: { hoeffding_tree: { grace_period: 20 } }
                drift: [{ adwin: { then: alert } }]
                """),
        Learning(
            lines: """
                label: { field: class, classes: ["0", "1"] }
                prepare: [{ min_max: all }]
                model: logistic_regression
                drift: [{ ddm: { then: reset } }]
                """),
        Learning(lines: "model: { kmeans: { k: 3 } }"),
    ]

    static func processor(_ learning: Learning, scope: String) throws -> PipelineProcessor {
        let file = """
            pipeline: fields
            input: { topic: t, id: id }
            features: { a: numeric, b: numeric }
            metrics: { every: 250 records, windows: [100 records] }
            \(learning.lines)
            one_model_per: \(scope)
            """
        let (pipeline, _) = try PipelineReader.read(
            bytes: Array(file.utf8), file: "fields.yaml", environment: { _ in nil })
        return try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
    }

    /// Devices by turns at random, some more often, each with a concept of its own that changes.
    static func records(_ count: Int, devices: Int, seed: UInt64 = 5) -> [RecordList.Record] {
        var random = SplitMix64(seed: seed)
        var seen = [Int](repeating: 0, count: devices)
        var device = 0
        return (0..<count).map { index in
            // Now and then the same device again: runs of several records.
            if random.next(below: 4) > 0 {
                device = min(random.next(below: devices), random.next(below: devices))
            }
            seen[device] += 1
            let a = random.nextUnit()
            let b = random.nextUnit()
            let slope = Double(device + 1) * (seen[device] / 60 % 2 == 0 ? 1 : -1)
            let y = slope * a + b
            let missing = random.next(below: 30) == 0
            let label =
                random.next(below: 20) == 0 ? "" : ",\"y\":\(y),\"class\":\(y > 0.5 ? 1 : 0)"
            // A number or a text: the same device.
            let name = index % 3 == 0 ? "\(device)" : "\"\(device)\""
            let text =
                "{\"id\":\(index),\"device\":\(name),\"a\":\(a)"
                + (missing ? "" : ",\"b\":\(b)") + label + "}"
            return RecordList.Record(
                value: Array(text.utf8), key: Array("\(device)".utf8), offset: Int64(index),
                timestamp: Int64(index) * 10)
        }
    }

    static func device(of record: RecordList.Record) -> String {
        String(decoding: record.key ?? [], as: UTF8.self)
    }

    /// What a processor writes of records, by stream, in calls of at most `cut`.
    static func run(
        _ processor: PipelineProcessor, _ records: [RecordList.Record], cut: Int
    ) throws -> [Core.OutputStream: [String]] {
        var lines: [Core.OutputStream: [String]] = [:]
        try RecordList(records).withRecords { span in
            var first = 0
            while first < span.count {
                let last = min(span.count, first + cut)
                var output = OutputBuffer()
                try processor.process(
                    span.extracting(first..<last), headers: { _ in [] }, into: &output)
                for entry in output.entries {
                    let value = [UInt8](copying: output.value(of: entry))
                    lines[entry.stream, default: []].append(String(decoding: value, as: UTF8.self))
                }
                first = last
            }
        }
        return lines
    }

    /// The predictions of a pipeline for each device, begun anew where a plain list says so.
    static func oracle(
        _ learning: Learning, _ records: [RecordList.Record], limit: Int
    ) throws -> (predictions: [String], evicted: Int) {
        var pipelines: [(device: String, processor: PipelineProcessor)] = []
        var predictions: [String] = []
        var evicted = 0
        for record in records {
            let device = device(of: record)
            if let index = pipelines.firstIndex(where: { $0.device == device }) {
                pipelines.append(pipelines.remove(at: index))
            } else {
                if pipelines.count == limit {
                    pipelines.removeFirst()
                    evicted += 1
                }
                pipelines.append((device, try processor(learning, scope: "pipeline")))
            }
            let processor = pipelines[pipelines.count - 1].processor
            predictions += try run(processor, [record], cut: 1)[.predictions] ?? []
        }
        return (predictions, evicted)
    }

    @Test(
        "each device is predicted as by a pipeline of its own, wherever batches are cut",
        arguments: learnings, [(20, 1_000), (4, 5), (1, 1)])
    func pipelinesOfTheirOwn(learning: Learning, bounds: (devices: Int, limit: Int)) throws {
        let records = Self.records(600, devices: bounds.devices)
        let expected = try Self.oracle(learning, records, limit: bounds.limit)
        for cut in [1, 7, 1_000] {
            let processor = try Self.processor(
                learning, scope: "{ field: device, limit: \(bounds.limit) }")
            let lines = try Self.run(processor, records, cut: cut)
            #expect(lines[.predictions] == expected.predictions, "cut \(cut)")
            #expect(lines[.deadLetters] == nil)
        }
    }

    @Test(
        "the device without a record for longest gives way, in the order of the stream",
        arguments: learnings, [1, 2, 5, 19])
    func eviction(learning: Learning, limit: Int) throws {
        let records = Self.records(400, devices: 20)
        let expected = try Self.oracle(learning, records, limit: limit)
        for cut in [1, 50, 1_000] {
            let processor = try Self.processor(
                learning, scope: "{ field: device, limit: \(limit) }")
            let lines = try Self.run(processor, records, cut: cut)
            #expect(lines[.predictions] == expected.predictions, "cut \(cut)")
            #expect(processor.counters.models?.live == limit)
            #expect(processor.counters.models?.evicted == expected.evicted)
        }
    }

    @Test("metrics and drift events do not depend on where batches are cut", arguments: learnings)
    func metrics(learning: Learning) throws {
        let records = Self.records(3_000, devices: 6)
        var all: [[String]?] = []
        for cut in [1, 7, 1_000] {
            let processor = try Self.processor(learning, scope: "{ field: device, limit: 5 }")
            all.append(try Self.run(processor, records, cut: cut)[.metrics])
        }
        #expect(all[0] != nil && all[0] == all[1] && all[0] == all[2])
        let reports = all[0]?.filter { $0.contains(#""type":"metrics""#) } ?? []
        // Clusters are few: a device may lose its model before its centres stand.
        #expect(reports.count >= (learning.lines.contains("kmeans") ? 1 : 10))
        #expect(
            reports.allSatisfy { $0.contains(#""models":{"field":"device","limit":5,"live":5"#) })
        let drifts = all[0]?.filter { $0.contains(#""type":"drift""#) } ?? []
        if learning.lines.contains("page_hinkley") { #expect(!drifts.isEmpty) }
        var named = 0
        for record in records {
            for drift in drifts where drift.contains("\"offset\":\(record.offset),") {
                #expect(drift.contains("\"model\":\"\(Self.device(of: record))\""))
                named += 1
            }
        }
        #expect(named == drifts.count)
    }

    @Test("state restored at any point goes on with the same bytes", arguments: learnings)
    func restoring(learning: Learning) throws {
        let records = Self.records(900, devices: 12)
        let scope = "{ field: device, limit: 8 }"
        let whole = try Self.run(
            try Self.processor(learning, scope: scope), records, cut: 1_000)
        for point in [0, 1, 100, 333, 899] {
            let first = try Self.processor(learning, scope: scope)
            var lines = try Self.run(first, Array(records.prefix(point)), cut: 100)
            var encoder = StateEncoder()
            first.encodeState(to: &encoder)
            let second = try Self.processor(learning, scope: scope)
            var decoder = StateDecoder(encoder.bytes)
            try second.restoreState(from: &decoder)
            try decoder.finish()
            var again = StateEncoder()
            second.encodeState(to: &again)
            #expect(again.bytes == encoder.bytes, "encode, decode, encode at \(point)")
            #expect(second.counters == first.counters)
            let rest = try Self.run(second, Array(records.dropFirst(point)), cut: 100)
            for (stream, more) in rest { lines[stream, default: []] += more }
            #expect(lines == whole, "restored at \(point)")
        }
    }

    @Test("damaged state is refused, not taken in part")
    func damage() throws {
        let scope = "{ field: device, limit: 8 }"
        let first = try Self.processor(Self.regression, scope: scope)
        _ = try Self.run(first, Self.records(100, devices: 12), cut: 100)
        var encoder = StateEncoder()
        first.encodeState(to: &encoder)
        for count in stride(from: 0, to: encoder.bytes.count, by: 97) {
            let second = try Self.processor(Self.regression, scope: scope)
            var decoder = StateDecoder(Array(encoder.bytes.prefix(count)))
            #expect(throws: StateError.self) { try second.restoreState(from: &decoder) }
        }
        let narrow = try Self.processor(Self.regression, scope: "{ field: device, limit: 7 }")
        var decoder = StateDecoder(encoder.bytes)
        #expect(throws: StateError.self) { try narrow.restoreState(from: &decoder) }
    }

    @Test("a record without a value for the field is a bad record, and leaves no trace")
    func faults() throws {
        let long = String(repeating: "x", count: 1_025)
        let bad = [
            #"{"a":1,"b":1,"y":1}"#, #"{"device":null,"a":1,"b":1,"y":1}"#,
            #"{"device":"","a":1,"b":1,"y":1}"#, #"{"device":[1],"a":1,"b":1,"y":1}"#,
            #"{"device":{},"a":1,"b":1,"y":1}"#, #"{"device":"\#(long)","a":1,"b":1,"y":1}"#,
        ]
        let good = [
            #"{"device":1,"a":1,"b":1,"y":1}"#, #"{"device":"1","a":1,"b":1,"y":1}"#,
            #"{"device":true,"a":1,"b":1,"y":1}"#, #"{"device":"true","a":1,"b":1,"y":1}"#,
            #"{"device":"\#(long.dropLast())","a":1,"b":1,"y":1}"#,
        ]
        let processor = try Self.processor(Self.regression, scope: "{ field: device }")
        let list = RecordList(bad + good)
        let lines = try Self.run(processor, list.records, cut: 100)
        #expect(lines[.predictions]?.count == good.count)
        #expect(lines[.deadLetters] == bad)
        let fault = Int(RecordFault.invalidModelField.rawValue)
        #expect(processor.counters.faults[fault] == bad.count)
        #expect(processor.counters.models?.live == 3)
        #expect(processor.counters.models?.unkeyed == bad.count + good.count)
    }

    @Test("memory is bounded by the limit")
    func memory() throws {
        let one = try Self.processor(Self.regression, scope: "{ field: device, limit: 1 }")
        let ten = try Self.processor(Self.regression, scope: "{ field: device, limit: 10 }")
        let records = Self.records(2_000, devices: 100)
        _ = try Self.run(one, records, cut: 500)
        _ = try Self.run(ten, records, cut: 500)
        let empty = try Self.processor(Self.regression, scope: "{ field: device }").stateBytes
        let single = one.stateBytes - empty
        #expect(single > 0)
        #expect((9 * single...11 * single).contains(ten.stateBytes - empty))
    }
}
