import Core

/// The probabilities of the records in the ring, and the histograms of those scopes that are too
/// large to sort.
///
/// Up to two classes there is one column, the probability of class 1; beyond, one for each class,
/// 0 where a class was not known yet. Beyond ``ScoreHistograms/classLimit`` classes nothing is
/// kept.
struct ScoreTable: Sendable, Equatable {
    /// The scores kept of a record; 0 once there are too many classes.
    private(set) var columns: Int
    private(set) var classCount = 0
    /// The index among the kept histograms of each scope; −1 for a scope without.
    private let histogramOfScope: [Int]
    private let histogramCount: Int
    /// Scores of slot *s*: `ring[s * columns ..< (s + 1) * columns]`.
    private var ring: [Double]
    /// Weights by histogram, column and bin: negative, then positive.
    private var bins: [Double]

    private static let binWidth = 2 * ScoreHistograms.binCount

    /// - Parameter keepsHistogram: For each scope.
    init(slotCount: Int, keepsHistogram: [Bool], isTracked: Bool) {
        var next = 0
        histogramOfScope = keepsHistogram.map { keeps in
            defer { if keeps { next += 1 } }
            return keeps ? next : -1
        }
        histogramCount = next
        columns = isTracked ? 1 : 0
        ring = [Double](repeating: 0, count: slotCount * columns)
        bins = [Double](repeating: 0, count: next * columns * Self.binWidth)
    }

    var isKept: Bool { columns > 0 }

    func keepsHistogram(_ scope: Int) -> Bool { histogramOfScope[scope] >= 0 }

    /// Keeps the scores of a record of which `known` classes have a probability.
    @inline(__always)
    mutating func store(
        _ slot: Int, _ probabilities: borrowing Span<Double>, from first: Int, known: Int
    ) {
        if columns == 1 {
            // −0 marks a record for which class 0 had no probability either.
            ring[slot] =
                known > 1 ? clampedProbability(probabilities[first &+ 1]) : known > 0 ? 0 : -0.0
        } else {
            for column in 0..<columns {
                ring[slot &* columns &+ column] =
                    column < known ? clampedProbability(probabilities[first &+ column]) : 0
            }
        }
    }

    /// Adds the scores in a slot to a scope's histogram; a negative weight takes them out.
    @inline(__always)
    mutating func add(_ scope: Int, _ slot: Int, label: Int, weight: Double) {
        let histogram = histogramOfScope[scope]
        guard histogram >= 0 else { return }
        if columns == 1 {
            let bin = ScoreHistograms.bin(ring[slot])
            bins[histogram &* Self.binWidth &+ 2 &* bin &+ (label == 1 ? 1 : 0)] += weight
        } else {
            for column in 0..<min(columns, classCount) {
                let bin = ScoreHistograms.bin(ring[slot &* columns &+ column])
                let start = (histogram &* columns &+ column) &* Self.binWidth
                bins[start &+ 2 &* bin &+ (label == column ? 1 : 0)] += weight
            }
        }
    }

    /// Empties a scope's histogram.
    mutating func clear(_ scope: Int) {
        let start = histogramOfScope[scope] * columns * Self.binWidth
        for position in start..<(start + columns * Self.binWidth) { bins[position] = 0 }
    }

    mutating func growRing(from start: Int, to end: Int) {
        ring = WindowSet.regrown(ring, from: start, to: end, stride: columns, fill: 0)
    }

    /// Makes room for new classes, which scored 0 in every record so far.
    ///
    /// - Returns: Whether the histograms of windows must be filled again from the ring.
    mutating func setClassCount(_ count: Int) -> Bool {
        defer { classCount = count }
        guard columns > 0, count > 2 else { return false }
        guard count <= ScoreHistograms.classLimit else {
            columns = 0
            ring = []
            bins = []
            return false
        }
        let wasFolded = columns == 1
        if count > columns { widen(to: max(4, 2 * columns, count)) }
        for histogram in 0..<histogramCount {
            let start = histogram * columns * Self.binWidth
            var total = 0.0
            for position in start..<(start + Self.binWidth) { total += bins[position] }
            for column in max(2, classCount)..<count {
                bins[start + column * Self.binWidth] = total
            }
        }
        return wasFolded
    }

