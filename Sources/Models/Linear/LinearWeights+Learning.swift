import Core

// The margin of a row and the step that follows it. A margin that is not finite (a missing value,
// or an overflow) sends the row down the careful path, which looks at every value; which path a
// row takes depends on the state and the row alone, so that all ways to call agree bit for bit.
extension LinearWeights {
    /// `intercept + Σ w · x` of one output; not finite if the row needs ``carefulMargin(_:_:_:)``.
    func margin(_ rows: borrowing Rows, _ row: Int, _ output: Int) -> Double {
        let x = rows.vectors.extracting(rowVectors(rows, row))
        let w = dense.span.extracting((output * vectorCount)..<((output + 1) * vectorCount))
        var sum = Lanes.zero
        for index in x.indices { sum += w[index] * x[index] }
        let margin = intercepts[output] + sum.folded
        if tableSize == 0 { return margin }
        return margin + tableMargin(rows, row, output)
    }

    /// A margin inside ±1e300, and whether the row takes the careful path.
    struct Margin {
        let value: Double
        let isCareful: Bool
    }

    /// The margin of one output, by the careful path if need be.
    @inline(__always)
    func finiteMargin(_ rows: borrowing Rows, _ row: Int, _ output: Int) -> Margin {
        let value = margin(rows, row, output)
        if value.isFinite { return Margin(value: value, isCareful: false) }
        return Margin(value: carefulMargin(rows, row, output), isCareful: true)
    }

    /// The part of a margin that categories and hashed features add.
    @inline(__always)
    func tableMargin(_ rows: borrowing Rows, _ row: Int, _ output: Int) -> Double {
        let base = output * tableSize
        let w = table.span
        var margin = 0.0
        if hashMask >= 0 {
            let pairs = rows.sparseRange(row)
            margin = Self.sparseMargin(
                rows.sparseIndices.extracting(pairs), rows.sparseValues.extracting(pairs), w,
                base + hashedStart, hashMask)
        }
        for block in blocks {
            if let entry = entry(rows, row, block) { margin += w[base + entry] }
        }
        return margin
    }

    /// `Σ w · value` over the sparse pairs, in four sums that are added at the end.
    @inline(__always)
    static func sparseMargin(
        _ indices: Span<UInt32>, _ values: Span<Double>, _ w: Span<Double>, _ base: Int,
        _ mask: Int
    ) -> Double {
        let count = indices.count
        precondition(values.count == count, "sparse indices and values differ in number")
        var sum0 = 0.0
        var sum1 = 0.0
        var sum2 = 0.0
        var sum3 = 0.0
        var index = 0
        while index &+ 3 < count {
            sum0 += w[base &+ Int(indices[index]) & mask] * values[index]
            sum1 += w[base &+ Int(indices[index &+ 1]) & mask] * values[index &+ 1]
            sum2 += w[base &+ Int(indices[index &+ 2]) & mask] * values[index &+ 2]
            sum3 += w[base &+ Int(indices[index &+ 3]) & mask] * values[index &+ 3]
            index &+= 4
        }
        while index < count {
            sum0 += w[base &+ Int(indices[index]) & mask] * values[index]
            index &+= 1
        }
        return (sum0 + sum1) + (sum2 + sum3)
    }

    /// The place of a row's category in a table; `nil` if it is missing or beyond the limit.
    @inline(__always)
    func entry(_ rows: borrowing Rows, _ row: Int, _ block: CategoryBlock) -> Int? {
        let vector = row * rows.vectorsPerRow + block.column / laneCount
        let code = rows.vectors[vector][block.column % laneCount]
        guard code >= 0, code < Double(block.limit) else { return nil }
        return block.start + Int(code)
    }

    @inline(__always)
    func rowVectors(_ rows: borrowing Rows, _ row: Int) -> Range<Int> {
        precondition(rows.vectorsPerRow >= vectorCount, "the rows are narrower than the layout")
        let start = row * rows.vectorsPerRow
        return start..<(start + vectorCount)
    }

    /// The margin over the values that are there, with weights and sums kept inside bounds.
    func carefulMargin(_ rows: borrowing Rows, _ row: Int, _ output: Int) -> Double {
        let x = rows.vectors.extracting(rowVectors(rows, row))
        var sum = Lanes.zero
        for index in x.indices {
            let product = Self.bounded(dense[output * vectorCount + index]) * Self.present(x[index])
            sum += Self.bounded(product, by: 1e290)
        }
        var margin = Self.bounded(intercepts[output]) + sum.folded
        let base = output * tableSize
        for block in blocks {
            if let entry = entry(rows, row, block) { margin += Self.bounded(table[base + entry]) }
        }
        if hashMask >= 0 {
            for position in rows.sparseRange(row) {
                let entry = hashedStart + Int(rows.sparseIndices[position]) & hashMask
                let value = rows.sparseValues[position]
                guard value.isFinite else { continue }
                margin += Self.bounded(Self.bounded(table[base + entry]) * value, by: 1e290)
            }
        }
        return Self.bounded(margin, by: 1e300)
    }

