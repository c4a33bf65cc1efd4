import Core

/// What learning one row at a leaf writes to.
///
/// The slot must be that of an active leaf that has a block for the row's class and room for the
/// row's codes.
struct LeafLearner {
    let vectorCount: Int
    let nominalStride: Int
    /// Whether naive Bayes needs its cached terms.
    let keepsBayesTerms: Bool

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
        var product = LogProduct()
        var slack = Lanes.zero
        var isRegular = true
        var constants = Lanes.zero
        for index in 0..<vectorCount {
            let isNumeric = (view.masks[index] .!= SIMD8<UInt64>.zero)
            let x = view.lanes(index)
            if isComplete && record.isRegular {
                update(x, weight, first &+ index, &numeric)
            } else {
                updatePresent(x, weight, isNumeric, first &+ index, &numeric)
            }
            guard keepsBayesTerms else { continue }
            let total = numeric[first &+ LeafStore.Plane.weight &* vectorCount &+ index]
            let squares = numeric[first &+ LeafStore.Plane.squares &* vectorCount &+ index]
            let hasVariance = (squares .> 0) .& (total .> 1) .& isNumeric
            let precision = Lanes.zero.replacing(
                with: (total - 1) / squares, where: hasVariance)
            numeric[first &+ LeafStore.Plane.precision &* vectorCount &+ index] = precision
            constants += Lanes.zero.replacing(with: 1, where: isNumeric .& .!hasVariance)
            if !isComplete || !record.isRegular {
                if any(isNumeric .& (total .<= 0)) { isRegular = false }
            }
            let factors = Lanes(repeating: 1)
                .replacing(with: precision * 0.15915494309189535, where: hasVariance)
            let exponents = product.multiply(by: factors)
            slack += LeafStore.positiveParts(exponents)
            if exponents.magnitudes.max() > 930 { isRegular = false }
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
        guard keepsBayesTerms else { return }
        if record.weight > 0 {
            product.multiply(by: record.weight)
            product.multiply(by: record.weight)
        } else {
            isRegular = false
        }
        record.norm = isRegular ? 0.5 * product.logarithm(dividedBy: divisor) : 0
        record.slack = isRegular ? slack.folded : 0
        record.isRegular = isRegular
        record.hasConstant = constants.folded > 0
    }

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
    /// At least the positive parts of ½ ln f, for factors f with these binary exponents.
    @inline(__always)
    static func positiveParts(_ exponents: Lanes) -> Lanes {
        let above = exponents + 1
        return 0.34657359027997264 * above.replacing(with: 0, where: above .< 0)
    }
}
