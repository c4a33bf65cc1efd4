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

    private let loss: ClassificationLoss
    private let settings: LinearSettings
    private let classLimit: Int
    private let declaredClasses: Int
    private var weights: LinearWeights
    /// The scores and then the gradients of all classes, while a row is learned.
    private var scores: [Double] = []

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

    package func intercept(class label: Int = 0) -> Double { weights.intercepts[label] }

    package mutating func reset() {
        weights.clear()
        scores = []
        grow(to: declaredClasses)
    }

    package var stateBytes: Int { weights.stateBytes + 8 * scores.count }

    /// Makes room for classes: nothing to do up to two.
    private mutating func grow(to count: Int) {
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

    private func predict(
        _ rows: borrowing Rows, _ row: Int, into predictions: inout Predictions
    ) {
        let known = Int(rows.knownClasses[row])
        if weights.outputCount == 1 {
            let margin = finiteMargin(rows, row, 0)
            if known <= 2 {
                Self.write(margin, known, row, into: &predictions)
            } else {
                Self.write(known, row, into: &predictions) { label in
                    label == 0 ? -0.5 * margin : label == 1 ? 0.5 * margin : 0
                }
            }
        } else {
            Self.write(known, row, into: &predictions) { label in
                label < weights.outputCount ? finiteMargin(rows, row, label) : 0
            }
        }
    }

    /// The margin of one output, inside ±1e300.
    private func finiteMargin(_ rows: borrowing Rows, _ row: Int, _ output: Int) -> Double {
        let margin = weights.margin(rows, row, output)
        return margin.isFinite ? margin : weights.carefulMargin(rows, row, output)
    }

    /// Writes what the margin between two classes says when at most two are known.
    @inline(__always)
    @discardableResult
    private static func write(
        _ margin: Double, _ known: Int, _ row: Int, into predictions: inout Predictions
    ) -> Double {
        let probability = margin.logistic
        if known == 2 {
            predictions.setLabel(row, probability > 0.5 ? 1 : 0)
            if predictions.wantsProbabilities {
                predictions.setProbability(row, 0, 1 - probability)
                predictions.setProbability(row, 1, probability)
            }
        } else {
            predictions.setLabel(row, known == 1 ? 0 : -1)
            if known == 1, predictions.wantsProbabilities { predictions.setProbability(row, 0, 1) }
        }
        return probability
    }

    /// Writes the softmax of the scores of the known classes.
    private static func write(
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

// MARK: - Learning

extension LogisticRegression {
    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows, row) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        let isFast = settings.isPlain && weights.blocks.isEmpty && loss == .log
        var row = range.lowerBound
        while row < range.upperBound {
            if isFast, weights.outputCount == 1 {
                row = weights.plainSteps(rows, row..<range.upperBound, settings) { row, margin in
                    let known = Int(rows.knownClasses[row])
                    let label = rows.classLabels[row]
                    if known > 2 || label > 1 { return .infinity }
                    let probability = Self.write(margin, known, row, into: &predictions)
                    guard label >= 0 else { return .nan }
                    return (probability - Double(label)) * rows.weights[row]
                }
                if row == range.upperBound { return }
            }
            predict(rows, row, into: &predictions)
            learn(rows, row)
            row += 1
        }
    }

    private mutating func learn(_ rows: borrowing Rows, _ row: Int) {
        let label = Int(rows.classLabels[row])
        let weight = rows.weights[row]
        guard label >= 0, label < classLimit, weight > 0 else { return }
        grow(to: max(label + 1, Int(rows.knownClasses[row])))
        weights.beginStep(settings)
        if weights.outputCount == 1 {
            learnBinary(rows, row, label, weight)
        } else {
            learnMulticlass(rows, row, label, weight)
        }
        weights.endStep()
    }

    private mutating func learnBinary(
        _ rows: borrowing Rows, _ row: Int, _ label: Int, _ weight: Double
    ) {
        var margin = weights.margin(rows, row, 0)
        let isCareful = !margin.isFinite
        if isCareful { margin = weights.carefulMargin(rows, row, 0) }
        let slope: Double
        if loss == .log {
            slope = margin.logistic - Double(label)
        } else {
            slope = label == 1 ? loss.slope(margin) : -loss.slope(-margin)
        }
        weights.step(
            rows, row, 0, gradient: settings.clipped(slope * weight), settings: settings,
            isCareful: isCareful)
    }

    private mutating func learnMulticlass(
        _ rows: borrowing Rows, _ row: Int, _ label: Int, _ weight: Double
    ) {
        let count = weights.outputCount
        var isCareful = false
        for output in 0..<count {
            scores[output] = weights.margin(rows, row, output)
            if !scores[output].isFinite {
                isCareful = true
                scores[output] = weights.carefulMargin(rows, row, output)
            }
        }
        if loss == .log {
            scores[0..<count].turnIntoProbabilities()
            scores[label] -= 1
        } else {
            turnIntoSlopes(label)
        }
        for output in 0..<count {
            let gradient = settings.clipped(scores[output] * weight)
            if gradient == 0, settings.l2 == 0, settings.l1 == 0 { continue }
            weights.step(
                rows, row, output, gradient: gradient, settings: settings, isCareful: isCareful)
        }
    }

    /// Replaces the scores by the derivatives of the margin between the label and its rival.
    private mutating func turnIntoSlopes(_ label: Int) {
        var rival = label == 0 ? 1 : 0
        for output in scores.indices where output != label && scores[output] > scores[rival] {
            rival = output
        }
        let slope = loss.slope(scores[label] - scores[rival])
        for output in scores.indices { scores[output] = 0 }
        scores[label] = slope
        scores[rival] = -slope
    }
}

extension MutableCollection where Element == Double, Index == Int {
    /// The softmax of these scores, in place.
    mutating func turnIntoProbabilities() {
        var highest = -Double.infinity
        for index in indices where self[index] > highest { highest = self[index] }
        var sum = 0.0
        for index in indices {
            self[index] = (self[index] - highest).exponential
            sum += self[index]
        }
        for index in indices { self[index] /= sum }
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
