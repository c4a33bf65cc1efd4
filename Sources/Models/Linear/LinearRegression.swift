package import Core

/// The loss of a linear regression, by the error e = prediction − label.
package enum RegressionLoss: UInt8, Sendable, CaseIterable {
    /// e²
    case squared = 0
    /// max(0, |e| − ε)
    case epsilonInsensitive = 1
    /// e²/2 inside ±ε, ε · (|e| − ε/2) outside.
    case huber = 2
    /// The pinball loss: α · |e| for predictions below the label, (1 − α) · |e| above.
    case quantile = 3

    /// The word of the pipeline file.
    var name: String {
        switch self {
        case .squared: "squared"
        case .epsilonInsensitive: "epsilon_insensitive"
        case .huber: "huber"
        case .quantile: "quantile"
        }
    }

    /// The derivative by the prediction.
    func gradient(prediction: Double, target: Double, epsilon: Double, quantile: Double) -> Double {
        let error = prediction - target
        switch self {
        case .squared:
            return 2 * error
        case .epsilonInsensitive:
            return error > epsilon ? 1 : error < -epsilon ? -1 : 0
        case .huber:
            return max(-epsilon, min(epsilon, error))
        case .quantile:
            return error < 0 ? -quantile : error > 0 ? 1 - quantile : 0
        }
    }
}

/// A linear regression by stochastic gradient descent.
///
/// Predicts `intercept + Σ w · x` in units of the label, 0 before the first record and always
/// inside ±1e300. A category has a weight of its own; a missing value adds and learns nothing.
/// The weight of a record multiplies its gradient.
///
/// - Complexity: O(*d* + *s*) time for *d* columns and *s* sparse pairs; memory fixed by the
///   layout; nothing is allocated after `init`.
/// - Note: Bottou, *Large-Scale Machine Learning with Stochastic Gradient Descent*, 2010; steps
///   and penalties as in River 0.26.
package struct LinearRegression: Regressor {
    package static let declaration = ComponentDeclaration(
        name: "linear_regression",
        summary: "A weighted sum of the features, learned by stochastic gradient descent.",
        source: "Bottou 2010; steps as in River",
        settings: [
            SettingDeclaration(
                "loss", .choice(RegressionLoss.allCases.map(\.name)), default: .text("squared"),
                "What the model minimises; `quantile` predicts a quantile instead of the mean."),
            SettingDeclaration(
                "epsilon", .number(0...1e100), default: .number(0.1), unit: "units of the label",
                "Errors up to here cost nothing (`epsilon_insensitive`) or their square (`huber`)."),
            SettingDeclaration(
                "quantile", .number(0...1), default: .number(0.5),
                "The quantile that the loss `quantile` predicts."),
        ] + LinearSettings.declarations,
        presets: [LinearSettings.riverPreset])

    private let loss: RegressionLoss
    private let epsilon: Double
    private let quantile: Double
    private let settings: LinearSettings
    private var weights: LinearWeights

    package init(settings: Settings, layout: ColumnLayout) throws(SettingsError) {
        let name = settings.text("loss")
        guard let loss = RegressionLoss.allCases.first(where: { $0.name == name }) else {
            preconditionFailure("no loss \(name)")
        }
        self.loss = loss
        epsilon = settings.number("epsilon")
        quantile = settings.number("quantile")
        self.settings = LinearSettings(settings)
        weights = try LinearWeights(layout: layout, outputCount: 1, settings: self.settings)
    }

    /// The weight of a numeric column.
    package func weight(column: Int) -> Double {
        weights.dense[column / laneCount][column % laneCount]
    }

    /// Weights and intercept that are not 0.
    package var parameterCount: Int { weights.parameterCount }

    package var intercept: Double { weights.intercepts[0] }

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range {
            predictions.setValue(row, weights.finiteMargin(rows, row, 0).value)
        }
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range {
            learn(rows, row, weights.finiteMargin(rows, row, 0))
        }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        let isFast = settings.isPlain && weights.blocks.isEmpty && loss == .squared
        var row = range.lowerBound
        while row < range.upperBound {
            if isFast {
                row = weights.plainSteps(rows, row..<range.upperBound, settings) { row, margin in
                    predictions.setValue(row, margin)
                    return 2 * (margin - rows.targets[row]) * rows.weights[row]
                }
                if row == range.upperBound { return }
            }
            let margin = weights.finiteMargin(rows, row, 0)
            predictions.setValue(row, margin.value)
            learn(rows, row, margin)
            row += 1
        }
    }

    private mutating func learn(_ rows: borrowing Rows, _ row: Int, _ margin: LinearWeights.Margin)
    {
        let target = rows.targets[row]
        let weight = rows.weights[row]
        guard target.isFinite, weight > 0 else { return }
        let slope = loss.gradient(
            prediction: margin.value, target: target, epsilon: epsilon, quantile: quantile)
        weights.beginStep(settings)
        weights.step(
            rows, row, 0, gradient: settings.clipped(slope * weight), settings: settings,
            isCareful: margin.isCareful)
        weights.endStep()
    }

    package mutating func reset() { weights.clear() }

    package var stateBytes: Int { weights.stateBytes }

    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        encoder.write(loss.rawValue)
        encoder.write(epsilon)
        encoder.write(quantile)
        settings.encode(to: &encoder)
        weights.layout.encode(to: &encoder)
        weights.encode(to: &encoder)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        let raw = try decoder.readInteger(UInt8.self)
        guard let loss = RegressionLoss(rawValue: raw) else {
            throw .invalidValue("a loss is \(raw)")
        }
        self.loss = loss
        epsilon = try decoder.readSize("an epsilon")
        quantile = try decoder.readSize("a quantile")
        settings = try LinearSettings(from: &decoder)
        let layout = try ColumnLayout(from: &decoder)
        weights = try LinearWeights(from: &decoder, layout: layout, settings: settings)
        guard weights.outputCount == 1 else {
            throw .invalidValue("a regression has \(weights.outputCount) outputs")
        }
    }
}