    private mutating func widen(to wanted: Int) {
        let old = self
        columns = min(wanted, ScoreHistograms.classLimit)
        let slots = old.ring.count / old.columns
        ring = [Double](repeating: 0, count: slots * columns)
        bins = [Double](repeating: 0, count: histogramCount * columns * Self.binWidth)
        for slot in 0..<slots {
            if old.columns == 1 {
                ring[slot * columns] = old.ring[slot].sign == .minus ? 0 : 1 - old.ring[slot]
                ring[slot * columns + 1] = old.ring[slot]
            } else {
                for column in 0..<old.columns {
                    ring[slot * columns + column] = old.ring[slot * old.columns + column]
                }
            }
        }
        for histogram in 0..<histogramCount {
            let start = histogram * columns * Self.binWidth
            let oldStart = histogram * old.columns * Self.binWidth
            if old.columns == 1 {
                // Class 0 mirrors class 1: weights trade places, bins run backwards.
                for position in 0..<Self.binWidth {
                    bins[start + Self.binWidth - 1 - position] = old.bins[oldStart + position]
                    bins[start + Self.binWidth + position] = old.bins[oldStart + position]
                }
            } else {
                for position in 0..<(old.columns * Self.binWidth) {
                    bins[start + position] = old.bins[oldStart + position]
                }
            }
        }
    }

    var stateBytes: Int { 8 * (ring.count + bins.count) }
}

// MARK: - Reports

extension ScoreTable {
    private var reportedColumns: Int { min(columns, ScoreHistograms.listCount(classCount)) }

    /// A scope's histograms as they are kept.
    func histograms(_ scope: Int) -> ScoreHistograms {
        let lists = (0..<reportedColumns).map { column in
            let start = (histogramOfScope[scope] * columns + column) * Self.binWidth
            return Self.filled(bins[start..<(start + Self.binWidth)])
        }
        return ScoreHistograms(classCount: classCount, bins: lists)
    }

    /// The histograms of the records in some slots.
    func histograms(
        _ slots: [Int], labels: [SIMD4<Int32>], weights: [SIMD4<Double>]
    ) -> ScoreHistograms {
        let lists = (0..<reportedColumns).map { column in
            var counts = [Double](repeating: 0, count: Self.binWidth)
            for slot in slots {
                let bin = ScoreHistograms.bin(ring[slot * columns + column])
                let isPositive = Int(labels[slot][3]) == classCode(column)
                counts[2 * bin + (isPositive ? 1 : 0)] += weights[slot][3]
            }
            return Self.filled(counts[...])
        }
        return ScoreHistograms(classCount: classCount, bins: lists)
    }

    /// The exact area under the ROC curve of the records in some slots; see
    /// ``ScoreHistograms/rocAUC``.
    func exactROCAUC(
        _ slots: [Int], labels: [SIMD4<Int32>], weights: [SIMD4<Double>]
    ) -> Double? {
        let areas = (0..<reportedColumns).compactMap { column in
            RankedScores.area(
                // Adding 0 makes 0 of −0, whose bits would rank last.
                scores: slots.map { ring[$0 * columns + column] + 0 },
                isPositive: slots.map { Int(labels[$0][3]) == classCode(column) },
                weights: slots.map { weights[$0][3] })
        }
        return areas.isEmpty ? nil : areas.reduce(0, +) / Double(areas.count)
    }

    private func classCode(_ column: Int) -> Int { columns == 1 ? 1 : column }

    private static func filled(_ counts: ArraySlice<Double>) -> [ScoreHistograms.Bin] {
        (0..<ScoreHistograms.binCount).compactMap { bin in
            let start = counts.startIndex + 2 * bin
            // Fractional weights may leave a trace of rounding behind.
            let negative = max(0, counts[start])
            let positive = max(0, counts[start + 1])
            guard negative > 0 || positive > 0 else { return nil }
            return ScoreHistograms.Bin(index: bin, positive: positive, negative: negative)
        }
    }
}

// MARK: - State

extension ScoreTable {
    func encode(to encoder: inout StateEncoder, windows: WindowSet) {
        encoder.section("scores", version: 1)
        encoder.write(columns)
        encoder.write(classCount)
        for sequence in windows.start..<windows.end {
            let first = windows.slot(sequence) * columns
            for position in first..<(first + columns) { encoder.write(ring[position]) }
        }
        let filled = bins.indices.filter { bins[$0] != 0 }
        encoder.write(filled)
        encoder.write(filled.map { bins[$0] })
    }

    mutating func decode(
        from decoder: inout StateDecoder, windows: WindowSet
    ) throws(StateError) {
        _ = try decoder.section("scores", through: 1)
        columns = try decoder.readInt(in: 0...ScoreHistograms.classLimit, "the score columns")
        classCount = try decoder.readInt(in: 0...Int(Int32.max), "the number of classes")
        ring = [Double](repeating: 0, count: windows.slotCount * columns)
        bins = [Double](repeating: 0, count: histogramCount * columns * Self.binWidth)
        for sequence in windows.start..<windows.end {
            let first = windows.slot(sequence) * columns
            for position in first..<(first + columns) { ring[position] = try decoder.readDouble() }
        }
        let positions = try decoder.readIntegers(Int.self)
        let values = try decoder.readDoubles()
        guard positions.count == values.count, positions.allSatisfy(bins.indices.contains) else {
            throw .invalidValue("stored score bins do not fit their table")
        }
        for (position, value) in zip(positions, values) { bins[position] = value }
    }
}
