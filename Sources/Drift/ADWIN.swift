package import Core

/// An adaptive window: cuts off its oldest values when two parts of it differ in mean.
///
/// Takes any finite numbers, usually the error of a prediction; a value that is not finite is
/// skipped. The window is an exponential histogram: rows of buckets that each hold 2^row values,
/// at most `max_buckets` in a row.
///
/// - Complexity: O(log *width*) time every `clock` values, O(1) amortised otherwise;
///   O(`max_buckets` · log *width*) memory; allocates only in `init`.
/// - Note: Bifet, Gavaldà, *Learning from Time-Changing Data with Adaptive Windowing*, 2007, with
///   the variance bound of MOA's and River's `ADWIN`.
package struct ADWIN: DriftDetector {
    /// The values in the window.
    package private(set) var width = 0.0
    /// The sum of the values in the window.
    package private(set) var total = 0.0
    /// The sum of squared deviations from the mean over the window.
    package private(set) var deviation = 0.0
    /// The checks that cut the window since it was last empty.
    package private(set) var cutCount = 0
    /// The mean of the window; 0 while it is empty.
    package var estimation: Double { width > 0 ? total / width : 0 }

    private let delta: Double
    private let clock: Int
    private let maxBuckets: Int
    private let minWindowLength: Double
    private let subwindowMargin: Double
    private let gracePeriod: Double
    private let direction: Direction
    private let keepsWindow: Bool
    private let reportsRepeats: Bool

    /// Sum and squared deviations of each bucket: row *r* begins at `r * stride`, oldest first.
    private var buckets: [SIMD2<Double>]
    /// The buckets in each row.
    private var rowSizes: [Int]
    private var rowCount = 1
    /// Values seen since the last reset or drop.
    private var tick = 0
    /// Values until the next check.
    private var untilCheck: Int
    /// Whether the next value finds the window thrown away.
    private var dropsBeforeNext = false
    /// Values seen when a change was last signalled; −1 if none was.
    private var lastSignal = -1

    /// 2^40 values are more than any stream has.
    private static let rowLimit = 40
    private var stride: Int { maxBuckets + 1 }

    /// - Parameter settings: Those of ``declaration``.
    package init(_ settings: Settings) {
        delta = settings.number("delta")
        clock = settings.integer("clock")
        untilCheck = clock
        maxBuckets = settings.integer("max_buckets")
        minWindowLength = Double(settings.integer("min_window_length"))
        subwindowMargin = Double(settings.integer("subwindow_margin"))
        gracePeriod = Double(settings.integer("grace_period"))
        direction = Direction(settings.text("direction"))
        keepsWindow = settings.text("after_cut") == "keep"
        reportsRepeats = settings.boolean("report_repeats")
        buckets = [SIMD2<Double>](repeating: .zero, count: (maxBuckets + 1) * Self.rowLimit)
        rowSizes = [Int](repeating: 0, count: Self.rowLimit)
    }

    package mutating func update(_ values: Span<Double>, into signals: inout MutableSpan<UInt8>) {
        var index = 0
        while index < values.count {
            index = insertRun(values, from: index, into: &signals)
            if index == values.count { return }
            signals[index] = update(values[index]).rawValue
            index &+= 1
        }
    }

    package mutating func update(_ value: Double) -> DriftSignal {
        guard value.isFinite else { return .none }
        if dropsBeforeNext { reset() }
        tick &+= 1
        untilCheck &-= 1
        guard untilCheck == 0 else {
            insert(value)
            return .none
        }
        untilCheck = clock
        let before = estimation
        insert(value)
        guard width > gracePeriod, let last = shrink() else { return .none }
        cutCount &+= 1
        return signal(estimation - before, lastDropped: last)
    }

    package mutating func reset() {
        width = 0
        total = 0
        deviation = 0
        cutCount = 0
        for row in 0..<rowCount { rowSizes[row] = 0 }
        rowCount = 1
        tick = 0
        untilCheck = clock
        dropsBeforeNext = false
        lastSignal = -1
    }

    package var stateBytes: Int {
        MemoryLayout<Self>.size + 16 * buckets.count + 8 * rowSizes.count
    }

    /// What to say of a cut that moved the mean by `step`.
    ///
    /// A cut that drops no bucket wholly newer than the last signal still belongs to that change.
    private mutating func signal(_ step: Double, lastDropped: Double) -> DriftSignal {
        guard direction.contains(step) else { return .none }
        if !keepsWindow { dropsBeforeNext = true }
        if !reportsRepeats, lastSignal >= 0, lastDropped < Double(lastSignal) { return .none }
        lastSignal = tick
        return .drift
    }
}

