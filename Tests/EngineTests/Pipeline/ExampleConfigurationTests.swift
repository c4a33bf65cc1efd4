// Method: every file in configs/ is read with the program's own catalogue; the parts that the files
// exist to show are compared.
import Core
import Engine
import Foundation
import TestSupport
import Testing

@Suite("Example pipelines")
struct ExampleConfigurationTests {
    private static let folder = TestEnvironment.repository.appending(path: "configs")

    private func read(_ name: String) throws -> Pipeline {
        let (pipeline, warnings) = try PipelineReader.read(
            path: Self.folder.appending(path: name).path, environment: { _ in nil })
        #expect(warnings.isEmpty)
        #expect(pipeline.mistakesOnKafka.isEmpty)
        #expect(pipeline.mistakesOnFiles.isEmpty)
        #expect(pipeline.kafka.bootstrapServers == "localhost:9092")
        return pipeline
    }

    @Test("every file is read without mistakes and warnings")
    func all() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(
            names == [
                "blobs.yaml", "devices.yaml", "electricity-logistic.yaml", "electricity.yaml",
                "fried.yaml", "sea.yaml", "spam.yaml",
            ])
        for name in names { _ = try read(name) }
    }

    @Test("devices.yaml gives each device a model")
    func devices() throws {
        let pipeline = try read("devices.yaml")
        #expect(pipeline.scope == .field(["device_id"], limit: 10_000))
        #expect(pipeline.schema.modelPath == ["device_id"])
    }

    @Test(
        "each file names its model, task and features",
        arguments: [
            ("blobs.yaml", "kmeans", LearningTask.clustering, 2, 0),
            ("devices.yaml", "linear_regression", .regression, 2, 0),
            ("electricity-logistic.yaml", "logistic_regression", .classification, 6, 0),
            ("electricity.yaml", "hoeffding_tree", .classification, 6, 0),
            ("fried.yaml", "linear_regression", .regression, 10, 0),
            ("sea.yaml", "hoeffding_tree", .classification, 3, 0),
            ("spam.yaml", "logistic_regression", .classification, 0, 18),
        ])
    func parts(
        name: String, model: String, task: LearningTask, columns: Int, sparseBits: Int
    ) throws {
        let pipeline = try read(name)
        #expect(pipeline.model.name == model)
        #expect(pipeline.task == task)
        #expect(pipeline.schema.layout.columns.count == columns)
        #expect(pipeline.schema.layout.sparseBits == sparseBits)
        #expect((pipeline.schema.label != nil) == (task != .clustering))
        #expect(pipeline.positiveClass == (task == .classification ? "1" : nil))
    }
}
