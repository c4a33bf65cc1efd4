import Core
import Models
import Testing

/// A registered model with settings, and the columns that it is checked with.
struct ModelCase: Sendable, CustomTestStringConvertible {
    let name: String
    let overrides: [(key: String, value: SettingValue)]
    let layout: ColumnLayout
    let settings: Settings
    let task: LearningTask

    init(
        _ name: String, _ overrides: [(key: String, value: SettingValue)] = [],
        layout: ColumnLayout? = nil
    ) {
        guard let declaration = ModelCatalogue.declarations.first(where: { $0.name == name }) else {
            preconditionFailure("no model \(name)")
        }
        self.name = name
        self.overrides = overrides
        settings = declaration.settings(overrides)
        task = ModelCatalogue.task(of: name)
        self.layout = layout ?? (task == .clustering ? Self.numericLayout : Self.mixedLayout)
    }

    var testDescription: String {
        let sizes = "\(layout.columns.count) columns, \(layout.sparseBits) sparse bits"
        return ([name] + overrides.map { "\($0.key) \($0.value)" })
            .joined(separator: ", ") + ", \(sizes)"
    }

    static let numericLayout = ColumnLayout(numericCount: 10)
    static let mixedLayout = ColumnLayout(
        columns: numericLayout.columns + [
            Column(name: "colour", kind: .categorical(limit: 4)),
            Column(name: "size", kind: .categorical(limit: 3)),
        ], sparseBits: 10)

    static let sparseLayout = ColumnLayout(columns: numericLayout.columns, sparseBits: 8)

    /// Each registered model with its defaults, and some with other settings.
    static let all: [ModelCase] =
        ModelCatalogue.declarations.map { ModelCase($0.name) } + variants

    static let variants: [ModelCase] = [
        ModelCase("logistic_regression", layout: numericLayout),
        ModelCase("logistic_regression", layout: sparseLayout),
        ModelCase("linear_regression", layout: numericLayout),
        ModelCase("linear_regression", layout: sparseLayout),
        ModelCase("logistic_regression", [("loss", .text("hinge")), ("l2", .number(0.01))]),
        ModelCase(
            "logistic_regression",
            [("loss", .text("modified_huber")), ("schedule", .text("adagrad"))]),
        ModelCase(
            "logistic_regression",
            [("loss", .text("perceptron")), ("l1", .number(0.001)), ("class_limit", .integer(3))]),
        ModelCase(
            "logistic_regression", [("schedule", .text("optimal")), ("decay", .number(0.1))]),
        ModelCase("linear_regression", [("loss", .text("huber")), ("l1", .number(0.001))]),
        ModelCase(
            "linear_regression",
            [("loss", .text("quantile")), ("schedule", .text("inverse_scaling"))]),
        ModelCase(
            "linear_regression", [("schedule", .text("adagrad")), ("l2", .number(0.01))]),
        ModelCase("kmeans", [("k", .integer(3)), ("half_life", .extent(.records(50)))]),
        ModelCase("kmeans", [("k", .integer(12)), ("half_life", .extent(.time(2000)))]),
        ModelCase(
            "kmeans",
            [
                (
                    "centres",
                    .list(
                        (0..<4).map { index in
                            .list((0..<10).map { .number(Double(($0 + index) % 4)) })
                        })
                )
            ]),
        ModelCase("hoeffding_tree", [("grace_period", .integer(20)), ("delta", .number(0.1))]),
        ModelCase(
            "hoeffding_tree",
            [
                ("leaf_prediction", .text("naive_bayes")), ("split_criterion", .text("gini")),
                ("grace_period", .integer(20)), ("delta", .number(0.1)),
                ("memory", .bytes(64 << 10)),
            ]),
        ModelCase(
            "hoeffding_tree",
            [
                ("leaf_prediction", .text("majority")), ("binary_splits", .boolean(true)),
                ("grace_period", .integer(20)), ("delta", .number(0.1)),
                ("remove_poor_attributes", .boolean(true)), ("no_pre_prune", .boolean(true)),
            ]),
    ]

    /// The hash of the predictions of some cases on the stream of seed 14.
    static let pinned: [(ModelCase, UInt64)] = zip(
        [ModelCase("logistic_regression"), ModelCase("linear_regression"), ModelCase("kmeans")]
            + variants, hashes
    ).map { ($0, $1) }

    private static let hashes: [UInt64] = [
        0x9060_7B15_DFAE_6478,
        0x33CE_DE5B_FE52_664D,
        0x050B_4148_BED6_A929,
        0x6A33_976F_1D97_A572,
        0xF28F_49E0_A72C_83B0,
        0x3E6A_F4C4_71E4_1759,
        0xD402_D0FE_9652_2FBC,
        0x6701_6518_7D60_9904,
        0x488B_A1AD_0FFE_E522,
        0xBF75_EF4C_BC4C_CEAB,
        0xD07D_3020_F369_792A,
        0xD14F_E517_B8D5_9EFA,
        0x3D11_0D8C_4C1F_03D9,
        0xF710_A724_E213_4CA4,
        0x95E2_8ADD_D312_567E,
        0x2C8F_74B8_78D7_66A1,
        0xD8A1_9D14_133E_1EB1,
        0xBD36_CC91_49F9_86D0,
        0x5198_A7B8_1846_5C95,
        0x14D8_C405_E83F_E3A6,
    ]
}
