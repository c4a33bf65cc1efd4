package import Core

/// The keys of a pipeline file, each declared once.
package enum PipelineDeclarations {
    /// The keys at the top of the file, in the order of the reference.
    package static func settings(_ catalogue: PipelineCatalogue) -> [SettingDeclaration] {
        [
            .init(
                "version", .integer(1...1), default: .integer(1),
                "The version of the file's format."),
            .init(
                "pipeline", .text, required: true,
                "The name; topics, consumer group and transactional ids are called after it."),
            .init(
                "kafka", .map,
                "Properties of the Kafka client, in librdkafka's names, for all connections; inside it, `consumer` and `producer` hold what is for one side alone."
            ),
            .init(
                "kafka.consumer", .map,
                "Client properties of consumers alone; also written `consumer` inside `kafka`."),
            .init(
                "kafka.producer", .map,
                "Client properties of producers alone; also written `producer` inside `kafka`."),
            .init("input", .section(input), "Where records come from, and how they are written."),
            .init(
                "features", .named(.typedComponent(features)), required: true,
                "The fields that the model learns from, each with its type."),
            .init(
                "label", .section(label),
                "What the model is to predict; needed by all but clusterers."),
            .init(
                "prepare", .list(.component(catalogue.steps)), default: .list([]),
                "Steps that transform the features, in order; each learns as it goes."),
            .init(
                "model", .component(catalogue.models.map(\.declaration)), required: true,
                "The model and its settings."),
            .init(
                "one_model_per",
                .wordOr(
                    Pipeline.Scope.words,
                    .section([
                        .init(
                            "field", .text, required: true,
                            "The field whose values get a model each, with dots for nested ones; key the topic by it."
                        ),
                        .init(
                            "limit", .integer(1...10_000_000),
                            default: .integer(Pipeline.Scope.standardLimit),
                            "The most models of a task; beyond it the one that had no record for longest is forgotten."
                        ),
                    ])), default: .text("pipeline"),
                "One model that learns from all partitions, one for each input partition, or one for each value of a field."
            ),
            .init("output", .section(output), "The topics that results go to."),
            .init(
                "metrics", .section(catalogue.metricSettings),
                "Which learning metrics are reported, over what, and how often."),
            .init(
                "drift", .list(.component(catalogue.detectors.map(detector))),
                default: .list([]), "Detectors that watch the model's error."),
            .init(
                "on_bad_record", .choice(Pipeline.BadRecordPolicy.allCases.map(\.rawValue)),
                default: .text("dead_letter"),
                "What happens to a record that cannot be decoded; it is always counted."),
            .init("delivery", .section(delivery), "How results are committed."),
            .init("state", .section(state), "How state is kept and restored."),
            .init(
                "seed", .integer(0...Int.max), default: .integer(1),
                "The seed of all randomness; the same seed gives the same bits."),
            .init("limits", .section(limits), "Bounds on what one record may hold."),
        ]
    }

    private static let timeUnits: [String] = TimeUnit.allCases.map(\.rawValue)

    static let input: [SettingDeclaration] = [
        .init("topic", .text, "The topic to read; needed for everything but files."),
        .init(
            "format",
            .component([
                ComponentDeclaration(
                    name: "json", summary: "One JSON object in each record.", source: "RFC 8259",
                    settings: []),
                ComponentDeclaration(
                    name: "csv", summary: "One line of separated values in each record.",
                    source: "RFC 4180",
                    settings: [
                        .init(
                            "columns", .list(.text), default: .list([]),
                            "The names of the columns in order; in a file, its first line."),
                        .init(
                            "separator", .text, default: .text(","),
                            "The character between two values; `tab` for a tab."),
                        .init(
                            "quote", .text, default: .text("\""),
                            "The character around a value that holds separators."),
                    ]),
            ]), default: .component(name: "json", Settings()), "How a record is written."),
        .init(
            "id", .text,
            "The field of the record's identity; by default the key, else partition and offset."),
        .init("weight", .text, "The field of the record's weight; by default each weighs 1."),
        .init(
            "time",
            .section([
                .init("field", .text, required: true, "The field of the event time."),
                .init(
                    "unit", .choice(timeUnits), default: .text("ms"),
                    "How the time is written: RFC 3339, or an integer since 1970 in a unit."),
            ]), "The event time; by default Kafka's timestamp."),
        .init(
            "start", .choice(Pipeline.Input.Start.allCases.map(\.rawValue)),
            default: .text("earliest"), "Where a pipeline begins that has never run."),
    ]

    static let field = SettingDeclaration(
        "field", .text, "The field, with dots for nested ones; by default the feature's name.")

    static let features: [ComponentDeclaration] = [
        feature("numeric", "A number.", []),
        feature(
            "categorical", "One of several values; each gets a code on first sight.",
            [
                .init(
                    "values", .list(.text), default: .list([]),
                    "Values that take the first codes, in this order."),
                .init(
                    "limit", .integer(2...65536), default: .integer(1000),
                    "The most codes; the last one stands for all further values."),
            ], short: "values"),
        feature("boolean", "True or false.", []),
        feature(
            "timestamp", "A time, as seconds since 1970.",
            [
                .init(
                    "unit", .choice(timeUnits), default: .text("ms"),
                    "How the time is written: RFC 3339, or an integer since 1970 in a unit."),
                .init(
                    "derive", .list(.choice(TimePart.allCases.map(\.rawValue))),
                    default: .list([]), "Parts that become features of their own, in UTC."),
            ]),
        feature("text", "Words, hashed to sparse features with their counts.", []),
        feature("map", "An object of numbers, hashed to sparse features.", []),
        feature("set", "A list of members, hashed to sparse features of value 1.", []),
    ]

    private static func feature(
        _ name: String, _ summary: String, _ settings: [SettingDeclaration], short: String? = nil
    ) -> ComponentDeclaration {
        ComponentDeclaration(
            name: name, summary: summary, source: "", settings: [field] + settings, shortKey: short)
    }

    static let label: [SettingDeclaration] = [
        .init("field", .text, "The field of the label, with dots for nested ones."),
        .init("topic", .text, "A topic of delayed labels; not supported yet."),
        .init("wait", .duration, "How long a label is waited for; not supported yet."),
        .init(
            "classes", .list(.text), default: .list([]),
            "Classes that take the first codes, in this order; others may still appear."),
        .init(
            "positive", .text,
            "The class that precision, recall, F1 and ROC AUC judge; by default 1 of 0 and 1, and true of false and true."
        ),
        .init(
            "required", .boolean, default: .boolean(false),
            "Whether a record without a label is a bad record."),
        .init(
            "limit", .integer(2...65536), default: .integer(1000),
            "The most classes; a record with one more is a bad record."),
    ]

    static let output: [SettingDeclaration] = [
        .init("topic", .text, "The topic of predictions; by default <pipeline>.predictions."),
        .init("metrics", .text, "The topic of metrics; by default <pipeline>.metrics."),
        .init(
            "dead_letters", .text, "The topic of bad records; by default <pipeline>.dead_letters."),
        .init("state", .text, "The topic of snapshots; by default <pipeline>.state."),
        .init("journal", .text, "The topic of commits; by default <pipeline>.journal."),
        .init(
            "create_topics", .boolean, default: .boolean(true),
            "Whether topics that are missing are created."),
        .init(
            "partitions", .integer(1...100_000),
            "Partitions of created topics of predictions and bad records; by default as the input."),
        .init(
            "replication", .integer(1...100),
            "Replicas of created topics; by default as the broker says."),
    ]

    /// A detector's declaration with the keys that all of them have.
    static func detector(_ declaration: ComponentDeclaration) -> ComponentDeclaration {
        ComponentDeclaration(
            name: declaration.name, summary: declaration.summary, source: declaration.source,
            settings: declaration.settings + [
                .init(
                    "watch", .choice(["error"]), default: .text("error"),
                    "What is watched: 0 or 1 for a class, the absolute error for a number."),
                .init(
                    "then", .choice(Pipeline.Detector.Action.allCases.map(\.rawValue)),
                    default: .text("alert"),
                    "What a drift does: write an event, or also let the model begin anew."),
            ], presets: declaration.presets)
    }

    static let delivery: [SettingDeclaration] = [
        .init(
            "guarantee", .choice(Pipeline.Delivery.Guarantee.allCases.map(\.rawValue)),
            default: .text("exactly_once"),
            "One committed prediction for each record; or, sooner, at least one: after a crash some again, with the same partition and offset."
        ),
        .init(
            "commit_every", .wordOr(["auto"], .duration), default: .text("auto"),
            "The time between two commits; auto commits at once at low load, and each 100 ms at full speed."
        ),
        .init(
            "shutdown_within", .duration, default: .duration(30_000),
            "The longest that an orderly stop may take."),
    ]

    static let state: [SettingDeclaration] = [
        .init(
            "version", .integer(1...1_000_000_000), default: .integer(1),
            "The version of the state: raise it to begin a new model where the last one ended."),
        .init(
            "restore_within", .duration, default: .duration(10_000),
            "The longest that restoring may take; snapshots are taken as often as that needs."),
        .init(
            "history", .duration, default: .duration(0),
            "How long journal and snapshots are kept that no restart needs any more, for replaying and explaining."
        ),
        .init(
            "on_lost_input", .choice(Pipeline.State.LostInputPolicy.allCases.map(\.rawValue)),
            default: .text("stop"),
            "What happens when input that a restore needs was deleted."),
        .init(
            "folder", .text,
            "The folder of the processes' slots, which give them their names in the group."),
    ]

    static let limits: [SettingDeclaration] = [
        .init(
            "value", .byteSize, default: .bytes(1 << 20), "Longer values are bad records."),
        .init(
            "hash_bits", .integer(8...24), default: .integer(18),
            "Sparse features are hashed to this many bits."),
    ]
}
