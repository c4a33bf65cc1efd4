import CPlatform
import Core
import Engine
import Formats
import Foundation
import TestSupport

/// What a model per device costs beside one model for all, from bytes to bytes.
struct FieldKernels {
    static let recordCount = 100_000
    static let deviceCount = 1_000

    let batchRecords: Int
    let repetitions: Int

    func measure() throws -> [Kernel] {
        var random = SplitMix64(seed: 7)
        let records = (0..<Self.recordCount).map { index in
            let device = random.next(below: Self.deviceCount)
            let load = random.nextUnit()
            let text =
                "{\"device_id\":\"d\(device)\",\"load\":\(load),\"temperature\":\(30 * random.nextUnit()),"
                + "\"energy\":\(load * Double(device % 10))}"
            return RecordList.Record(
                value: Array(text.utf8), key: Array("d\(device)".utf8), offset: Int64(index),
                timestamp: Int64(index))
        }
        return try RecordList(records).withRecords { records in
            try [
                ("one model", "pipeline"),
                ("1,000 models", "{ field: device_id }"),
                ("1,000 values, limit 500", "{ field: device_id, limit: 500 }"),
            ].map { try measure($0.0, scope: $0.1, records) }
        }
    }

    private func measure(
        _ name: String, scope: String, _ records: Span<RawRecord>
    ) throws -> Kernel {
        let file = """
            pipeline: devices
            input: { topic: devices }
            features: { load: numeric, temperature: numeric }
            label: { field: energy }
            prepare: [{ standardize: all }]
            model: linear_regression
            one_model_per: \(scope)
            metrics: { every: 10000 records, track: [mae, rmse] }
            """
        let (pipeline, _) = try PipelineReader.read(
            bytes: Array(file.utf8), file: "bench.yaml")
        let processor = try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
        var output = OutputBuffer(capacity: 1 << 20)
        var nanoseconds: [Double] = []
        for repetition in 0...repetitions {
            let start = tw_thread_cpu_nanoseconds()
            try processor.pass(records, batchRecords: batchRecords, into: &output)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(records.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        let allocations = try countAllocations { () throws(TaskFailure) in
            try processor.pass(records, batchRecords: batchRecords, into: &output)
        }
        return Kernel(
            name: "whole pipeline, linear regression, devices, \(name)", nanoseconds: nanoseconds,
            allocations: allocations, records: records.count, prototype: nil)
    }
}
