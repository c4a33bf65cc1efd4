// Method: a pipeline file is changed in one place after the other; each change must be told by its key
// and effect, and exactly those that change the fingerprint must be told to make another model.
import Core
import Engine
import Testing

@Suite("Changes of a pipeline file")
struct PipelineChangeTests {
    private static let text = """
        pipeline: p
        input: { topic: t, format: json, id: id, time: { field: at, unit: ms } }
        features: { a: numeric, b: { categorical: [x, y] }, c: text }
        label: { field: y, classes: ["0", "1"] }
        prepare: [{ standardize: all }]
        model: { logistic_regression: { learning_rate: 0.05 } }
        one_model_per: { field: device, limit: 10 }
        metrics: { every: 100 records, windows: [200 records] }
        drift: [{ adwin: { then: alert } }, { ddm: { then: reset } }]
        """

    private func pipeline(_ text: String = Self.text) throws -> Pipeline {
        try PipelineReader.read(
            bytes: Array(text.utf8), file: "p.yaml", environment: { _ in nil }
        ).pipeline
    }

    /// A replacement in the file with the key that it changes and what follows.
    struct Change: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let key: String
        let effect: PipelineChange.Effect
        var testDescription: String { "\(old) → \(new)" }

        init(_ old: String, _ new: String, _ key: String, _ effect: PipelineChange.Effect) {
            self.old = old
            self.new = new
            self.key = key
            self.effect = effect
        }
    }

    static let changes: [Change] = [
        Change("a: numeric", "a: boolean", "features.a", .newVersion),
        Change("a: numeric", "a: { numeric: { field: z } }", "features.a", .newVersion),
        Change("[x, y]", "[y, x]", "features.b", .newVersion),
        Change("a: numeric, ", "", "features", .newVersion),
        Change("field: y,", "field: z,", "label.field", .newVersion),
        Change(#"["0", "1"]"#, #"["1", "0"]"#, "label.classes", .newVersion),
        Change(#""1"] }"#, #""1"], limit: 5 }"#, "label.limit", .newVersion),
        Change(#""1"] }"#, #""1"], required: true }"#, "label.required", .newVersion),
        Change(#""1"] }"#, #""1"], positive: "0" }"#, "label.positive", .kept),
        Change(
            "format: json", "format: { csv: { columns: [a, b, c, y, id, at, device] } }",
            "input.format", .newVersion),
        Change("id: id", "id: key", "input.id", .newVersion),
        Change("id: id", "weight: w", "input.weight", .newVersion),
        Change("unit: ms", "unit: s", "input.time.unit", .newVersion),
        Change("field: at", "field: when", "input.time.field", .newVersion),
        Change("topic: t,", "topic: other,", "input.topic", .newVersion),
        Change("topic: t,", "topic: t, start: latest,", "input.start", .kept),
        Change("standardize", "min_max", "prepare[0]", .newVersion),
        Change("0.05", "0.1", "model.learning_rate", .newVersion),
        Change("limit: 10", "limit: 11", "one_model_per.limit", .newVersion),
        Change("field: device", "field: shop", "one_model_per", .newVersion),
        Change("metrics:", "limits: { value: 5 KiB }\nmetrics:", "limits.value", .newVersion),
        Change("metrics:", "limits: { hash_bits: 9 }\nmetrics:", "limits.hash_bits", .newVersion),
        Change("metrics:", "seed: 7\nmetrics:", "seed", .newVersion),
        Change("100 records", "50 records", "metrics.every", .measuredAnew),
        Change("[200 records]", "[200 records, 1 h]", "metrics.windows", .measuredAnew),
        Change("every:", "track: [accuracy], every:", "metrics.track", .kept),
        Change("adwin: { then", "adwin: { delta: 0.01, then", "drift[0]", .measuredAnew),
        Change("adwin: { then: alert", "adwin: { then: reset", "drift[0]", .newVersion),
        Change("ddm: { then", "ddm: { warning_level: 1.5, then", "drift[1]", .newVersion),
        Change("metrics:", "on_bad_record: skip\nmetrics:", "on_bad_record", .kept),
        Change("metrics:", "output: { topic: q }\nmetrics:", "output.topic", .kept),
        Change("metrics:", "output: { state: q }\nmetrics:", "output.state", .refused),
        Change(
            "metrics:", "delivery: { guarantee: at_least_once }\nmetrics:", "delivery.guarantee",
            .kept),
        Change(
            "metrics:", "delivery: { commit_every: 1 s }\nmetrics:", "delivery.commit_every", .kept),
        Change(
            "metrics:", "state: { on_lost_input: continue_from_snapshot }\nmetrics:",
            "state.on_lost_input", .kept),
    ]

    @Test("each change is told by its key and effect", arguments: changes)
    func effects(change: Change) throws {
        let before = try pipeline()
        let text = Self.text.replacing(change.old, with: change.new, maxReplacements: 1)
        #expect(text != Self.text)
        let after = try pipeline(text)
        let found = PipelineChange.all(from: before.recordedSettings, to: after.recordedSettings)
        let told = try #require(
            found.first { $0.key == change.key }, "\(found.map(\.text))")
        #expect(told.effect == change.effect)
        let isOther = before.fingerprint != after.fingerprint
        // Another input is refused by the journal's entries, not by the fingerprint.
        let isTold = found.contains { $0.effect == .newVersion && $0.key != "input.topic" }
        #expect(isOther == isTold, "\(found.map(\.text))")
    }

    @Test("the same file has no changes, and client properties are not compared")
    func same() throws {
        let before = try pipeline()
        let after = try pipeline(Self.text + "\nkafka: { linger.ms: 5 }")
        #expect(
            PipelineChange.all(from: before.recordedSettings, to: after.recordedSettings).isEmpty)
        #expect(Set(before.recordedSettings.map(\.name)).count == before.recordedSettings.count)
    }

    @Test("the verdict follows versions, fingerprints and changes")
    func verdicts() throws {
        let before = try pipeline()
        func stored(
            version: UInt32 = 1, settings: [TextPair]? = before.recordedSettings,
            fingerprint: UInt64 = before.fingerprint.value, numerics: UInt32 = numericsVersion
        ) -> ChangeReport.Stored {
            ChangeReport.Stored(
                version: version, fingerprint: fingerprint, numericsVersion: numerics,
                settings: settings)
        }
        func refusal(_ report: ChangeReport) -> String {
            guard case .refused(let why) = report.verdict else { return "\(report.verdict)" }
            return why
        }
        let other = try pipeline(Self.text.replacing("0.05", with: "0.1"))
        let raised = try pipeline(
            Self.text.replacing("0.05", with: "0.1") + "\nstate: { version: 2 }")
        #expect(ChangeReport(before, stored: stored()).verdict == .keeps)
        let refused = refusal(ChangeReport(other, stored: stored()))
        #expect(refused.contains("model.learning_rate"), "\(refused)")
        #expect(refused.contains("state.version: 2"), "\(refused)")
        #expect(ChangeReport(raised, stored: stored()).verdict == .begins)
        #expect(
            ChangeReport(raised, stored: stored()).changes.map(\.key) == ["model.learning_rate"])
        #expect(refusal(ChangeReport(raised, stored: stored(version: 3))).contains("to 4"))
        #expect(
            refusal(ChangeReport(before, stored: stored(fingerprint: 1))).contains(
                "learns differently"))
        #expect(
            refusal(ChangeReport(before, stored: stored(settings: nil, fingerprint: 1))).contains(
                "raise state.version"))
        #expect(
            refusal(ChangeReport(before, stored: stored(numerics: 99))).contains("numerics"))
        let moved = try pipeline(Self.text + "\noutput: { state: q }")
        #expect(refusal(ChangeReport(moved, stored: stored())).contains("change it back"))
    }

    @Test("a secret is compared by its hash and never shown")
    func secrets() throws {
        func settings(_ id: String) throws -> [TextPair] {
            try PipelineReader.read(
                bytes: Array(Self.text.replacing("id: id", with: "id: \"${env:ID}\"").utf8),
                file: "p.yaml", environment: { _ in id }
            ).pipeline.recordedSettings
        }
        let (one, other) = (try settings("hidden_one"), try settings("hidden_two"))
        let changes = PipelineChange.all(from: one, to: other)
        #expect(changes.map(\.key) == ["input.id"])
        #expect(!changes[0].text.contains("hidden"), "\(changes[0].text)")
    }
}
