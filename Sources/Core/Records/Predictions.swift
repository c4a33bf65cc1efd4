/// What a learner says of the rows of a batch; reused from batch to batch.
///
/// A classifier fills ``labels`` and ``probabilities``, a regressor ``values``, a clusterer
/// ``labels`` (the cluster) and ``values`` (the squared distance to its centre).
package struct Predictions: ~Copyable {
    /// The number of probabilities kept for a row: at least the classes known in the batch.
    package private(set) var classCapacity: Int
    /// Whether a classifier must fill ``probabilities``.
    package let wantsProbabilities: Bool

    @usableFromInline
    var labelStorage: [Int32]
    @usableFromInline
    var valueStorage: [Double]
    @usableFromInline
    var probabilityStorage: [Double]

    package init(capacity: Int, classCapacity: Int = 2, wantsProbabilities: Bool = true) {
        self.classCapacity = max(1, classCapacity)
        self.wantsProbabilities = wantsProbabilities
        labelStorage = [Int32](repeating: -1, count: capacity)
        valueStorage = [Double](repeating: .nan, count: capacity)
        probabilityStorage = [Double](
            repeating: 0, count: wantsProbabilities ? capacity * self.classCapacity : 0)
    }

    /// The rows for which there is room.
    package var capacity: Int { labelStorage.count }

    /// Makes room; allocates only when a batch has more rows or classes than any before it.
    ///
    /// Forgets what was predicted if it grows.
    package mutating func reserve(rows: Int, classes: Int) {
        guard rows > capacity || classes > classCapacity else { return }
        let capacity = max(rows, capacity)
        classCapacity = max(classCapacity, classes)
        labelStorage = [Int32](repeating: -1, count: capacity)
        valueStorage = [Double](repeating: .nan, count: capacity)
        if wantsProbabilities {
            probabilityStorage = [Double](repeating: 0, count: capacity * classCapacity)
        }
    }

    /// The predicted class or cluster of each row; −1 is `null`.
    @inlinable
    package var labels: Span<Int32> {
        @_lifetime(borrow self)
        borrowing get { labelStorage.span }
    }

    /// The predicted numbers, in units of the label.
    @inlinable
    package var values: Span<Double> {
        @_lifetime(borrow self)
        borrowing get { valueStorage.span }
    }

    /// Class *c* of row *r* stands at `r * classCapacity + c`; only the classes known at that row
    /// are meaningful, and they sum to 1.
    @inlinable
    package var probabilities: Span<Double> {
        @_lifetime(borrow self)
        borrowing get { probabilityStorage.span }
    }

    @inlinable
    package mutating func setLabel(_ row: Int, _ label: Int32) {
        labelStorage[row] = label
    }

    @inlinable
    package mutating func setValue(_ row: Int, _ value: Double) {
        valueStorage[row] = value
    }

    @inlinable
    package mutating func setProbability(_ row: Int, _ label: Int, _ value: Double) {
        probabilityStorage[row * classCapacity + label] = value
    }

    /// Labels, values and probabilities for writing, for a whole batch at once.
    ///
    /// The single setters check on each call that nobody shares the memory; this checks once.
    @inlinable @inline(__always)
    package mutating func withMutableSpans<Result>(
        _ body: (
            _ labels: inout MutableSpan<Int32>, _ values: inout MutableSpan<Double>,
            _ probabilities: inout MutableSpan<Double>
        ) -> Result
    ) -> Result {
        Self.open(&labelStorage, &valueStorage, &probabilityStorage, body)
    }

    @inlinable @inline(__always)
    static func open<Result>(
        _ labels: inout [Int32], _ values: inout [Double], _ probabilities: inout [Double],
        _ body: (
            inout MutableSpan<Int32>, inout MutableSpan<Double>, inout MutableSpan<Double>
        ) -> Result
    ) -> Result {
        var labels = labels.mutableSpan
        var values = values.mutableSpan
        var probabilities = probabilities.mutableSpan
        return body(&labels, &values, &probabilities)
    }
}
