import Core
import Engine
import State

/// What the tasks of a simulation compute.
enum Learning: String, Sendable, CaseIterable {
    /// A running hash of everything.
    case canary
    /// Steps, a linear classifier, a detector that resets it.
    case logistic
    /// A tree that grows.
    case tree
    /// A small model for each device, the ones used longest ago given up.
    case fields

    private static let head = """
        pipeline: simulated
        input: { topic: input, id: id }
        features: { a: numeric, b: numeric }
        metrics: { every: 20 records, windows: [50 records] }

        """

    private static let pipelines: [Learning: Pipeline] = Dictionary(
        uniqueKeysWithValues: allCases.compactMap { learning in
            guard let lines = learning.lines else { return nil }
            let read = try? PipelineReader.read(
                bytes: Array((head + lines).utf8), file: "simulated.yaml", environment: { _ in nil }
            )
            guard let (pipeline, _) = read else {
                preconditionFailure("the simulated pipeline \(learning) is not valid")
            }
            return (learning, pipeline)
        })

    private var lines: String? {
        switch self {
        case .canary: nil
        case .logistic:
            """
            label: { field: class, classes: ["0", "1"] }
            prepare: [{ standardize: all }]
            model: logistic_regression
            drift: [{ ddm: { then: reset } }]
            """
        case .tree:
            """
            label: { field: class, classes: ["0", "1"] }
            model: { hoeffding_tree: { grace_period: 10 } }
            drift: [{ adwin: { then: alert } }]
            """
        case .fields:
            """
            label: { field: y }
            prepare: [{ min_max: all }]
            model: { linear_regression: { learning_rate: 0.05 } }
            one_model_per: { field: device, limit: 3 }
            """
        }
    }

    /// A task's state in the beginning.
    ///
    /// - Parameter sharesState: Planted: what is captured goes on changing.
    func processor(task: Int, sharesState: Bool = false) -> any BatchProcessor {
        guard let pipeline = Self.pipelines[self] else { return Canary(sharesState: sharesState) }
        let processor = try? PipelineProcessor(
            pipeline: pipeline, taskIndex: task, format: pipeline.input.format)
        guard let processor else { preconditionFailure("the simulated pipeline can be built") }
        return processor
    }

    /// The bytes of a random record.
    func value(_ random: inout SplitMix64, number: UInt64) -> [UInt8] {
        guard self != .canary else {
            var value = StateEncoder()
            value.write(random.next())
            // Some records are longer, so that sizes differ.
            if number % 5 == 0 { value.write(number) }
            return value.bytes
        }
        let a = random.next(below: 1000)
        let b = random.next(below: 1000)
        let isNoise = random.next(below: 10) == 0
        if number % 37 == 0 { return Array("{\"id\": ".utf8) }
        // The concept changes, so that detectors have something to find.
        let isOne = ((a + b > 1000) != (number / 150 % 2 == 1)) != isNoise
        let device = random.next(below: 5)
        return Array(
            """
            {"id":"\(number)","device":"d\(device)","a":\(a),"b":\(b),"class":"\(isOne ? 1 : 0)",\
            "y":\(Double(a * device - b) / 8)}
            """.utf8)
    }
}