// MARK: - The window

extension ADWIN {
    /// Inserts values until one is due for a check, or finds the window thrown away.
    ///
    /// Everything that values change is held locally, and the memory opened once for the run.
    ///
    /// - Returns: The index of the first value not taken.
    private mutating func insertRun(
        _ values: Span<Double>, from start: Int, into signals: inout MutableSpan<UInt8>
    ) -> Int {
        if dropsBeforeNext { return start }
        var sums = Sums(width: width, total: total, deviation: deviation, rowCount: rowCount)
        var left = untilCheck
        let end = Self.insertRun(
            values, from: start, maxBuckets, &left, &sums, &buckets, &rowSizes, into: &signals)
        tick &+= untilCheck &- left
        untilCheck = left
        keep(sums)
        return end
    }

    private static func insertRun(
        _ values: Span<Double>, from start: Int, _ maxBuckets: Int, _ left: inout Int,
        _ sums: inout Sums, _ bucketArray: inout [SIMD2<Double>], _ sizeArray: inout [Int],
        into signals: inout MutableSpan<UInt8>
    ) -> Int {
        var buckets = bucketArray.mutableSpan
        var sizes = sizeArray.mutableSpan
        var local = sums
        var index = start
        while index < values.count {
            let value = values[index]
            if value.isFinite {
                if left == 1 { break }
                left &-= 1
                insert(value, maxBuckets, &local, &buckets, &sizes)
            }
            signals[index] = DriftSignal.none.rawValue
            index &+= 1
        }
        sums = local
        return index
    }

    private mutating func insert(_ value: Double) {
        var sums = Sums(width: width, total: total, deviation: deviation, rowCount: rowCount)
        Self.insert(value, maxBuckets, &sums, &buckets, &rowSizes)
        keep(sums)
    }

    private static func insert(
        _ value: Double, _ maxBuckets: Int, _ sums: inout Sums,
        _ bucketArray: inout [SIMD2<Double>], _ sizeArray: inout [Int]
    ) {
        var buckets = bucketArray.mutableSpan
        var sizes = sizeArray.mutableSpan
        insert(value, maxBuckets, &sums, &buckets, &sizes)
    }

    private mutating func keep(_ sums: Sums) {
        width = sums.width
        total = sums.total
        deviation = sums.deviation
        rowCount = sums.rowCount
    }

    /// What inserting values changes beside the buckets.
    private struct Sums {
        var width: Double
        var total: Double
        var deviation: Double
        var rowCount: Int
    }

    @inline(__always)
    private static func insert(
        _ value: Double, _ maxBuckets: Int, _ sums: inout Sums,
        _ buckets: inout MutableSpan<SIMD2<Double>>, _ sizes: inout MutableSpan<Int>
    ) {
        if sums.width > 0 {
            let distance = value - sums.total / sums.width
            sums.deviation += sums.width * distance * distance / (sums.width + 1)
        }
        sums.width += 1
        sums.total += value
        buckets[sizes[0]] = SIMD2(value, 0)
        sizes[0] &+= 1
        if sizes[0] <= maxBuckets { return }
        var row = 0
        var size = 1.0
        var first = 0
        while sizes[row] > maxBuckets, row &+ 1 < rowLimit {
            // One bucket of the next row from the two oldest, which hold `size` values each.
            let older = buckets[first]
            let newer = buckets[first &+ 1]
            let step = older[0] / size - newer[0] / size
            let between = size * size * step * step / (size + size)
            let next = first &+ maxBuckets &+ 1
            if row &+ 1 == sums.rowCount { sums.rowCount &+= 1 }
            buckets[next &+ sizes[row &+ 1]] = SIMD2(
                older[0] + newer[0], older[1] + newer[1] + between)
            sizes[row &+ 1] &+= 1
            let left = sizes[row] &- 2
            for index in 0..<left { buckets[first &+ index] = buckets[first &+ index &+ 2] }
            sizes[row] = left
            row &+= 1
            first = next
            size *= 2
        }
    }

    private mutating func removeOldest(_ row: Int) {
        let first = row &* stride
        let left = rowSizes[row] &- 1
        for index in 0..<left { buckets[first &+ index] = buckets[first &+ index &+ 1] }
        rowSizes[row] = left
    }

