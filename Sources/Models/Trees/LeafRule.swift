import Core

/// How leaves predict.
struct LeafRule {
    let prediction: LeafPrediction
    let bayesThreshold: Double
}

/// What the two ways of predicting said of a row; −1 for a way that was not asked.
struct LeafAnswer {
    var majority = -1
    var bayes = -1
    var isComplete = false
}

extension LeafView {
    /// Predicts the row at a leaf.
    ///
    /// - Parameters:
    ///   - known: The number of classes known; without any the label is −1.
    ///   - learning: Whether the answers of both ways are wanted, to compare them with the label.
    ///   - row: Where the prediction goes; −1 for nowhere.
    @inline(__always)
    func predict(
        _ view: RowView, _ head: LeafHead, _ slot: Int, known: Int, rule: LeafRule, learning: Bool,
        into sink: inout PredictionSink, row target: Int
    ) -> LeafAnswer {
        let table = slot &* classCapacity
        var answer = LeafAnswer()
        if learning { answer.isComplete = view.isComplete }
        if known <= 0 {
            if target >= 0 { sink.setLabel(target, -1) }
            return answer
        }
        let extent = min(Int(head.extent), known)
        answer.majority = majorityLabel(table, extent)
        var usesBayes = false
        switch rule.prediction {
        case .majority: break
        case .naiveBayes: usesBayes = head.isActive && weightSum(table, head) >= rule.bayesThreshold
        case .naiveBayesAdaptive:
            usesBayes = head.isActive && !(head.majorityCorrect > head.bayesCorrect)
        }
        let wants = target >= 0 && sink.wantsProbabilities
        let asksBayes =
            usesBayes || (learning && head.isActive && rule.prediction == .naiveBayesAdaptive)
        if asksBayes {
            if head.isFresh {
                answer.bayes = answer.majority
                if usesBayes && wants { setShares(table, known, into: &sink, row: target) }
            } else {
                if !learning { answer.isComplete = view.isComplete }
                let keeps = usesBayes && wants
                let (label, best) = bayesLabel(
                    view, table, known: known, isComplete: answer.isComplete, into: &sink,
                    keeping: keeps ? target : -1)
                answer.bayes = label
                if keeps {
                    normalise(known, label: label, best: best, into: &sink, row: target)
                }
            }
        }
        if target >= 0 {
            sink.setLabel(target, Int32(usesBayes ? answer.bayes : answer.majority))
            if wants && !usesBayes { setShares(table, known, into: &sink, row: target) }
        }
        return answer
    }

    /// The weight of the records of a leaf, summed in the order of the classes as MOA does.
    @inline(__always)
    func weightSum(_ table: Int, _ head: LeafHead) -> Double {
        var sum = 0.0
        for code in 0..<Int(head.extent) { sum += classes[table &+ code].weight }
        return sum
    }

    /// The shares of the classes in the leaf's records as probabilities.
    @inline(__always)
    private func setShares(
        _ table: Int, _ known: Int, into sink: inout PredictionSink, row target: Int
    ) {
        let counted = min(known, classCapacity)
        var sum = 0.0
        for code in 0..<counted { sum += max(0, classes[table &+ code].weight) }
        for code in 0..<known {
            let weight = code < counted ? max(0, classes[table &+ code].weight) : 0
            sink.setProbability(target, code, sum > 0 ? weight / sum : 1 / Double(known))
        }
    }

    /// Turns the scores in place of a row's probabilities into probabilities.
    ///
    /// Where naive Bayes gives no class any evidence, all known classes are equally likely; the
    /// label is then the first one, as in MOA.
    @inline(__always)
    private func normalise(
        _ known: Int, label: Int, best: Double, into sink: inout PredictionSink, row target: Int
    ) {
        guard best > -.infinity, best < .infinity else {
            for code in 0..<known { sink.setProbability(target, code, 1 / Double(known)) }
            return
        }
        let counted = min(known, classCapacity)
        if known == 2 && counted == 2 {
            // The same bits as below, without a branch on which of the two is better.
            let score = sink.probability(target, 1 &- label)
            let other = score <= best ? (score - best).exponential : 0
            let sum = 1 + other
            sink.setProbability(target, label, 1 / sum)
            sink.setProbability(target, 1 &- label, other / sum)
            return
        }
        var sum = 0.0
        for code in 0..<counted {
            let score = sink.probability(target, code)
            // A NaN stands for a vote that only products of densities could tell.
            let value =
                score == best
                ? 1 : (score > -.infinity && score < best ? (score - best).exponential : 0)
            sink.setProbability(target, code, value)
            sum += value
        }
        for code in 0..<counted {
            sink.setProbability(target, code, sink.probability(target, code) / sum)
        }
        for code in counted..<max(counted, known) { sink.setProbability(target, code, 0) }
    }
}

/// The class counts that splits held when they were made.
struct SplitView: ~Escapable, BitwiseCopyable {
    let counts: Span<Double>
    let classCapacity: Int

    @_lifetime(copy counts)
    init(counts: Span<Double>, classCapacity: Int) {
        self.counts = counts
        self.classCapacity = classCapacity
    }

    /// Predicts a row that cannot go below a split: the majority of its counts.
    func predict(_ index: Int, known: Int, into sink: inout PredictionSink, row: Int) {
        if known <= 0 {
            sink.setLabel(row, -1)
            return
        }
        let counted = min(known, classCapacity)
        let start = index * classCapacity
        var label = 0
        var most = -Double.infinity
        var sum = 0.0
        for code in 0..<counted {
            let weight = counts[start + code]
            sum += max(0, weight)
            if weight > most {
                most = weight
                label = code
            }
        }
        sink.setLabel(row, Int32(label))
        guard sink.wantsProbabilities else { return }
        for code in 0..<known {
            let weight = code < counted ? max(0, counts[start + code]) : 0
            sink.setProbability(row, code, sum > 0 ? weight / sum : 1 / Double(known))
        }
    }
}
