package import Core

/// How the leaves of a Hoeffding tree predict.
enum LeafPrediction: String, CaseIterable {
    case majority
    case naiveBayes = "naive_bayes"
    case naiveBayesAdaptive = "naive_bayes_adaptive"
}

/// How a Hoeffding tree rates a split.
enum SplitCriterion: String, CaseIterable {
    case infoGain = "info_gain"
    case gini
}

/// The checked settings of a Hoeffding tree, ready for use.
struct HoeffdingTreeSettings: Sendable, Equatable {
    let source: Settings
    let gracePeriod: Double
    /// ln(1 / delta).
    let logInverseDelta: Double
    let tau: Double
    let criterion: SplitCriterion
    let minimumBranchFraction: Double
    let binarySplits: Bool
    let bins: Int
    let leafPrediction: LeafPrediction
    let bayesThreshold: Double
    let prePrunes: Bool
    let removesPoorAttributes: Bool
    let memory: Int
    let memoryPeriod: Int
    let stopsAtMemory: Bool

    init(_ settings: Settings) throws(SettingsError) {
        guard let criterion = SplitCriterion(rawValue: settings.text("split_criterion")),
            let leafPrediction = LeafPrediction(rawValue: settings.text("leaf_prediction"))
        else {
            throw SettingsError(
                key: "split_criterion", problem: "unknown word", remedy: "use a declared choice")
        }
        source = settings
        self.criterion = criterion
        self.leafPrediction = leafPrediction
        gracePeriod = Double(settings.integer("grace_period"))
        logInverseDelta = (1 / settings.number("delta")).naturalLogarithm
        tau = settings.number("tau")
        minimumBranchFraction = settings.number("min_branch_fraction")
        binarySplits = settings.boolean("binary_splits")
        bins = settings.integer("bins")
        bayesThreshold = Double(settings.integer("nb_threshold"))
        prePrunes = !settings.boolean("no_pre_prune")
        removesPoorAttributes =
            settings.boolean("remove_poor_attributes") && leafPrediction == .majority
        memory = settings.bytes("memory")
        memoryPeriod = settings.integer("memory_estimate_period")
        stopsAtMemory = settings.boolean("stop_memory_management")
        if memory < 16 << 10 {
            throw SettingsError(
                key: "memory", problem: "\(memory) bytes do not hold a tree",
                remedy: "give at least 16 KiB; remove the key to use 32 MiB")
        }
    }
}

extension HoeffdingTree {
    /// The name, settings and presets of the model in a pipeline file.
    package static let declaration = ComponentDeclaration(
        name: "hoeffding_tree",
        summary:
            "A decision tree that splits a leaf once enough records make the best test certain.",
        source: "Domingos and Hulten 2000, as MOA 2024.07 decides; Gaussian and nominal observers",
        settings: [
            SettingDeclaration(
                "grace_period", .integer(0...Int(Int32.max)), default: .integer(200),
                unit: "weight of records", "What a leaf sees between two split attempts."),
            SettingDeclaration(
                "delta", .number(0...1), default: .number(1e-7),
                "The probability of a wrong split that is accepted."),
            SettingDeclaration(
                "tau", .number(0...1), default: .number(0.05),
                "The Hoeffding bound below which the best of nearly equal splits is taken."),
            SettingDeclaration(
                "split_criterion", .choice(SplitCriterion.allCases.map(\.rawValue)),
                default: .text("info_gain"), "How splits are rated."),
            SettingDeclaration(
                "min_branch_fraction", .number(0...0.5), default: .number(0.01),
                "The share of the weight that at least two branches must get (`info_gain`)."),
            SettingDeclaration(
                "binary_splits", .boolean, default: .boolean(false),
                "Whether a categorical feature is split by one value against the others only."),
            SettingDeclaration(
                "bins", .integer(1...10_000), default: .integer(10),
                "The number of thresholds tried for a numeric feature."),
            SettingDeclaration(
                "leaf_prediction", .choice(LeafPrediction.allCases.map(\.rawValue)),
                default: .text("naive_bayes_adaptive"),
                "How leaves predict; adaptive takes what was right more often in the leaf."),
            SettingDeclaration(
                "nb_threshold", .integer(0...Int(Int32.max)), default: .integer(0),
                unit: "weight of records",
                "What a leaf sees before `naive_bayes` replaces the majority class."),
            SettingDeclaration(
                "no_pre_prune", .boolean, default: .boolean(false),
                "Whether a leaf may split although not splitting rates better."),
            SettingDeclaration(
                "remove_poor_attributes", .boolean, default: .boolean(false),
                "Whether a leaf stops to consider features far behind the best (`majority` only)."),
            SettingDeclaration(
                "memory", .byteSize, default: .bytes(32 << 20),
                "The most memory of the state; the least promising leaves stop observing."),
            SettingDeclaration(
                "memory_estimate_period", .integer(1...Int(Int32.max)),
                default: .integer(1_000_000), unit: "records",
                "How often leaves are ranked anew while some have stopped observing."),
            SettingDeclaration(
                "stop_memory_management", .boolean, default: .boolean(false),
                "Whether the tree stops growing for good instead when memory is used up."),
        ],
        presets: [
            ComponentDeclaration.Preset(
                "moa",
                [
                    ("grace_period", .integer(200)), ("delta", .number(1e-7)),
                    ("tau", .number(0.05)), ("split_criterion", .text("info_gain")),
                    ("min_branch_fraction", .number(0.01)), ("binary_splits", .boolean(false)),
                    ("bins", .integer(10)), ("leaf_prediction", .text("naive_bayes_adaptive")),
                    ("nb_threshold", .integer(0)), ("no_pre_prune", .boolean(false)),
                    ("memory", .bytes(32 << 20)), ("memory_estimate_period", .integer(1_000_000)),
                ])
        ])
}
