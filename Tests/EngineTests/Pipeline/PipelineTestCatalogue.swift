// Method: a small catalogue of its own, so that the reader's tests do not follow the models.
import Configuration
import Core
import Engine

enum PipelineTest {
    /// A tree, a regressor, a clusterer, two steps and a detector.
    static let catalogue = PipelineCatalogue(
        models: [
            .init(
                ComponentDeclaration(
                    name: "hoeffding_tree", summary: "A tree.", source: "",
                    settings: [
                        .init(
                            "grace_period", .integer(1...Int.max), default: .integer(200),
                            "The records between two attempts to split."),
                        .init(
                            "delta", .number(0...1, excludingLower: true), default: .number(1e-7),
                            "The error allowed."),
                        .init(
                            "leaves", .choice(["majority", "naive_bayes", "adaptive"]),
                            default: .text("adaptive"), "What a leaf predicts."),
                        .init(
                            "memory", .byteSize, default: .bytes(32 << 20), "The most memory."),
                    ], presets: [.init("moa", [("grace_period", .integer(100))])]),
                .classification),
            .init(
                ComponentDeclaration(
                    name: "linear_regression", summary: "A line.", source: "",
                    settings: [
                        .init(
                            "learning_rate", .number(0...1, excludingLower: true),
                            default: .number(0.01), "The step.")
                    ]), .regression),
            .init(
                ComponentDeclaration(
                    name: "kmeans", summary: "Centres.", source: "",
                    settings: [
                        .init(
                            "clusters", .integer(1...1000), required: true, "The number of centres."
                        )
                    ]), .clustering),
        ],
        steps: [
            ComponentDeclaration(
                name: "standardize", summary: "Scales.", source: "",
                settings: [
                    .init("columns", .columns, default: .columns(.all), "The columns to scale.")
                ]),
            ComponentDeclaration(
                name: "impute", summary: "Fills gaps.", source: "",
                settings: [
                    .init("columns", .columns, default: .columns(.all), "The columns to fill.")
                ]),
        ],
        detectors: [
            ComponentDeclaration(
                name: "adwin", summary: "Windows.", source: "",
                settings: [
                    .init(
                        "delta", .number(0...1, excludingLower: true), default: .number(0.002),
                        "The confidence.")
                ])
        ],
        metricSettings: [
            .init("every", .extent, default: .extent(.records(1000)), "How often."),
            .init(
                "windows", .list(.extent), default: .list([.extent(.records(1000))]), "Over what."),
            .init(
                "track", .list(.choice(["accuracy", "f1", "kappa", "mae", "rmse", "inertia"])),
                "What."),
        ],
        metrics: [
            (.classification, ["accuracy", "f1", "kappa"]), (.regression, ["mae", "rmse"]),
            (.clustering, ["inertia"]),
        ],
        checks: PipelineCatalogue.Checks(
            step: { _, layout in layout },
            model: { model, layout, _ throws(SettingsError) in
                let hasCategory = layout.columns.contains { $0.kind != .numeric }
                if model.name == "kmeans", hasCategory {
                    throw SettingsError(
                        key: "", problem: "k-means has no distance between categories",
                        remedy: "add the step one_hot")
                }
            },
            detector: { detector throws(SettingsError) in
                if detector.settings.number("delta") == 0.5 {
                    throw SettingsError(
                        key: "delta", problem: "it is a half", remedy: "choose another one")
                }
            }))

    static func read(
        _ text: String, environment: [String: String] = [:]
    ) throws(ConfigurationMistakes) -> (pipeline: Pipeline, warnings: [ConfigurationError]) {
        try PipelineReader.read(
            bytes: Array(text.utf8), file: "pipeline.yaml", catalogue: catalogue,
            environment: { environment[$0] })
    }

    /// The messages of all mistakes, one for each.
    static func mistakes(_ text: String, environment: [String: String] = [:]) -> [String] {
        do {
            _ = try read(text, environment: environment)
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    /// A valid file, with lines added at its end.
    static func file(_ more: String, model: String = "hoeffding_tree") -> String {
        """
        pipeline: p
        features: {a: numeric, b: {categorical: [x, y]}}
        label: {field: y}
        model: \(model)
        \(more)
        """
    }
}
