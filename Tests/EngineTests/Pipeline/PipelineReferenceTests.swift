// Method: committed pages are compared with generated ones; the JSON Schema is checked by a plain
// checker against the example pipelines, which it must accept, and against mistakes.
import Configuration
import Core
import Engine
import Foundation
import TestSupport
import Testing

@Suite("Pipeline reference")
struct PipelineReferenceTests {
    private static let folder = TestEnvironment.repository.appending(path: "docs/reference")

    @Test(
        "the committed reference is the generated one",
        arguments: PipelineReference.pages().map(\.name))
    func committed(name: String) throws {
        let page = try #require(PipelineReference.pages().first { $0.name == name })
        let url = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["TIDEWHEEL_WRITE_REFERENCE"] != nil {
            try FileManager.default.createDirectory(
                at: Self.folder, withIntermediateDirectories: true)
            try Data(page.content.utf8).write(to: url)
        }
        let committed = String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self)
        #expect(
            committed == page.content,
            "write it anew: TIDEWHEEL_WRITE_REFERENCE=1 swift test --filter PipelineReferenceTests")
    }

    private func schemaAccepts(_ text: String) throws -> Bool {
        let (root, mistakes) = YAMLReader.read(Array(text.utf8), file: "f")
        try #require(mistakes.isEmpty)
        let schema = JSONSchemaWriter.schema(
            title: "t", description: "d", PipelineDeclarations.settings(PipelineTest.catalogue))
        return JSONSchemaChecker(schema).accepts(try #require(root))
    }

    @Test("the schema accepts the example pipelines")
    func examples() throws {
        let folder = TestEnvironment.repository.appending(path: "configs")
        let schema = JSONSchemaWriter.schema(
            title: "t", description: "d", PipelineDeclarations.settings(.standard))
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            let root = try #require(YAMLReader.read(bytes, file: name).root)
            let isAccepted = JSONSchemaChecker(schema).accepts(root)
            #expect(isAccepted, "\(name)")
        }
    }

    @Test(
        "the schema accepts what the reader accepts",
        arguments: [
            "", "input: {format: {csv: {columns: [a, b, y], separator: \";\"}}}", "prepare:",
            "prepare: [standardize, {standardize: all}, {standardize: [a]}, {impute: {columns: [a]}}]",
            "one_model_per: partition", "seed: \"${env:SEED:-3}\"",
            "metrics: {every: 1.5 h, windows: [2 days]}",
            "delivery: {commit_every: auto}", "delivery: {commit_every: 5 ms}",
            "drift: [adwin, {adwin: {then: reset}}]",
            "kafka: {linger.ms: 5, enable.ssl.certificate.verification: false}",
            "kafka: {client.id: x, consumer: {fetch.min.bytes: 5}, producer: {linger.ms: 5}}",
            "kafka: {consumer: , client.id: x}",
            "limits: {value: 5 KiB}",
        ])
    func accepted(more: String) throws {
        let text = PipelineTest.file(more)
        #expect(try schemaAccepts(text))
        #expect(PipelineTest.mistakes(text, environment: ["SEED": "3"]).isEmpty)
    }

    @Test(
        "the schema refuses what the reader refuses",
        arguments: [
            "modle: x", "seed: -1", "seed: x", "input: {format: xml}", "one_model_per: partitions",
            "metrics: {every: 1000}", "metrics: {every: 5 rows}", "prepare: {standardize: all}",
            "prepare: [standardise]", "drift: [{adwin: {delta: 2}}]", "on_bad_record: drop",
            "limits: {value: 5}", "version: 2", "state: {restore: 1 s}",
            "kafka: {consumer: {fetch.min.bytes: [5]}}", "kafka: {consumers: {fetch.min.bytes: 5}}",
        ])
    func refused(more: String) throws {
        let text = PipelineTest.file(more)
        #expect(try !schemaAccepts(text))
        #expect(!PipelineTest.mistakes(text).isEmpty)
    }

    @Test(
        "features take all three forms in the schema",
        arguments: [
            ("a: numeric", true), ("a: {categorical: [x, y]}", true),
            ("a: {type: set, field: b.c}", true),
            ("a: {categorical: {values: [x], limit: 5}}", true), ("a: numerik", false),
            ("a: {type: numeric, limit: 5}", false), ("a: {field: b}", false), ("a: 5", false),
        ])
    func features(feature: String, isValid: Bool) throws {
        let text = "pipeline: p\nlabel: {field: y}\nmodel: hoeffding_tree\nfeatures: {\(feature)}"
        #expect(try schemaAccepts(text) == isValid)
        #expect(PipelineTest.mistakes(text).isEmpty == isValid)
    }

    @Test("help tells of every name, alone and as data")
    func help() throws {
        let catalogue = PipelineTest.catalogue
        let names = [
            "hoeffding_tree", "linear_regression", "kmeans", "standardize", "impute", "adwin",
        ]
        #expect(PipelineReference.names(catalogue) == names)
        let list = PipelineReference.help(catalogue)
        for name in names {
            #expect(list.contains("  \(name) "))
            #expect(
                try #require(PipelineReference.help(of: name, catalogue)).hasPrefix("\(name): "))
            let data = try #require(PipelineReference.json(of: name, catalogue))
            let object = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            #expect(object?["name"] as? String == name)
        }
        #expect(PipelineReference.help(of: "nothing", catalogue) == nil)
        #expect(PipelineReference.json(of: "nothing", catalogue) == nil)
        let all = try #require(PipelineReference.json(catalogue))
        let object = try JSONSerialization.jsonObject(with: Data(all.utf8)) as? [String: [Any]]
        #expect(object?.mapValues(\.count) == ["model": 3, "prepare": 2, "drift": 1])
    }

    @Test("the example of a component's help is a valid file")
    func example() throws {
        let help = try #require(
            PipelineReference.help(of: "hoeffding_tree", PipelineTest.catalogue))
        let start = try #require(help.range(of: "In a pipeline file\n"))
        let lines = help[start.upperBound...].split(separator: "\n").map { $0.dropFirst(2) }
        let text =
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y}\n"
            + lines.joined(separator: "\n")
        #expect(PipelineTest.mistakes(text).isEmpty)
    }
}
