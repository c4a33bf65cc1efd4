import Core

/// What learning one row at a leaf writes to.
///
/// The slot must be that of an active leaf that has a block for the row's class and room for the
/// row's codes.
struct LeafLearner: ~Escapable, BitwiseCopyable {
    let vectorCount: Int
    let nominalStride: Int
    /// Whether naive Bayes needs its cached terms.
    let keepsBayesTerms: Bool
    /// See ``TreeColumns/constantMarks``.
    let marks: Span<Lanes>

    @inline(__always)
    @_lifetime(copy marks)
    init(vectorCount: Int, nominalStride: Int, keepsBayesTerms: Bool, marks: Span<Lanes>) {
        self.vectorCount = vectorCount
        self.nominalStride = nominalStride
        self.keepsBayesTerms = keepsBayesTerms
        self.marks = marks
    }

    /// Adds a row to the observations of a class, and refreshes its cached terms.
    ///
    /// - Parameter record: The class at the leaf, its count already raised.
    @inline(__always)
    func learn(
        _ view: RowView, weight: Double, isComplete: Bool, record: inout ClassRecord,
        numeric: inout MutableSpan<Lanes>, nominal: inout MutableSpan<Double>
    ) {
        let block = Int(record.block)
        let first = block &* LeafStore.Plane.count &* vectorCount
        let isPlain = isComplete && record.isRegular
        var product = LogProduct()
        // First, so that it is done while the vectors are loaded.
        let weightSquare = record.weight * record.weight
        let hasWeight = weightSquare > 1e-290 && weightSquare < 1e290
        if hasWeight { product.multiply(by: weightSquare) }
        var markSum = 0.0
        var isRegular = true
        for index in 0..<vectorCount {
            let x = view.lanes(index)
            if isPlain {
                update(x, weight, first &+ index, &numeric)
            } else {
                let isNumeric = view.masks[index] .!= SIMD8<UInt64>.zero
                updatePresent(x, weight, isNumeric, first &+ index, &numeric)
                let total = numeric[first &+ LeafStore.Plane.weight &* vectorCount &+ index]
                if any(isNumeric .& (total .<= 0)) { isRegular = false }
            }
            guard keepsBayesTerms else { continue }
            let total = numeric[first &+ LeafStore.Plane.weight &* vectorCount &+ index]
            let squares = numeric[first &+ LeafStore.Plane.squares &* vectorCount &+ index]
            // The squares of the other lanes stay 0.
            let hasVariance = (squares .> 0) .& (total .> 1)
            let precision = Lanes.zero.replacing(
                with: (total - 1) / squares, where: hasVariance)
            numeric[first &+ LeafStore.Plane.precision &* vectorCount &+ index] = precision
            let factors = Lanes(repeating: 1)
                .replacing(with: precision * 0.15915494309189535, where: hasVariance)
            let exponents = product.multiply(by: factors)
            let mark = marks[index]
                .replacing(with: exponents * exponents, where: hasVariance)
            markSum += mark.folded
        }
        var divisor = LogProduct()
        for place in view.nominalColumns.indices {
            let code = view.value(view.nominalColumns[place])
            let at = block &* nominalStride &+ view.nominalOffsets[place]
            if code >= 0 {
                let width = view.nominalWidths[place]
                let cell = at &+ 2 &+ Int(code)
                nominal[at] += weight
                nominal[at &+ 1] = max(nominal[at &+ 1], code + 1)
                nominal[cell] += weight
                if keepsBayesTerms {
                    nominal[cell &+ width] = Double.logarithmOfNormal(nominal[cell] + 1)
                }
            }
            let denominator = nominal[at] + nominal[at &+ 1]
            if denominator > 0 {
                divisor.multiply(by: denominator)
                divisor.multiply(by: denominator)
            } else {
                isRegular = false
            }
        }
        guard keepsBayesTerms else {
            record.isRegular = isRegular
            return
        }
        // One sum tells how many lanes are constant, and Σ e² over the others.
        let constantCount = Double(Int(markSum / Self.constantMark))
        let exponentSquares = markSum - constantCount * Self.constantMark
        if exponentSquares > 860_000 || !hasWeight { isRegular = false }
        record.norm = isRegular ? 0.5 * product.logarithm(dividedBy: divisor) : 0
        record.slack = LeafStore.slack(exponentSquares, laneCount &* vectorCount)
        record.isRegular = isRegular
        record.hasConstant = constantCount > 0
    }

    /// Above any sum of squared exponents, and far below 2^53: sums with it are exact.
    static let constantMark = 0x1p40

    /// Updates all lanes of a vector, each of which was observed before.
    @inline(__always)
    private func update(
        _ x: Lanes, _ weight: Double, _ at: Int, _ numeric: inout MutableSpan<Lanes>
    ) {
        typealias Plane = LeafStore.Plane
        let total = numeric[at &+ Plane.weight &* vectorCount] + weight
        numeric[at &+ Plane.weight &* vectorCount] = total
        let last = numeric[at]
        let step = weight * (x - last)
        let mean = last + step / total
        numeric[at] = mean
        numeric[at &+ Plane.squares &* vectorCount] += step * (x - mean)
        let low = numeric[at &+ Plane.minimum &* vectorCount]
        numeric[at &+ Plane.minimum &* vectorCount] = low.replacing(with: x, where: x .< low)
        let high = numeric[at &+ Plane.maximum &* vectorCount]
        numeric[at &+ Plane.maximum &* vectorCount] = high.replacing(with: x, where: x .> high)
    }

    /// Updates the numeric lanes whose value is there; a first value becomes the mean as it is.
    @inline(never)
    private func updatePresent(
        _ x: Lanes, _ weight: Double, _ isNumeric: SIMDMask<SIMD8<Int64>>, _ at: Int,
        _ numeric: inout MutableSpan<Lanes>
    ) {
        typealias Plane = LeafStore.Plane
        let isPresent = (RowView.nothing(x) .== 0) .& isNumeric
        let before = numeric[at &+ Plane.weight &* vectorCount]
        let isFirst = isPresent .& (before .<= 0)
        let total = before.replacing(with: before + weight, where: isPresent)
        numeric[at &+ Plane.weight &* vectorCount] = total
        let last = numeric[at]
        let step = weight * (x - last)
        let mean = last.replacing(with: last + step / total, where: isPresent)
            .replacing(with: x, where: isFirst)
        numeric[at] = mean
        let squares = numeric[at &+ Plane.squares &* vectorCount]
        numeric[at &+ Plane.squares &* vectorCount] = squares.replacing(
            with: squares + step * (x - mean), where: isPresent .& .!isFirst)
        let low = numeric[at &+ Plane.minimum &* vectorCount]
        numeric[at &+ Plane.minimum &* vectorCount] = low.replacing(
            with: x, where: isPresent .& (x .< low))
        let high = numeric[at &+ Plane.maximum &* vectorCount]
        numeric[at &+ Plane.maximum &* vectorCount] = high.replacing(
            with: x, where: isPresent .& (x .> high))
    }
}

extension LeafStore {
    /// At least the sum of the positive parts of ½ ln f over factors f, from the sum of the squares
    /// of their binary exponents e: ½ ln f < ½ (e + 1) ln 2, and Σ |e| ≤ √(n Σ e²).
    @inline(__always)
    static func slack(_ exponentSquares: Double, _ count: Int) -> Double {
        let count = Double(count)
        return 0.34657359027997264 * ((count * exponentSquares).squareRoot() + count)
    }
}
