package import Core

extension LogisticRegression {
    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows, row) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        let isFast =
            loss == .log && weights.blocks.isEmpty
            && (settings.isPlain || (settings.isPlainAdagrad && weights.tableSize == 0))
        var row = range.lowerBound
        while row < range.upperBound {
            if isFast, weights.outputCount == 1 {
                row = plainSteps(rows, row..<range.upperBound, into: &predictions)
                if row == range.upperBound { return }
            }
            if weights.outputCount == 1 {
                let margin = weights.finiteMargin(rows, row, 0)
                Self.write(
                    margin.value, Int(rows.knownClasses[row]), row, into: &predictions)
                learn(rows, row, margin: margin)
            } else {
                predict(rows, row, into: &predictions)
                learn(rows, row)
            }
            row += 1
        }
    }

    /// Rows of two classes by plain steps; returns the first row that needs another way.
    private mutating func plainSteps(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) -> Int {
        let capacity = predictions.classCapacity
        let wantsProbabilities = predictions.wantsProbabilities
        let codes = rows.classLabels
        let knownCounts = rows.knownClasses
        let recordWeights = rows.weights
        return predictions.withMutableSpans { labels, _, probabilities in
            func answer(_ row: Int, _ margin: Double) -> Double {
                let known = knownCounts[row]
                let code = codes[row]
                if known > 2 || code > 1 { return .infinity }
                let probability = margin.logistic
                if known == 2 {
                    labels[row] = probability > 0.5 ? 1 : 0
                    if wantsProbabilities {
                        probabilities[row &* capacity] = 1 - probability
                        probabilities[row &* capacity &+ 1] = probability
                    }
                } else {
                    labels[row] = known == 1 ? 0 : -1
                    if known == 1, wantsProbabilities { probabilities[row &* capacity] = 1 }
                }
                return code >= 0 ? (probability - Double(code)) * recordWeights[row] : .nan
            }
            return settings.isPlain
                ? weights.plainSteps(rows, range, settings, gradient: answer)
                : weights.adagradSteps(rows, range, settings, gradient: answer)
        }
    }

    /// - Parameter margin: That of the only output, if it is known already.
    @inline(__always)
    private mutating func learn(
        _ rows: borrowing Rows, _ row: Int, margin: LinearWeights.Margin? = nil
    ) {
        let label = Int(rows.classLabels[row])
        let weight = rows.weights[row]
        guard label >= 0, label < classLimit, weight > 0 else { return }
        grow(to: max(label + 1, Int(rows.knownClasses[row])))
        weights.beginStep(settings)
        if weights.outputCount == 1 {
            learnBinary(
                rows, row, label, weight, margin ?? weights.finiteMargin(rows, row, 0))
        } else {
            learnMulticlass(rows, row, label, weight)
        }
        weights.endStep()
    }

    private mutating func learnBinary(
        _ rows: borrowing Rows, _ row: Int, _ label: Int, _ weight: Double,
        _ margin: LinearWeights.Margin
    ) {
        let slope: Double
        if loss == .log {
            slope = margin.value.logistic - Double(label)
        } else {
            slope = label == 1 ? loss.slope(margin.value) : -loss.slope(-margin.value)
        }
        weights.step(
            rows, row, 0, gradient: settings.clipped(slope * weight), settings: settings,
            isCareful: margin.isCareful)
    }

    private mutating func learnMulticlass(
        _ rows: borrowing Rows, _ row: Int, _ label: Int, _ weight: Double
    ) {
        let count = weights.outputCount
        var isCareful = false
        for output in 0..<count {
            let margin = weights.finiteMargin(rows, row, output)
            scores[output] = margin.value
            if margin.isCareful { isCareful = true }
        }
        if loss == .log {
            scores.turnIntoProbabilities()
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

extension [Double] {
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
