import Core

/// Weights by scope, class and series: the sums that label-only metrics need.
///
/// Scope 0 is cumulative, the others are windows. Series 0 is the model, 1 and 2 are baselines.
/// Whole weights add up exactly; once one is not whole, what rounding loses is kept aside, so that
/// a window's sums never wander from those of its records.
struct ClassTable: Sendable, Equatable {
    /// The classes that there is room for.
    private(set) var capacity: Int
    private let scopeCount: Int
    /// Lanes 0–2: the weight where each series is right; lane 3: the weight of the label.
    private var byLabel: [SIMD4<Double>]
    /// The weight of each prediction: code −1 (`null`) comes first.
    private var byPrediction: [Double]
    /// What rounding lost of ``byLabel`` and ``byPrediction``; empty while all weights are whole.
    private var byLabelLow: [SIMD4<Double>] = []
    private var byPredictionLow: [Double] = []

    init(scopeCount: Int, capacity: Int) {
        self.scopeCount = scopeCount
        self.capacity = capacity
        byLabel = [SIMD4<Double>](repeating: .zero, count: scopeCount * capacity)
        byPrediction = [Double](repeating: 0, count: scopeCount * (capacity + 1) * 3)
    }

    /// Adds a record to a scope; a negative weight takes it out again.
    ///
    /// - Parameter codes: Model, baselines and label; −1 is `null`.
    @inline(__always)
    mutating func add(_ scope: Int, _ codes: SIMD4<Int32>, _ weight: Double) {
        let label = codes[3]
        let hits = SIMD4<Double>(
            codes[0] == label ? weight : 0, codes[1] == label ? weight : 0,
            codes[2] == label ? weight : 0, weight)
        let cell = scope &* capacity &+ Int(label)
        let row = scope &* (capacity &+ 1) &+ 1
        if byLabelLow.isEmpty {
            byLabel[cell] += hits
            byPrediction[(row &+ Int(codes[0])) &* 3] += weight
            byPrediction[(row &+ Int(codes[1])) &* 3 &+ 1] += weight
            byPrediction[(row &+ Int(codes[2])) &* 3 &+ 2] += weight
        } else {
            addCompensated(cell, hits, row, codes, weight)
        }
    }

    private mutating func addCompensated(
        _ cell: Int, _ hits: SIMD4<Double>, _ row: Int, _ codes: SIMD4<Int32>, _ weight: Double
    ) {
        let old = byLabel[cell]
        let sum = old + hits
        let rounded = sum - old
        byLabelLow[cell] += (old - (sum - rounded)) + (hits - rounded)
        byLabel[cell] = sum
        for series in 0..<3 {
            let position = (row &+ Int(codes[series])) &* 3 &+ series
            let old = byPrediction[position]
            let sum = old + weight
            let rounded = sum - old
            byPredictionLow[position] += (old - (sum - rounded)) + (weight - rounded)
            byPrediction[position] = sum
        }
    }

    /// Begins to keep what rounding loses, if a weight that is about to come is not whole.
    @inline(__always)
    mutating func prepare(_ weight: Double) {
        if byLabelLow.isEmpty, weight != weight.rounded(.down) || weight > 1e6 { keepLow() }
    }

    private mutating func keepLow() {
        byLabelLow = [SIMD4<Double>](repeating: .zero, count: byLabel.count)
        byPredictionLow = [Double](repeating: 0, count: byPrediction.count)
    }

    /// Makes room for more classes.
    mutating func reserve(_ classes: Int) {
        guard classes > capacity else { return }
        var larger = ClassTable(scopeCount: scopeCount, capacity: max(classes, 2 * capacity))
        if !byLabelLow.isEmpty { larger.keepLow() }
        for scope in 0..<scopeCount {
            for code in 0..<capacity {
                let (old, new) = (scope * capacity + code, scope * larger.capacity + code)
                larger.byLabel[new] = byLabel[old]
                if !byLabelLow.isEmpty { larger.byLabelLow[new] = byLabelLow[old] }
            }
            for position in 0..<((capacity + 1) * 3) {
                let old = scope * (capacity + 1) * 3 + position
                let new = scope * (larger.capacity + 1) * 3 + position
                larger.byPrediction[new] = byPrediction[old]
                if !byLabelLow.isEmpty { larger.byPredictionLow[new] = byPredictionLow[old] }
            }
        }
        self = larger
    }

    /// The weight of all records of a scope.
    func weight(_ scope: Int) -> Double {
        (0..<capacity).reduce(0) { $0 + label(scope, $1)[3] }
    }

    /// The sums of one series over the first `classCount` classes.
    func sums(_ scope: Int, series: Int, classCount: Int) -> ClassificationSums {
        ClassificationSums(
            actual: (0..<classCount).map { label(scope, $0)[3] },
            predicted: (0..<classCount).map { prediction(scope, $0, series) },
            correct: (0..<classCount).map { label(scope, $0)[series] },
            predictedNull: prediction(scope, -1, series), unchanged: 0, probabilistic: nil)
    }

    private func label(_ scope: Int, _ code: Int) -> SIMD4<Double> {
        let cell = scope * capacity + code
        return byLabelLow.isEmpty ? byLabel[cell] : byLabel[cell] + byLabelLow[cell]
    }

    private func prediction(_ scope: Int, _ code: Int, _ series: Int) -> Double {
        let position = (scope * (capacity + 1) + 1 + code) * 3 + series
        return byLabelLow.isEmpty
            ? byPrediction[position] : byPrediction[position] + byPredictionLow[position]
    }

    var stateBytes: Int {
        32 * (byLabel.count + byLabelLow.count) + 8 * (byPrediction.count + byPredictionLow.count)
    }
}

extension ClassTable {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("class_table", version: 1)
        encoder.write(capacity)
        encoder.write(!byLabelLow.isEmpty)
        for values in [byLabel, byLabelLow] {
            for value in values { for lane in 0..<4 { encoder.write(value[lane]) } }
        }
        for values in [byPrediction, byPredictionLow] {
            for value in values { encoder.write(value) }
        }
    }

    init(scopeCount: Int, from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("class_table", through: 1)
        let capacity = try decoder.readInt(in: 1...(1 << 24), "a class table's capacity")
        // Six doubles or more are stored for each class.
        guard capacity <= decoder.remaining / 48 else { throw .truncated }
        self.init(scopeCount: scopeCount, capacity: capacity)
        if try decoder.readBool() { keepLow() }
        for index in byLabel.indices {
            for lane in 0..<4 { byLabel[index][lane] = try decoder.readDouble() }
        }
        for index in byLabelLow.indices {
            for lane in 0..<4 { byLabelLow[index][lane] = try decoder.readDouble() }
        }
        for index in byPrediction.indices { byPrediction[index] = try decoder.readDouble() }
        for index in byPredictionLow.indices { byPredictionLow[index] = try decoder.readDouble() }
    }
}