    /// Takes one step of an output: `w −= rate · (gradient · x + l2 · w)`, then the L1 penalty.
    ///
    /// - Parameters:
    ///   - gradient: The loss's derivative by the margin, clipped.
    ///   - isCareful: Whether the row's margin was not finite.
    mutating func step(
        _ rows: borrowing Rows, _ row: Int, _ output: Int, gradient: Double,
        settings: LinearSettings, isCareful: Bool
    ) {
        let rate = settings.rate(steps)
        let intercept = intercepts[output] - settings.interceptLearningRate * gradient
        intercepts[output] = isCareful ? Self.bounded(intercept) : intercept
        if settings.isPlain && !isCareful {
            plainStep(rows, row, output, rate * gradient)
            return
        }
        let x = rows.vectors.extracting(rowVectors(rows, row))
        for index in x.indices {
            let present = x[index] .== x[index]
            let value = isCareful ? Self.present(x[index]) : x[index]
            stepVector(
                output * vectorCount + index, value * numericLanes[index], present,
                gradient: gradient, rate: rate, settings: settings, isCareful: isCareful)
        }
        let base = output * tableSize
        for block in blocks {
            guard let entry = entry(rows, row, block) else { continue }
            stepEntry(base + entry, gradient, rate, settings, isCareful)
        }
        guard hashMask >= 0 else { return }
        for position in rows.sparseRange(row) {
            let value = rows.sparseValues[position]
            guard value.isFinite else { continue }
            let entry = base + hashedStart + Int(rows.sparseIndices[position]) & hashMask
            stepEntry(entry, gradient * value, rate, settings, isCareful)
        }
    }

    /// Counts a learned record and lets the L1 penalty grow; before the record's steps.
    @inline(__always)
    mutating func beginStep(_ settings: LinearSettings) {
        if usesPenalties { penalty += settings.l1 * settings.rate(steps) }
    }

    @inline(__always)
    mutating func endStep() { steps &+= 1 }

    private mutating func plainStep(
        _ rows: borrowing Rows, _ row: Int, _ output: Int, _ step: Double
    ) {
        let x = rows.vectors.extracting(rowVectors(rows, row))
        let base = output * vectorCount
        if blocks.isEmpty {
            for index in x.indices { dense[base + index] = dense[base + index] - step * x[index] }
        } else {
            for index in x.indices {
                let masked = x[index] * numericLanes[index]
                dense[base + index] = dense[base + index] - step * masked
            }
        }
        for block in blocks {
            guard let entry = entry(rows, row, block) else { continue }
            table[output * tableSize + entry] -= step
        }
        guard hashMask >= 0 else { return }
        let start = output * tableSize + hashedStart
        for position in rows.sparseRange(row) {
            let entry = start + Int(rows.sparseIndices[position]) & hashMask
            table[entry] -= step * rows.sparseValues[position]
        }
    }

    private mutating func stepVector(
        _ index: Int, _ x: Lanes, _ present: SIMDMask<SIMD8<Int64>>, gradient: Double,
        rate: Double, settings: LinearSettings, isCareful: Bool
    ) {
        var w = isCareful ? Self.bounded(dense[index]) : dense[index]
        let decay = (settings.l2 * w).replacing(with: 0.0, where: .!present)
        if usesSquares {
            let slope = gradient * x + decay
            let squares = denseSquares[index] + slope * slope
            denseSquares[index] = Self.bounded(squares, by: 1e300)
            w -= (rate * slope) / (denseSquares[index] + 1e-8).squareRoot()
        } else if settings.l2 > 0 {
            w -= rate * (gradient * x + decay)
        } else {
            w -= (rate * gradient) * x
        }
        if usesPenalties {
            let paid = densePaid[index]
            let lowered = (w - (penalty + paid)).replacing(
                with: 0.0, where: (w - (penalty + paid)) .< Lanes.zero)
            let raised = (w + (penalty - paid)).replacing(
                with: 0.0, where: (w + (penalty - paid)) .> Lanes.zero)
            var result = w.replacing(with: lowered, where: (w .> Lanes.zero) .& present)
            result = result.replacing(with: raised, where: (w .< Lanes.zero) .& present)
            densePaid[index] = paid + (result - w)
            w = result
        }
        dense[index] = isCareful ? Self.bounded(w) : w
    }

    private mutating func stepEntry(
        _ entry: Int, _ gradient: Double, _ rate: Double, _ settings: LinearSettings,
        _ isCareful: Bool
    ) {
        var w = isCareful ? Self.bounded(table[entry]) : table[entry]
        if usesSquares {
            let slope = gradient + settings.l2 * w
            let squares = Self.bounded(tableSquares[entry] + slope * slope, by: 1e300)
            tableSquares[entry] = squares
            w -= rate * slope / (squares + 1e-8).squareRoot()
        } else {
            w -= rate * (gradient + settings.l2 * w)
        }
        if usesPenalties {
            let paid = tablePaid[entry]
            let before = w
            if w > 0 { w = max(0, w - (penalty + paid)) }
            if before < 0 { w = min(0, w + (penalty - paid)) }
            tablePaid[entry] = paid + (w - before)
        }
        table[entry] = isCareful ? Self.bounded(w) : w
    }
}

// MARK: - Bounds

extension LinearWeights {
    /// The values that are there; 0 for NaN and infinities.
    @inline(__always)
    static func present(_ x: Lanes) -> Lanes {
        x.replacing(with: 0.0, where: .!((x - x) .== Lanes.zero))
    }

    /// Inside ±`limit`; 0 for NaN.
    @inline(__always)
    static func bounded(_ x: Lanes, by limit: Double = weightLimit) -> Lanes {
        let number = x.replacing(with: 0.0, where: x .!= x)
        let upper = number.replacing(with: limit, where: number .> limit)
        return upper.replacing(with: -limit, where: upper .< -limit)
    }

    /// Inside ±`limit`; 0 for NaN.
    @inline(__always)
    static func bounded(_ x: Double, by limit: Double = weightLimit) -> Double {
        if x > limit { return limit }
        if x < -limit { return -limit }
        return x == x ? x : 0
    }
}
