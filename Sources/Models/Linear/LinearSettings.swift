package import Core

/// How the step size of a linear model falls over time.
package enum LearningRateSchedule: UInt8, Sendable, CaseIterable {
    /// η
    case constant = 0
    /// η / (t + 1)^power, for the t-th record learned, from 0.
    case inverseScaling = 1
    /// η / (1 + η · decay · t): Bottou's choice for a loss with decay as its curvature.
    case optimal = 2
    /// η / √(Σ gradient² + 1e-8), for each weight by itself.
    case adagrad = 3

    /// The word of the pipeline file.
    var name: String {
        switch self {
        case .constant: "constant"
        case .inverseScaling: "inverse_scaling"
        case .optimal: "optimal"
        case .adagrad: "adagrad"
        }
    }
}

/// What logistic and linear regression share: step sizes, penalties and the gradient's bound.
package struct LinearSettings: Sendable, Equatable {
    package let schedule: LearningRateSchedule
    /// The step size η of the weights.
    package let learningRate: Double
    /// The step size of the intercept, the same for every record.
    package let interceptLearningRate: Double
    package let power: Double
    package let decay: Double
    package let l1: Double
    package let l2: Double
    /// The largest gradient of the loss, weight included, that a record can cause.
    package let gradientClip: Double

    package init(_ settings: Settings) {
        let name = settings.text("schedule")
        guard let schedule = LearningRateSchedule.allCases.first(where: { $0.name == name }) else {
            preconditionFailure("no schedule \(name)")
        }
        self.schedule = schedule
        learningRate = settings.number("learning_rate")
        interceptLearningRate = settings.number("intercept_learning_rate")
        power = settings.number("power")
        decay = settings.number("decay")
        l1 = settings.number("l1")
        l2 = settings.number("l2")
        gradientClip = settings.number("gradient_clip")
    }

    /// Whether a step is `w −= η · g · x` and nothing else.
    var isPlain: Bool { schedule == .constant && l1 == 0 && l2 == 0 }

    /// Whether a step divides by the root of the sum of squares and pays no L1 penalty.
    var isPlainAdagrad: Bool { schedule == .adagrad && l1 == 0 }

    /// The step size of the weights for the record after `steps` learned ones.
    func rate(_ steps: Int) -> Double {
        switch schedule {
        case .constant, .adagrad:
            return learningRate
        case .inverseScaling:
            let time = Double(steps) + 1
            if power == 0.5 { return learningRate / time.squareRoot() }
            return learningRate / (power * time.naturalLogarithm).exponential
        case .optimal:
            return learningRate / (1 + learningRate * decay * Double(steps))
        }
    }

    /// The loss's gradient for a record of this weight, inside the bound; 0 for NaN.
    @inline(__always)
    func clipped(_ gradient: Double) -> Double {
        if gradient > gradientClip { return gradientClip }
        if gradient < -gradientClip { return -gradientClip }
        return gradient == gradient ? gradient : 0
    }

    static let declarations: [SettingDeclaration] = [
        SettingDeclaration(
            "learning_rate", .number(0...1e6, excludingLower: true), default: .number(0.01),
            "The step size of the weights."),
        SettingDeclaration(
            "intercept_learning_rate", .number(0...1e6), default: .number(0.01),
            "The step size of the intercept, the same for every record; 0 keeps it at 0."),
        SettingDeclaration(
            "schedule", .choice(LearningRateSchedule.allCases.map(\.name)),
            default: .text("constant"),
            "How the step size of the weights falls: not at all, by a power of the records seen, "
                + "as 1/t, or for each weight by its own gradients."),
        SettingDeclaration(
            "power", .number(0...10), default: .number(0.5),
            "The power of t by which `inverse_scaling` divides the step size."),
        SettingDeclaration(
            "decay", .number(0...1e6), default: .number(1e-4),
            "How fast `optimal` lowers the step size."),
        SettingDeclaration(
            "l1", .number(0...1e6), default: .number(0),
            "The L1 penalty, cumulative: a weight pays what it owes when its feature appears."),
        SettingDeclaration(
            "l2", .number(0...1e6), default: .number(0),
            "The L2 penalty; a weight pays when its feature appears."),
        SettingDeclaration(
            "gradient_clip", .number(0...1e100, excludingLower: true), default: .number(1e12),
            "The largest gradient of the loss that one record can cause."),
    ]

    /// River's defaults: constant step sizes of 0.01, no penalty, gradients up to 1e12.
    static let riverPreset = ComponentDeclaration.Preset(
        "river",
        [
            ("learning_rate", .number(0.01)), ("intercept_learning_rate", .number(0.01)),
            ("schedule", .text("constant")), ("l1", .number(0)), ("l2", .number(0)),
            ("gradient_clip", .number(1e12)),
        ])
}

extension LinearSettings {
    func encode(to encoder: inout StateEncoder) {
        encoder.write(schedule.rawValue)
        let numbers = [
            learningRate, interceptLearningRate, power, decay, l1, l2, gradientClip,
        ]
        for number in numbers { encoder.write(number) }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        let raw = try decoder.readInteger(UInt8.self)
        guard let schedule = LearningRateSchedule(rawValue: raw) else {
            throw .invalidValue("a learning-rate schedule is \(raw)")
        }
        self.schedule = schedule
        learningRate = try decoder.readSize("a learning rate")
        interceptLearningRate = try decoder.readSize("an intercept's learning rate")
        power = try decoder.readSize("a power")
        decay = try decoder.readSize("a decay")
        l1 = try decoder.readSize("an L1 penalty")
        l2 = try decoder.readSize("an L2 penalty")
        gradientClip = try decoder.readSize("a gradient's bound")
    }
}

extension StateDecoder {
    /// A finite number of at least 0.
    mutating func readSize(_ what: String) throws(StateError) -> Double {
        let value = try readDouble()
        guard value >= 0, value.isFinite else { throw .invalidValue("\(what) is \(value)") }
        return value
    }
}
