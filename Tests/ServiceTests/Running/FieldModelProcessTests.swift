// Method: a topic keyed by device runs on a real broker with a restart in the middle; its predictions
// are compared with one uninterrupted pass in memory, and with `eval` of a plain pipeline over each
// device's records alone, which knows nothing of models by field.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import TestSupport
import Testing

@Suite(
    "Process with one model per device",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct FieldModelProcessTests {
    private static let devices = 40
    private static let scope = "{ field: device, limit: 1000 }"

    private static func device(_ index: Int) -> Int {
        var random = SplitMix64(seed: UInt64(index) &+ 77)
        return min(random.next(below: devices), random.next(below: devices))
    }

    /// A record of a device, whose identity is now a number and now a text.
    private static func value(_ index: Int) -> String {
        let device = device(index)
        let name = index % 2 == 0 ? "\(device)" : "\"\(device)\""
        return "{\"device\":\(name)," + PipelineFixture.value(index + device * 7).dropFirst()
    }

    private static func place(partitions: Int) -> (Int) -> (key: String, partition: Int) {
        { ("\(device($0))", device($0) % partitions) }
    }

    /// What a prediction says, without whose it is.
    private static func said(_ prediction: String) -> Substring {
        let start = prediction.range(of: "\"prediction\"")?.lowerBound ?? prediction.endIndex
        let end = prediction.range(of: ",\"partition\"")?.lowerBound ?? prediction.endIndex
        return prediction[start..<end]
    }

    @Test("a restart in the middle: as a plain pass, and as a pipeline of its own for each device")
    func restart() throws {
        let fixture = try PipelineFixture("devices", partitions: 4, scope: Self.scope)
        let place = Self.place(partitions: 4)
        try fixture.produce(0..<1500, value: Self.value, place: place)
        let first = fixture.start()
        try fixture.waitForPredictions(1500)
        #expect(first.stop() == .stopped)
        try fixture.produce(1500..<3000, value: Self.value, place: place)
        let second = fixture.start()
        try fixture.waitForPredictions(3000)
        #expect(second.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("task restored") })

        let inputs = try fixture.read(fixture.name)
        let predictions = try fixture.committed(.predictions)
        try fixture.expectPlainPass()
        try compareWithEval(predictions.flatMap { $0 }, inputs.flatMap { $0 })
        let metrics = try fixture.committed(.metrics).joined().map(\.text)
        #expect(
            metrics.contains { $0.contains(#""models":{"field":"device","limit":1000,"live":"#) })
    }

    /// Runs `eval` of a plain pipeline over each device's records and compares what is predicted.
    private func compareWithEval(_ predictions: [KafkaRecord], _ inputs: [KafkaRecord]) throws {
        let folder = try TestFolder()
        let file = try folder.file(
            "single.yaml",
            """
            version: 1
            pipeline: single
            features: { a: numeric, b: numeric }
            label: { field: y, classes: ["0", "1"] }
            prepare: [{ standardize: all }]
            model: { logistic_regression: { learning_rate: 0.05 } }
            """)
        #expect(predictions.map(\.key) == inputs.map(\.key))
        for device in 0..<Self.devices {
            let key = Array("\(device)".utf8)
            let mine = inputs.filter { $0.key == key }.map(\.text)
            guard !mine.isEmpty else { continue }
            let data = try folder.file(
                "\(device).jsonl", mine.joined(separator: "\n") + "\n")
            let out = folder.path("\(device).predictions.jsonl")
            let run = ProgramRun("eval", file, data, "--predictions", out)
            #expect(run.code == .success, "\(run.messages)")
            let alone = try folder.text("\(device).predictions.jsonl")
                .split(separator: "\n").map { Self.said(String($0)) }
            let together = predictions.filter { $0.key == key }.map { Self.said($0.text) }
            #expect(together == alone, "device \(device)")
            #expect(together.count == mine.count)
        }
    }

    @Test("an input that grows to a multiple keeps its tasks; to anything else it is refused")
    func growth() throws {
        let fixture = try PipelineFixture("growing", partitions: 2, scope: Self.scope)
        try fixture.produce(0..<500, value: Self.value, place: Self.place(partitions: 2))
        let first = fixture.start()
        try fixture.waitForPredictions(500)
        #expect(first.stop() == .stopped)

        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.grow(fixture.name, to: 3)
        let refused = fixture.start()
        guard case .failed(let reason)? = refused.wait(seconds: 180) else {
            Issue.record("three partitions for two tasks were taken")
            return
        }
        #expect(reason.contains("a multiple of 2 partitions (4)"), "\(reason)")

        try admin.grow(fixture.name, to: 4)
        try fixture.produce(500..<1500, value: Self.value, place: Self.place(partitions: 4))
        let grown = fixture.start()
        try fixture.waitForPredictions(1500)
        #expect(grown.process.status.liveTasks == [0, 1])
        #expect(grown.stop() == .stopped)
        let predictions = try fixture.committed(.predictions)
        let inputs = try fixture.read(fixture.name)
        #expect(predictions.map(\.count) == inputs.map(\.count))
    }
}
