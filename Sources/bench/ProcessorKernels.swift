import CPlatform
import Core
import Engine
import Formats
import Foundation
import TestSupport

/// The whole way of a record in memory, from bytes to bytes, as a task on Kafka takes it.
struct ProcessorKernels {
    let batchRecords: Int
    let repetitions: Int

    func measure() throws -> [Kernel] {
        let source = try ElectricityRows()
        let records = source.records()
        return try RecordList(records).withRecords { records in
            try ["hoeffding_tree: {}", "logistic_regression: {}"].map { model in
                try measure(model, records)
            }
        }
    }

    private func measure(_ model: String, _ records: Span<RawRecord>) throws -> Kernel {
        let file = PipelineFile(
            name: "bench", bootstrap: "localhost:9092", inputTopic: "electricity", model: model,
            oneModelPer: "pipeline")
        let (pipeline, _) = try PipelineReader.read(
            bytes: Array(file.text.utf8), file: "bench.yaml")
        func make() throws -> PipelineProcessor {
            try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
        }
        var output = OutputBuffer(capacity: 1 << 20)
        var nanoseconds: [Double] = []
        var processor = try make()
        for repetition in 0...repetitions {
            processor = try make()
            let start = tw_thread_cpu_nanoseconds()
            try processor.pass(records, batchRecords: batchRecords, into: &output)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(records.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        let allocations = try countAllocations { () throws(TaskFailure) in
            try processor.pass(records, batchRecords: batchRecords, into: &output)
        }
        let name = model.split(separator: ":")[0].replacingOccurrences(of: "_", with: " ")
        return Kernel(
            name: "whole pipeline, \(name), elec", nanoseconds: nanoseconds,
            allocations: allocations, records: records.count, prototype: nil)
    }
}

extension PipelineProcessor {
    /// Takes all records in batches; of the output the last batch's stays.
    func pass(
        _ records: Span<RawRecord>, batchRecords: Int, into output: inout OutputBuffer
    ) throws(TaskFailure) {
        for start in stride(from: 0, to: records.count, by: batchRecords) {
            output.clear()
            try process(
                records.extracting(start..<min(records.count, start + batchRecords)),
                headers: { _ in [] }, into: &output)
        }
    }
}