    private mutating func dropOldestBucket() {
        let row = rowCount &- 1
        let size = Double(1 &<< row)
        let bucketTotal = buckets[row &* stride][0]
        width -= size
        total -= bucketTotal
        let distance = bucketTotal / size - total / width
        deviation -=
            buckets[row &* stride][1] + size * width * distance * distance / (size + width)
        removeOldest(row)
        while rowCount > 1, rowSizes[rowCount &- 1] == 0 { rowCount &-= 1 }
    }

    /// Drops buckets while some split of the window shows two means.
    ///
    /// - Returns: How many values came before the last bucket dropped; `nil` if none was.
    private mutating func shrink() -> Double? {
        var lastDropped: Double?
        while hasSignificantSplit() {
            lastDropped = Double(tick) - width
            dropOldestBucket()
        }
        return lastDropped
    }

    private func hasSignificantSplit() -> Bool {
        let buckets = buckets.span
        let rowSizes = rowSizes.span
        let confidence = (2 * width.naturalLogarithm / delta).naturalLogarithm
        let scale = 2 * (deviation / width) * confidence
        let smallest = minWindowLength + subwindowMargin
        var oldCount = 0.0
        var oldTotal = 0.0
        var newCount = width
        var newTotal = total
        var row = rowCount &- 1
        while row >= 0 {
            let size = Double(1 &<< row)
            let start = row &* stride
            for position in start..<(start &+ rowSizes[row]) {
                oldCount += size
                newCount -= size
                guard newCount >= smallest else { return false }
                let bucketTotal = buckets[position][0]
                oldTotal += bucketTotal
                newTotal -= bucketTotal
                guard oldCount >= smallest else { continue }
                let reciprocal =
                    1 / (oldCount - minWindowLength + 1) + 1 / (newCount - minWindowLength + 1)
                let bound =
                    (scale * reciprocal).squareRoot() + 2.0 / 3.0 * confidence * reciprocal
                if abs(oldTotal / oldCount - newTotal / newCount) > bound { return true }
            }
            row &-= 1
        }
        return false
    }
}

// MARK: - State

extension ADWIN {
    package func encode(to encoder: inout StateEncoder) {
        encoder.section("adwin", version: 1)
        for value in [delta, minWindowLength, subwindowMargin, gracePeriod] { encoder.write(value) }
        for value in [clock, maxBuckets] { encoder.write(value) }
        encoder.write(direction.rawValue)
        encoder.write(keepsWindow)
        encoder.write(reportsRepeats)
        for value in [width, total, deviation] { encoder.write(value) }
        for value in [cutCount, tick, lastSignal, rowCount] { encoder.write(value) }
        encoder.write(dropsBeforeNext)
        for row in 0..<rowCount {
            encoder.write(rowSizes[row])
            for position in (row * stride)..<(row * stride + rowSizes[row]) {
                encoder.write(buckets[position][0])
                encoder.write(buckets[position][1])
            }
        }
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("adwin", through: 1)
        delta = try decoder.readDouble()
        minWindowLength = try decoder.readDouble()
        subwindowMargin = try decoder.readDouble()
        gracePeriod = try decoder.readDouble()
        clock = try decoder.readInt(in: 1...Int(Int32.max), "ADWIN's clock")
        maxBuckets = try decoder.readInt(in: 1...1000, "ADWIN's buckets in a row")
        direction = try Direction(from: &decoder)
        keepsWindow = try decoder.readBool()
        reportsRepeats = try decoder.readBool()
        width = try decoder.readDouble()
        total = try decoder.readDouble()
        deviation = try decoder.readDouble()
        cutCount = try decoder.readInt()
        tick = try decoder.readInt(in: 0...Int(Int64.max), "ADWIN's tick")
        untilCheck = clock - tick % clock
        lastSignal = try decoder.readInt()
        rowCount = try decoder.readInt(in: 1...Self.rowLimit, "ADWIN's rows")
        dropsBeforeNext = try decoder.readBool()
        buckets = [SIMD2<Double>](repeating: .zero, count: (maxBuckets + 1) * Self.rowLimit)
        rowSizes = [Int](repeating: 0, count: Self.rowLimit)
        for row in 0..<rowCount {
            let size = try decoder.readInt(in: 0...maxBuckets, "ADWIN's row size")
            for _ in 0..<size {
                let bucketTotal = try decoder.readDouble()
                buckets[row * stride + rowSizes[row]] = SIMD2(
                    bucketTotal, try decoder.readDouble())
                rowSizes[row] += 1
            }
        }
    }
}
