import Core

extension LinearWeights {
    /// Learns rows one after another by the plain step `w −= η · g · x`, as long as it will do.
    ///
    /// For one output without categories. Everything that a row does not change is read once for
    /// all of them; the bits are those of ``step(_:_:_:gradient:settings:isCareful:)``.
    ///
    /// - Parameter gradient: Given a row and its margin, the derivative of the loss times the
    ///   row's weight; NaN if the row teaches nothing; infinite if it needs the general path.
    /// - Returns: The first row that was not taken: its margin or gradient is not finite.
    @inline(__always)
    mutating func plainSteps(
        _ rows: borrowing Rows, _ range: Range<Int>, _ settings: LinearSettings,
        gradient: (_ row: Int, _ margin: Double) -> Double
    ) -> Int {
        precondition(outputCount == 1 && blocks.isEmpty, "plain steps are for a single output")
        precondition(rows.vectorsPerRow >= vectorCount, "the rows are narrower than the layout")
        precondition(dense.count == vectorCount, "the weights differ from the layout")
        return Self.plainSteps(
            rows, range, settings, &dense, &table, &intercepts[0], &steps, hashMask, gradient)
    }

    @inline(__always)
    private static func plainSteps(
        _ rows: borrowing Rows, _ range: Range<Int>, _ settings: LinearSettings,
        _ dense: inout [Lanes], _ table: inout [Double], _ bias: inout Double,
        _ steps: inout Int, _ mask: Int, _ gradient: (_ row: Int, _ margin: Double) -> Double
    ) -> Int {
        let rate = settings.learningRate
        let interceptRate = settings.interceptLearningRate
        let stride = rows.vectorsPerRow
        var intercept = bias
        var learned = steps
        var next = range.upperBound
        let vectors = rows.vectors
        let weights = rows.weights
        let indices = rows.sparseIndices
        let values = rows.sparseValues
        var w = dense.mutableSpan
        var hashed = table.mutableSpan
        let count = w.count
        for row in range {
            let x = vectors.extracting((row &* stride)..<(row &* stride &+ count))
            var sum = Lanes.zero
            for index in x.indices { sum += w[index] * x[index] }
            var margin = intercept + sum.folded
            let pairs = mask >= 0 ? rows.sparseRange(row) : 0..<0
            let places = indices.extracting(pairs)
            let amounts = values.extracting(pairs)
            if mask >= 0 { margin += sparseMargin(places, amounts, hashed.span, 0, mask) }
            guard margin.isFinite else {
                next = row
                break
            }
            let raw = gradient(row, margin)
            guard raw.isFinite else {
                if raw.isNaN { continue }
                next = row
                break
            }
            guard weights[row] > 0 else { continue }
            let slope = settings.clipped(raw)
            intercept -= interceptRate * slope
            let step = rate * slope
            for index in x.indices { w[index] = w[index] - step * x[index] }
            for index in places.indices {
                let entry = Int(places[index]) & mask
                hashed[entry] = hashed[entry] - step * amounts[index]
            }
            learned &+= 1
        }
        bias = intercept
        steps = learned
        return next
    }
}

extension LinearWeights {
    /// Learns rows one after another by AdaGrad's step without L1 penalty, as long as it will do.
    ///
    /// For one output over numeric columns alone; the bits are those of
    /// ``step(_:_:_:gradient:settings:isCareful:)``.
    ///
    /// - Parameter gradient: As in ``plainSteps(_:_:_:gradient:)``.
    /// - Returns: The first row that was not taken: its margin or gradient is not finite.
    @inline(__always)
    mutating func adagradSteps(
        _ rows: borrowing Rows, _ range: Range<Int>, _ settings: LinearSettings,
        gradient: (_ row: Int, _ margin: Double) -> Double
    ) -> Int {
        precondition(outputCount == 1 && blocks.isEmpty && tableSize == 0, "for numbers alone")
        precondition(rows.vectorsPerRow >= vectorCount, "the rows are narrower than the layout")
        precondition(
            dense.count == vectorCount && denseSquares.count == vectorCount,
            "the weights differ from the layout")
        return Self.adagradSteps(
            rows, range, settings, &dense, &denseSquares, &intercepts[0], &steps, gradient)
    }

    @inline(__always)
    private static func adagradSteps(
        _ rows: borrowing Rows, _ range: Range<Int>, _ settings: LinearSettings,
        _ dense: inout [Lanes], _ denseSquares: inout [Lanes], _ bias: inout Double,
        _ steps: inout Int, _ gradient: (_ row: Int, _ margin: Double) -> Double
    ) -> Int {
        let rate = settings.learningRate
        let interceptRate = settings.interceptLearningRate
        let l2 = settings.l2
        let stride = rows.vectorsPerRow
        var intercept = bias
        var learned = steps
        var next = range.upperBound
        let vectors = rows.vectors
        let weights = rows.weights
        var w = dense.mutableSpan
        var squares = denseSquares.mutableSpan
        let count = w.count
        for row in range {
            let x = vectors.extracting((row &* stride)..<(row &* stride &+ count))
            var sum = Lanes.zero
            for index in x.indices { sum += w[index] * x[index] }
            let margin = intercept + sum.folded
            guard margin.isFinite else {
                next = row
                break
            }
            let raw = gradient(row, margin)
            guard raw.isFinite else {
                if raw.isNaN { continue }
                next = row
                break
            }
            guard weights[row] > 0 else { continue }
            let derivative = settings.clipped(raw)
            intercept -= interceptRate * derivative
            for index in x.indices {
                // A finite margin means that no value is missing.
                let slope = derivative * x[index] + l2 * w[index]
                let sum = squares[index] + slope * slope
                let bounded = sum.replacing(with: 1e300, where: sum .> 1e300)
                squares[index] = bounded
                w[index] = w[index] - (rate * slope) / (bounded + 1e-8).squareRoot()
            }
            learned &+= 1
        }
        bias = intercept
        steps = learned
        return next
    }
}
