// Method: a pipeline that is warm takes a stream again, from bytes to bytes, under a counting malloc;
// the number kept here is what the project promises for each 1,000 records.
import Core
import Engine
import Formats
import TestSupport
import Testing

@Suite("Allocations of a warm pipeline")
struct ProcessorAllocationTests {
    private static let recordCount = 20_000

    /// Numbers with a class that depends on them; every 50th record misses one.
    private static func records() -> RecordList {
        var random = Lehmer(seed: 11)
        return RecordList(
            (0..<recordCount).map { index in
                let a = random.unit()
                let b = random.unit()
                let label = a + b > 1 ? "1" : "0"
                let missing = index % 50 == 0 ? "null" : "\(b)"
                return "{\"id\":\(index),\"a\":\(a),\"b\":\(missing),\"class\":\"\(label)\"}"
            })
    }

    private static func processor(_ lines: String) throws -> PipelineProcessor {
        let file = """
            pipeline: allocations
            input: { topic: t, id: id }
            features: { a: numeric, b: numeric }
            label: { field: class, classes: ["0", "1"] }
            metrics: { every: 1000000 records, windows: [1000 records], track: [accuracy, kappa] }
            \(lines)
            """
        let (pipeline, _) = try PipelineReader.read(
            bytes: Array(file.utf8), file: "allocations.yaml", environment: { _ in nil })
        return try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
    }

    @Test(
        "decoding, learning, judging and encoding allocate no more than is promised",
        .enabled(if: TestEnvironment.isRelease, "counts what optimised code allocates"),
        arguments: [
            ("model: logistic_regression", 0),
            ("prepare: [{ standardize: all }]\nmodel: logistic_regression", 0),
            ("prepare: [{ impute: all }, { min_max: all }]\nmodel: logistic_regression", 0),
            ("model: majority", 0),
            ("model: no_change", 0),
            ("model: logistic_regression\ndrift: [{ adwin: { then: alert } }]", 0),
            // A split makes new leaves: 45 in these 20,000 records. Attempts to split make none.
            ("model: hoeffding_tree", 3),
        ])
    func allocations(lines: String, perThousandMax: Int) throws {
        let processor = try Self.processor(lines)
        var output = OutputBuffer(capacity: 1 << 20)
        try Self.records().withRecords { records in
            func pass() throws(TaskFailure) {
                for start in stride(from: 0, to: records.count, by: 1_000) {
                    output.clear()
                    try processor.process(
                        records.extracting(start..<start + 1_000), headers: { _ in [] },
                        into: &output)
                }
            }
            try pass()
            let count = try countAllocations { () throws(TaskFailure) in try pass() }
            let limit = perThousandMax * Self.recordCount / 1_000
            #expect((count ?? 0) <= limit, "in \(Self.recordCount) records")
        }
    }
}
