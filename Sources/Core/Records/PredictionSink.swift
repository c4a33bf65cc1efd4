/// Labels and probabilities of a batch, opened for writing once for all of its rows.
///
/// ``Predictions`` checks at each single write that nobody shares its memory; this checks once.
package struct PredictionSink: ~Copyable, ~Escapable {
    @usableFromInline
    var labels: MutableSpan<Int32>
    @usableFromInline
    var probabilities: MutableSpan<Double>
    /// The number of probabilities kept for a row.
    package let classCapacity: Int
    package let wantsProbabilities: Bool

    @inlinable @inline(__always)
    @_lifetime(copy labels, copy probabilities)
    init(
        labels: consuming MutableSpan<Int32>, probabilities: consuming MutableSpan<Double>,
        classCapacity: Int, wantsProbabilities: Bool
    ) {
        self.labels = labels
        self.probabilities = probabilities
        self.classCapacity = classCapacity
        self.wantsProbabilities = wantsProbabilities
    }

    @inlinable @inline(__always)
    package mutating func setLabel(_ row: Int, _ label: Int32) {
        labels[row] = label
    }

    @inlinable @inline(__always)
    package mutating func setProbability(_ row: Int, _ label: Int, _ value: Double) {
        probabilities[row &* classCapacity &+ label] = value
    }

    @inlinable @inline(__always)
    package func probability(_ row: Int, _ label: Int) -> Double {
        probabilities[row &* classCapacity &+ label]
    }
}

extension Predictions {
    /// Lends labels and probabilities for writing, for a whole batch at once.
    @inlinable @inline(__always)
    package mutating func withSink<Result>(
        _ body: (_ sink: inout PredictionSink) -> Result
    ) -> Result {
        Self.open(
            &labelStorage, &probabilityStorage, classCapacity: classCapacity,
            wantsProbabilities: wantsProbabilities, body)
    }

    @inlinable @inline(__always)
    static func open<Result>(
        _ labels: inout [Int32], _ probabilities: inout [Double], classCapacity: Int,
        wantsProbabilities: Bool, _ body: (inout PredictionSink) -> Result
    ) -> Result {
        var sink = PredictionSink(
            labels: labels.mutableSpan, probabilities: probabilities.mutableSpan,
            classCapacity: classCapacity, wantsProbabilities: wantsProbabilities)
        return body(&sink)
    }
}
