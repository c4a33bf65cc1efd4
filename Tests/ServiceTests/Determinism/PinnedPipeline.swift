import Core
import Engine
import Formats
import Foundation
import TestSupport
import Testing

/// A pipeline, its stream, and the hashes that its predictions and its final state must have.
struct PinnedPipeline: Sendable, CustomTestStringConvertible {
    let name: String
    let stream: PinnedStream
    /// The pipeline file; `nil` for the one of this name in `configs/`.
    let text: String?
    let predictions: UInt64
    let state: UInt64

    var testDescription: String { name }

    static let recordCount = 4_000

    static func file(
        _ name: String, _ stream: PinnedStream, predictions: UInt64, state: UInt64
    ) -> PinnedPipeline {
        PinnedPipeline(
            name: name, stream: stream, text: nil, predictions: predictions, state: state)
    }

    /// A pipeline over the fields of `stream`; `lines` name model, steps and detectors.
    static func variant(
        _ name: String, _ stream: PinnedStream, _ lines: String, predictions: UInt64,
        state: UInt64
    ) -> PinnedPipeline {
        let fields =
            switch stream {
            case .electricity:
                """
                features: { period: numeric, nswprice: numeric, nswdemand: numeric, \
                vicprice: numeric, vicdemand: numeric, transfer: numeric }
                label: { field: class, classes: ["0", "1"] }
                """
            case .randomTree:
                """
                features: { nominal1: categorical, nominal2: categorical, nominal3: categorical, \
                nominal4: categorical, nominal5: categorical, numeric1: numeric, \
                numeric2: numeric, numeric3: numeric, numeric4: numeric, numeric5: numeric }
                label: { field: class }
                """
            case .ragged:
                """
                features: { a: numeric, b: numeric, c: categorical }
                label: { field: k }
                """
            case .friedman:
                """
                features: { attr_0: numeric, attr_1: numeric, attr_2: numeric, attr_3: numeric, \
                attr_4: numeric }
                label: { field: target }
                """
            case .sea, .blobs, .words: ""
            }
        let text =
            "pipeline: \(name)\ninput: { topic: t\(stream == .ragged ? ", weight: w" : "") }\n\(fields)\n\(lines)\n"
        return PinnedPipeline(
            name: name, stream: stream, text: text, predictions: predictions, state: state)
    }

    /// The bytes of the pipeline file.
    func fileBytes() throws -> [UInt8] {
        if let text { return Array(text.utf8) }
        return [UInt8](
            try Data(contentsOf: TestEnvironment.repository.appending(path: "configs/\(name)")))
    }

    func processor() throws -> PipelineProcessor {
        try Self.processor(file: fileBytes())
    }

    /// The processor of a pipeline file.
    static func processor(file: [UInt8]) throws -> PipelineProcessor {
        let (pipeline, _) = try PipelineReader.read(
            bytes: file, file: "pinned.yaml", environment: { _ in nil })
        return try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
    }

    /// Feeds a range of records in batches and adds the bytes of their predictions to a hash.
    static func feed(
        _ processor: PipelineProcessor, _ records: Span<RawRecord>, _ range: Range<Int>,
        batch: Int, into hash: inout ContentHash
    ) throws {
        var output = OutputBuffer()
        for start in stride(from: range.lowerBound, to: range.upperBound, by: batch) {
            output.clear()
            try processor.process(
                records.extracting(start..<min(range.upperBound, start + batch)),
                headers: { _ in [] }, into: &output)
            for entry in output.entries where entry.stream == .predictions {
                hash.combine(output.value(of: entry))
            }
        }
    }

    static func state(_ processor: PipelineProcessor) -> [UInt8] {
        var encoder = StateEncoder()
        processor.encodeState(to: &encoder)
        return encoder.bytes
    }

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var hash = ContentHash()
        hash.combine(bytes.span)
        return hash.value
    }
}
