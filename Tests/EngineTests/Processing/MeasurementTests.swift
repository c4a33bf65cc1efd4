// Method: a state is taken over by pipelines that measure and watch otherwise; predictions must go on
// as if nothing had changed, what is equal goes on counting, and the rest begins anew.
import Core
import Engine
import Evaluation
import Formats
import TestSupport
import Testing

@Suite("States under other metrics and detectors")
struct MeasurementTests {
    private static let watching = "drift: [{ adwin: { then: alert } }, { ddm: { then: reset } }]"

    private func processor(
        _ more: String, metrics: String = "every: 100 records, windows: [200 records]",
        scope: String = "pipeline"
    ) throws -> PipelineProcessor {
        let text = """
            pipeline: p
            input: { topic: t, id: id }
            features: { a: numeric, b: numeric }
            label: { field: class, classes: ["0", "1"] }
            model: { hoeffding_tree: { grace_period: 20 } }
            metrics: { \(metrics) }
            one_model_per: \(scope)
            \(more)
            """
        let pipeline = try PipelineReader.read(
            bytes: Array(text.utf8), file: "p.yaml", environment: { _ in nil }
        ).pipeline
        return try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
    }

    /// The predictions of some records, with what was before them.
    private func feed(
        _ processor: PipelineProcessor, _ list: RecordList, _ range: Range<Int>
    ) throws -> [[UInt8]] {
        var output = OutputBuffer()
        try list.withRecords { records in
            try processor.process(
                records.extracting(range), headers: { _ in [] }, into: &output)
        }
        return output.entries.filter { $0.stream == .predictions }.map {
            [UInt8](copying: output.value(of: $0))
        }
    }

    private func move(_ state: PipelineProcessor, to other: PipelineProcessor) throws {
        var encoder = StateEncoder()
        state.encodeState(to: &encoder)
        var decoder = StateDecoder(encoder.finish())
        try other.restoreState(from: &decoder)
        try decoder.finish()
    }

    @Test(
        "models go on under other windows and detectors",
        arguments: ["pipeline", "{ field: device }"])
    func goesOn(scope: String) throws {
        let list = RecordList(FieldModelTests.records(1200, devices: 4))
        let first = try processor(Self.watching, scope: scope)
        _ = try feed(first, list, 0..<800)
        let drifts = first.counters.drifts
        let other = try processor(
            """
            drift: [{ page_hinkley: { then: alert } }, { ddm: { then: reset } }, \
            { adwin: { then: alert } }]
            """, metrics: "every: 50 records, windows: [10 records, 1 h]", scope: scope)
        try move(first, to: other)
        #expect(other.fingerprint == first.fingerprint)
        #expect(other.learnedHash() == first.learnedHash())
        #expect(other.stateHash() != first.stateHash())
        #expect(other.counters.records == 800)
        #expect(other.counters.drifts == [0, drifts[1], drifts[0]])
        #expect(other.report().evaluated == 0, "metrics begin anew")
        let measured = first.report().evaluated
        #expect(measured > 700)
        #expect(try feed(first, list, 800..<1200) == feed(other, list, 800..<1200))
        #expect(other.learnedHash() == first.learnedHash())
        #expect(other.report().evaluated == first.report().evaluated - measured)
        // The detectors that went on have seen the same errors.
        #expect(other.counters.drifts[1] == first.counters.drifts[1])
        #expect(other.counters.drifts[2] == first.counters.drifts[0])
    }

    @Test("metrics go on where only detectors, or what is tracked, change")
    func metricsGoOn() throws {
        let list = RecordList(FieldModelTests.records(600, devices: 1))
        let first = try processor(Self.watching)
        _ = try feed(first, list, 0..<500)
        let other = try processor(
            "drift: [{ ddm: { then: reset } }]",
            metrics: "every: 100 records, windows: [200 records], track: [accuracy]")
        try move(first, to: other)
        #expect(other.report().evaluated == first.report().evaluated)
        _ = try feed(first, list, 500..<600)
        _ = try feed(other, list, 500..<600)
        #expect(
            other.report().scopes.map { $0.count } == first.report().scopes.map { $0.count })
        #expect(other.learnedHash() == first.learnedHash())
    }

    @Test("a state of format 1, which did not say how it was measured, is read as the file says")
    func firstFormat() throws {
        let list = RecordList(FieldModelTests.records(300, devices: 1))
        let first = try processor(Self.watching)
        _ = try feed(first, list, 0..<300)
        var encoder = StateEncoder()
        first.encodeState(to: &encoder)
        let newest = encoder.finish()
        // Format 1 had neither the texts at the beginning nor the length before the evaluator.
        var decoder = StateDecoder(newest)
        _ = try decoder.section("pipeline", through: 2)
        _ = try decoder.readString()
        for _ in 0..<(2 * (try decoder.readInt())) { _ = try decoder.readString() }
        let rest = Array(newest[(newest.count - decoder.remaining)...])
        var marker = StateEncoder()
        marker.write("classification_evaluator")
        let place = try #require(
            rest.indices.first { rest[$0...].starts(with: marker.bytes) })
        var old = StateEncoder()
        old.section("pipeline", version: 1)
        var reader = StateDecoder(old.finish() + rest[..<(place - 8)] + rest[place...])
        let other = try processor(Self.watching)
        try other.restoreState(from: &reader)
        var again = StateEncoder()
        other.encodeState(to: &again)
        #expect(again.finish() == newest)
    }
}
