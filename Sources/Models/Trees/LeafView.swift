import Core

/// What predicting rows needs to see of the leaves: their records and observations.
///
/// Borrows everything; holds no reference. The decisions are those of MOA, which multiplies plain
/// densities: scores are sums of logarithms, and where these could decide otherwise (a near tie, a
/// product that underflows) ``exactBayesLabel(_:_:_:)`` multiplies as MOA does.
struct LeafView: ~Escapable, BitwiseCopyable {
    let nominalStride: Int
    let classCapacity: Int
    let classes: Span<ClassRecord>
    let numeric: Span<Lanes>
    let nominal: Span<Double>

    @inline(__always)
    @_lifetime(copy classes, copy numeric, copy nominal)
    init(
        nominalStride: Int, classCapacity: Int, classes: Span<ClassRecord>,
        numeric: Span<Lanes>, nominal: Span<Double>
    ) {
        self.nominalStride = nominalStride
        self.classCapacity = classCapacity
        self.classes = classes
        self.numeric = numeric
        self.nominal = nominal
    }

    // MARK: - Class counts

    /// The class with the greatest count among the first `count`; 0 if there is none.
    @inline(__always)
    func majorityLabel(_ table: Int, _ count: Int) -> Int {
        var best = 0
        var most = -Double.infinity
        for code in 0..<count where classes[table &+ code].weight > most {
            most = classes[table &+ code].weight
            best = code
        }
        return best
    }

    // MARK: - Naive Bayes

    /// The class that naive Bayes chooses among the known ones, the highest score, and, if wanted,
    /// all scores in place of the row's probabilities.
    @inline(__always)
    func bayesLabel(
        _ row: RowView, _ table: Int, known: Int, isComplete: Bool, into sink: inout PredictionSink,
        keeping target: Int
    ) -> (label: Int, score: Double) {
        var label = 0
        var best = -Double.infinity
        var second = -Double.infinity
        var floor = 0.0
        var risk = -Double.infinity
        var isDoubtful = false
        for code in 0..<min(known, classCapacity) {
            let record = classes[table &+ code]
            var score: Double
            var slack = record.slack
            if isComplete && record.isRegular {
                score = regularScore(row, record)
            } else {
                (score, slack) = generalScore(row, record)
                if score.isNaN { isDoubtful = true }
            }
            if target >= 0 { sink.setProbability(target, code, score) }
            if score > best {
                second = best
                best = score
                floor = score - slack
                label = code
            } else if score > second {
                second = score
            }
            if score - slack < -700 && score > -.infinity { risk = max(risk, slack - 740) }
            if slack > 600 { isDoubtful = true }
        }
        if isDoubtful
            || (best > -.infinity && (best - second < 1e-9 || floor < -700 || risk > best - 1))
        {
            label = exactBayesLabel(row, table, min(known, classCapacity))
            // The label keeps the highest probability, if only by a tie.
            if target >= 0 { sink.setProbability(target, label, best) }
        }
        return (label, best)
    }

    /// The log score of a class, with its cached terms.
    @inline(__always)
    private func regularScore(_ row: RowView, _ record: ClassRecord) -> Double {
        let count = row.numericVectors.count
        let block = Int(record.block)
        let first = block &* LeafStore.Plane.count &* count
        var sum = Lanes.zero
        for index in 0..<count {
            let difference = row.lanes(index) - numeric[first &+ index]
            sum += difference * difference * numeric[first &+ count &+ index]
        }
        var score = record.norm - 0.5 * sum.folded
        if record.hasConstant && differsFromConstant(row, first) { return -.infinity }
        for place in row.nominalColumns.indices {
            let code = Int(row.value(row.nominalColumns[place]))
            let width = row.nominalWidths[place]
            if code >= 0 && code < width {
                score +=
                    nominal[
                        block &* nominalStride &+ row.nominalOffsets[place] &+ 2 &+ width &+ code]
            }
        }
        return score
    }

    /// Whether a value differs from an attribute's only value: MOA's density is 0 there.
    @inline(__always)
    private func differsFromConstant(_ row: RowView, _ first: Int) -> Bool {
        let count = row.numericVectors.count
        var differences = Lanes.zero
        for index in 0..<count {
            let isConstant =
                (numeric[first &+ count &+ index] .== 0)
                .& (row.masks[index] .!= SIMD8<UInt64>.zero)
            let differs = isConstant .& (row.lanes(index) .!= numeric[first &+ index])
            differences.replace(with: 1, where: differs)
        }
        return differences.folded > 0
    }

