import CPlatform
import Core
import Formats
import Foundation
import TestSupport

/// Decoding electricity records from flat JSON and encoding their predictions.
struct FormatKernels {
    let batchRecords: Int
    let repetitions: Int

    func measure() throws -> [Kernel] {
        let records = try ElectricityRows().records()
        return try RecordList(records).withRecords { records in
            let decode = try decoding(records)
            let encode = try encoding(records)
            return [decode, encode]
        }
    }

    private var schema: Schema {
        let names = ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"]
        return Schema(
            features: names.map { Feature(name: $0, path: [$0], kind: .numeric) },
            label: LabelField(
                path: ["class"], kind: .category(classes: ["0", "1"], limit: 100),
                isRequired: false),
            idPath: ["id"])
    }

    private func decoding(_ records: Span<RawRecord>) throws -> Kernel {
        var decoder = try RecordDecoder(schema: schema, format: .json)
        var batch = DecodedBatch(columnCount: 6, capacity: batchRecords)
        var nanoseconds: [Double] = []
        for repetition in 0...repetitions {
            let start = tw_thread_cpu_nanoseconds()
            decodeAll(records, &decoder, &batch)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(records.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        let allocations = countAllocations { decodeAll(records, &decoder, &batch) }
        return Kernel(
            name: "decode JSON, elec", nanoseconds: nanoseconds, allocations: allocations,
            records: records.count, prototype: nil)
    }

    private func decodeAll(
        _ records: Span<RawRecord>, _ decoder: inout RecordDecoder, _ batch: inout DecodedBatch
    ) {
        for start in stride(from: 0, to: records.count, by: batchRecords) {
            batch.clear()
            let end = min(records.count, start + batchRecords)
            decoder.decode(records.extracting(start..<end), into: &batch)
            precondition(batch.rows.count == end - start, "a good record was set aside")
        }
    }

    private func encoding(_ records: Span<RawRecord>) throws -> Kernel {
        var decoder = try RecordDecoder(schema: schema, format: .json)
        var batch = DecodedBatch(columnCount: 6, capacity: records.count)
        decoder.decode(records, into: &batch)
        var predictions = Predictions(capacity: records.count, classCapacity: 2)
        var random = SplitMix64(seed: 7)
        for row in 0..<records.count {
            let probability = random.nextUnit()
            predictions.setLabel(row, probability >= 0.5 ? 1 : 0)
            predictions.setProbability(row, 0, 1 - probability)
            predictions.setProbability(row, 1, probability)
        }
        var encoder = PredictionEncoder(.classification)
        var output = OutputBuffer(capacity: 1 << 20)
        var nanoseconds: [Double] = []
        for repetition in 0...repetitions {
            let start = tw_thread_cpu_nanoseconds()
            encodeAll(records, &encoder, decoder, batch, predictions, &output)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(records.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        let allocations = countAllocations {
            encodeAll(records, &encoder, decoder, batch, predictions, &output)
        }
        return Kernel(
            name: "encode prediction, two classes", nanoseconds: nanoseconds,
            allocations: allocations, records: records.count, prototype: nil)
    }

    private func encodeAll(
        _ records: Span<RawRecord>, _ encoder: inout PredictionEncoder,
        _ decoder: borrowing RecordDecoder, _ batch: borrowing DecodedBatch,
        _ predictions: borrowing Predictions, _ output: inout OutputBuffer
    ) {
        for start in stride(from: 0, to: records.count, by: batchRecords) {
            output.clear()
            encoder.encode(
                start..<min(records.count, start + batchRecords), of: batch, records: records,
                predictions: predictions, classes: decoder.classes, into: &output)
        }
    }
}
