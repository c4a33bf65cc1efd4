package import Core

/// A logistic regression by stochastic gradient descent, for two or more classes.
///
/// With two classes there is one weight vector w and p(1) = 1 / (1 + e^−w·x). The third class
/// turns it into the vectors −w/2, +w/2 and 0, whose softmax gives the same odds between the
/// first two; from then on each class has its own vector. A category has a weight of its own; a
/// missing value adds and learns nothing. The weight of a record multiplies its gradient. With
/// other losses than `log` the probabilities rank, but are not calibrated; with more than two
/// classes these act on the margin between the true class and its strongest rival.
///
/// Before the first record all known classes are equally probable, and the first of them is the
/// label. Classes past `class_limit` are never predicted and teach nothing.
///
/// - Complexity: O(*c* · (*d* + *s*)) time for *c* vectors, *d* columns and *s* sparse pairs;
///   memory fixed by the layout and the classes; allocates only when a class appears.
/// - Note: Bottou, *Large-Scale Machine Learning with Stochastic Gradient Descent*, 2010; steps
///   and penalties as in River 0.26.
package struct LogisticRegression: Classifier {
    package static let declaration = ComponentDeclaration(
        name: "logistic_regression",
        summary: "Probabilities from a weighted sum of the features, learned by stochastic "
            + "gradient descent; softmax from the third class on.",
        source: "Bottou 2010; steps as in River",
        settings: [
            SettingDeclaration(
                "loss", .choice(ClassificationLoss.allCases.map(\.name)), default: .text("log"),
                "What the model minimises; only `log` gives calibrated probabilities.")
        ] + LinearSettings.declarations + [
            SettingDeclaration(
                "class_limit", .integer(2...1_000_000), default: .integer(1000),
                "The most classes that get weights; hashed features may lower it to keep all "
                    + "weights within 1 GiB.")
        ],
        presets: [LinearSettings.riverPreset])

    let loss: ClassificationLoss
    let settings: LinearSettings
    let classLimit: Int
    private let declaredClasses: Int
    var weights: LinearWeights
    /// The scores and then the gradients of all classes, while a row is learned.
    var scores: [Double] = []

    /// - Parameter declaredClasses: Classes known from the start; from three on there is no stage
    ///   of two.
    package init(
        settings: Settings, layout: ColumnLayout, declaredClasses: Int = 0
    ) throws(SettingsError) {
        let name = settings.text("loss")
        guard let loss = ClassificationLoss.allCases.first(where: { $0.name == name }) else {
            preconditionFailure("no loss \(name)")
        }
        self.loss = loss
        self.settings = LinearSettings(settings)
        weights = try LinearWeights(layout: layout, outputCount: 1, settings: self.settings)
        classLimit = min(settings.integer("class_limit"), weights.outputLimit)
        self.declaredClasses = declaredClasses
        grow(to: declaredClasses)
    }

    /// The classes with a vector of their own; 2 while one vector serves both.
    package var classCount: Int { max(2, weights.outputCount) }

    /// The weight of a numeric column in a class's vector; class 0 is the only one of two.
    package func weight(column: Int, class label: Int = 0) -> Double {
        let vector = label * weights.vectorCount + column / laneCount
        return weights.dense[vector][column % laneCount]
    }

    /// Weights and intercepts that are not 0.
    package var parameterCount: Int { weights.parameterCount }

    package func intercept(class label: Int = 0) -> Double { weights.intercepts[label] }

    package mutating func reset() {
        weights.clear()
        scores = []
        grow(to: declaredClasses)
    }

    package var stateBytes: Int { weights.stateBytes + 8 * scores.count }

    /// Makes room for classes: nothing to do up to two.
    mutating func grow(to count: Int) {
        let count = min(count, classLimit)
        guard count > 2, count > weights.outputCount else { return }
        if weights.outputCount == 1 { weights.split() }
        weights.extend(to: count)
        scores = [Double](repeating: 0, count: count)
    }
}

// MARK: - Predicting

extension LogisticRegression {
    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range { predict(rows, row, into: &predictions) }
    }

    func predict(
        _ rows: borrowing Rows, _ row: Int, into predictions: inout Predictions
    ) {
        if weights.outputCount == 1 {
            let margin = weights.finiteMargin(rows, row, 0).value
            Self.write(margin, Int(rows.knownClasses[row]), row, into: &predictions)
        } else {
            Self.write(Int(rows.knownClasses[row]), row, into: &predictions) { label in
                label < weights.outputCount ? weights.finiteMargin(rows, row, label).value : 0
            }
        }
    }

    /// Writes what the one margin says; to a third class and further ones it gives a score of 0.
    static func write(
        _ margin: Double, _ known: Int, _ row: Int, into predictions: inout Predictions
    ) {
        switch known {
        case 2:
            let probability = margin.logistic
            predictions.setLabel(row, probability > 0.5 ? 1 : 0)
            guard predictions.wantsProbabilities else { return }
            predictions.setProbability(row, 0, 1 - probability)
            predictions.setProbability(row, 1, probability)
        case ...1:
            predictions.setLabel(row, known == 1 ? 0 : -1)
            if known == 1, predictions.wantsProbabilities { predictions.setProbability(row, 0, 1) }
        default:
            write(known, row, into: &predictions) { label in
                label == 0 ? -0.5 * margin : label == 1 ? 0.5 * margin : 0
            }
        }
    }

    /// Writes the softmax of the scores of the known classes.
    static func write(
        _ known: Int, _ row: Int, into predictions: inout Predictions, score: (Int) -> Double
    ) {
        var best = -1
        var highest = -Double.infinity
        for label in 0..<known {
            let value = score(label)
            if value > highest {
                highest = value
                best = label
            }
            if predictions.wantsProbabilities { predictions.setProbability(row, label, value) }
        }
        predictions.setLabel(row, Int32(truncatingIfNeeded: best))
        guard predictions.wantsProbabilities else { return }
        let base = row * predictions.classCapacity
        var sum = 0.0
        for label in 0..<known {
            let value = (predictions.probabilities[base + label] - highest).exponential
            predictions.setProbability(row, label, value)
            sum += value
        }
        for label in 0..<known {
            predictions.setProbability(row, label, predictions.probabilities[base + label] / sum)
        }
    }
}

// MARK: - State

extension LogisticRegression {
    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        encoder.write(loss.rawValue)
        encoder.write(classLimit)
        encoder.write(declaredClasses)
        settings.encode(to: &encoder)
        weights.layout.encode(to: &encoder)
        weights.encode(to: &encoder)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        let raw = try decoder.readInteger(UInt8.self)
        guard let loss = ClassificationLoss(rawValue: raw) else {
            throw .invalidValue("a loss is \(raw)")
        }
        self.loss = loss
        classLimit = try decoder.readInt(in: 2...1_000_000, "a limit of classes")
        declaredClasses = try decoder.readInt(in: 0...Int(Int32.max), "the declared classes")
        settings = try LinearSettings(from: &decoder)
        let layout = try ColumnLayout(from: &decoder)
        weights = try LinearWeights(from: &decoder, layout: layout, settings: settings)
        let outputs = weights.outputCount
        guard outputs == 1 || (3...classLimit).contains(outputs) else {
            throw .invalidValue("a logistic regression has \(outputs) outputs")
        }
        if outputs > 1 { scores = [Double](repeating: 0, count: outputs) }
    }
}