    /// The log score of a class whatever is missing, and the sum of its positive terms; NaN where
    /// only ``exactBayesLabel(_:_:_:)`` knows.
    @inline(never)
    private func generalScore(
        _ row: RowView, _ record: ClassRecord
    ) -> (score: Double, slack: Double) {
        if record.weight <= 0 { return (-.infinity, 0) }
        var above = LogProduct()
        var below = LogProduct()
        above.multiply(by: record.weight)
        above.multiply(by: record.weight)
        let count = row.numericVectors.count
        let block = Int(record.block)
        let first = block &* LeafStore.Plane.count &* count
        var sum = Lanes.zero
        var exponentSquares = 0.0
        for index in 0..<count {
            let x = row.lanes(index)
            let isPresent =
                (RowView.nothing(x) .== 0) .& (row.masks[index] .!= SIMD8<UInt64>.zero)
            if !any(isPresent) { continue }
            if block < 0 { return (-.infinity, 0) }
            let weight = numeric[first &+ LeafStore.Plane.weight &* count &+ index]
            if any(isPresent .& (weight .<= 0)) { return (-.infinity, 0) }
            let precision = numeric[first &+ count &+ index]
            let difference = x - numeric[first &+ index]
            let isConstant = precision .== 0
            if any(isPresent .& isConstant .& (difference .!= 0)) { return (-.infinity, 0) }
            let isUsed = isPresent .& .!isConstant
            if any(isUsed .& ((precision .> 1e280) .| (precision .< 1e-280))) { return (.nan, 0) }
            sum += Lanes.zero.replacing(with: difference * difference * precision, where: isUsed)
            let factors = Lanes(repeating: 1)
                .replacing(with: precision * 0.15915494309189535, where: isUsed)
            let exponents = above.multiply(by: factors)
            exponentSquares += (exponents * exponents).folded
        }
        for place in row.nominalColumns.indices {
            let code = row.value(row.nominalColumns[place])
            if !(code >= 0) { continue }
            if block < 0 { return (-.infinity, 0) }
            let at = block &* nominalStride &+ row.nominalOffsets[place]
            if nominal[at] <= 0 { return (-.infinity, 0) }
            let width = row.nominalWidths[place]
            let weight = code < Double(width) ? nominal[at &+ 2 &+ Int(code)] : 0
            above.multiply(by: weight + 1)
            above.multiply(by: weight + 1)
            below.multiply(by: nominal[at] + nominal[at &+ 1])
            below.multiply(by: nominal[at] + nominal[at &+ 1])
        }
        let score = 0.5 * above.logarithm(dividedBy: below) - 0.5 * sum.folded
        return (score, LeafStore.slack(exponentSquares, laneCount &* count))
    }

    /// The class with the greatest product of densities, multiplied in MOA's order.
    @inline(never)
    private func exactBayesLabel(_ row: RowView, _ table: Int, _ known: Int) -> Int {
        var total = 0.0
        for code in 0..<classCapacity { total += classes[table &+ code].weight }
        var best = 0
        var most = 0.0
        for code in 0..<known {
            let vote = exactVote(row, classes[table &+ code], total: total)
            if code == 0 || vote > most {
                best = code
                most = vote
            }
        }
        return best
    }

    /// The product of a class's share and the densities of the row's values, as MOA computes it.
    private func exactVote(_ row: RowView, _ record: ClassRecord, total: Double) -> Double {
        var vote = record.weight / total
        let count = row.numericVectors.count
        let block = Int(record.block)
        let first = block &* LeafStore.Plane.count &* count
        var index = 0
        var place = 0
        // Both lists ascend: walking them together visits the columns in order.
        for column in 0..<row.columnEnd {
            while index < count && row.numericVectors[index] < column / laneCount { index += 1 }
            if place < row.nominalColumns.count && row.nominalColumns[place] == column {
                let code = row.value(column)
                if code >= 0 {
                    vote *=
                        block < 0
                        ? 0 : exactShare(row, code, place, at: block * nominalStride)
                }
                place += 1
            } else if index < count && row.numericVectors[index] == column / laneCount
                && row.masks[index][column % laneCount] != 0
            {
                let x = row.value(column)
                if RowView.nothing(x) == 0 {
                    vote *=
                        block < 0
                        ? 0 : exactDensity(row, x, first + index, lane: column % laneCount)
                }
            }
        }
        return vote
    }

    private func exactShare(_ row: RowView, _ code: Double, _ place: Int, at block: Int) -> Double {
        let at = block + row.nominalOffsets[place]
        if nominal[at] <= 0 { return 0 }
        let width = row.nominalWidths[place]
        var sum = 0.0
        for other in 0..<Int(nominal[at + 1]) { sum += nominal[at + 2 + other] }
        let weight = code < Double(width) ? nominal[at + 2 + Int(code)] : 0
        return (weight + 1) / (sum + nominal[at + 1])
    }

    private func exactDensity(_ row: RowView, _ x: Double, _ at: Int, lane: Int) -> Double {
        let count = row.numericVectors.count
        let weight = numeric[at + LeafStore.Plane.weight * count][lane]
        if weight <= 0 { return 0 }
        return Gaussian(
            weight: weight, mean: numeric[at][lane],
            squares: numeric[at + LeafStore.Plane.squares * count][lane]
        ).density(x)
    }
}
