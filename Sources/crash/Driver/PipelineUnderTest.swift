import Engine
import Foundation

/// A pipeline of a run: its file and what it must equal.
struct PipelineUnderTest {
    enum Kind: String, CaseIterable {
        /// One model for each partition.
        case tree
        /// One model over all partitions.
        case logistic
        /// One model for each value of a field, inside a task for each partition.
        case field
        /// A canary for each partition.
        case canary
        /// A canary over all partitions.
        case canaryMerged = "canary-merged"
        /// A canary over all partitions that were written before it starts.
        case preloaded
        /// A canary for each partition, delivered at least once.
        case atLeastOnce = "at-least-once"
        /// A canary over all partitions, delivered at least once.
        case atLeastOnceMerged = "at-least-once-merged"
    }

    /// What its predictions are compared with.
    enum Oracle {
        /// An uninterrupted pass over each partition.
        case partitions
        /// A plain replay of the committed journal.
        case journal
        /// The merge of the whole input by timestamp.
        case timestamps
    }

    let kind: Kind
    let path: String
    let pipeline: Pipeline
    let partitionCount: Int

    var name: String { pipeline.name }
    var taskCount: Int { pipeline.scope == .pipeline ? 1 : partitionCount }
    var tasks: [TaskID] { (0..<taskCount).map { TaskID(pipeline: name, task: $0) } }
    var oracle: Oracle {
        switch kind {
        case .tree, .field, .canary, .atLeastOnce: .partitions
        case .logistic, .canaryMerged, .atLeastOnceMerged: .journal
        case .preloaded: .timestamps
        }
    }

    /// Whether predictions may be there twice.
    var allowsCopies: Bool { pipeline.delivery.guarantee == .atLeastOnce }

    init(
        _ kind: Kind, bootstrap: String, topic: String, partitions: Int, folder: URL,
        restoreWithin: String = "100 ms"
    ) throws {
        self.kind = kind
        partitionCount = partitions
        // Named so, canaries compute instead of the model.
        let isCanary = [.preloaded, .atLeastOnce, .atLeastOnceMerged].contains(kind)
        let name = isCanary ? "canary-\(kind.rawValue)" : kind.rawValue
        let model =
            kind == .tree
            ? "hoeffding_tree: { grace_period: 100 }"
            : "logistic_regression: { learning_rate: 0.05 }"
        let scope =
            switch kind {
            case .tree, .canary, .atLeastOnce: "partition"
            case .field: "{ field: device, limit: 40 }"
            case .logistic, .canaryMerged, .preloaded, .atLeastOnceMerged: "pipeline"
            }
        let guarantee =
            [.atLeastOnce, .atLeastOnceMerged].contains(kind) ? "at_least_once" : "exactly_once"
        let text = """
            version: 1
            pipeline: \(name)
            kafka:
              bootstrap.servers: \(bootstrap)
            kafka.consumer: { session.timeout.ms: 6000 }
            input: { topic: \(topic), format: json, id: id }
            features: { a: numeric, b: numeric, c: numeric, d: numeric }
            label: { field: y, classes: ["0", "1"] }
            prepare: [{ standardize: all }]
            model: { \(model) }
            one_model_per: \(scope)
            metrics: { every: 500 records, windows: [1000 records] }
            drift: [{ adwin: { watch: error, then: alert } }]
            delivery: { guarantee: \(guarantee) }
            state: { restore_within: \(restoreWithin), folder: \(folder.appending(path: "state").path) }

            """
        let file = folder.appending(path: "\(name).yaml")
        try Data(text.utf8).write(to: file)
        path = file.path
        pipeline = try PipelineReader.read(path: path).pipeline
    }
}

/// A task of a pipeline.
struct TaskID: Hashable, Comparable, CustomStringConvertible {
    let pipeline: String
    let task: Int

    var description: String { "\(pipeline)/\(task)" }

    static func < (first: TaskID, second: TaskID) -> Bool {
        (first.pipeline, first.task) < (second.pipeline, second.task)
    }
}
