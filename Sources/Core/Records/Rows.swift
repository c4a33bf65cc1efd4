/// A batch of decoded records: dense lanes, sparse pairs, labels, weights and event times.
///
/// Row-major. A row's dense columns fill `vectorsPerRow` vectors of eight lanes; lanes past the
/// last column are always 0. Missing values are NaN. The memory is reused from batch to batch:
/// `clear()` and `appendRow()` allocate only while a batch is larger than any before it.
package struct Rows: ~Copyable {
    /// The number of dense columns of the widest layout that this batch passes through.
    package let columnCount: Int
    /// The number of vectors from one row to the next.
    package let vectorsPerRow: Int
    /// The number of rows.
    package private(set) var count = 0

    @usableFromInline
    var denseStorage: [Lanes]
    @usableFromInline
    var sparseStarts: [Int] = [0]
    @usableFromInline
    var sparseIndexStorage: [UInt32] = []
    @usableFromInline
    var sparseValueStorage: [Double] = []
    @usableFromInline
    var classLabelStorage: [Int32]
    @usableFromInline
    var knownClassStorage: [Int32]
    @usableFromInline
    var targetStorage: [Double]
    @usableFromInline
    var weightStorage: [Double]
    @usableFromInline
    var eventTimeStorage: [Int64]

    /// - Parameters:
    ///   - columnCount: Dense columns of the widest layout.
    ///   - capacity: Rows for which memory is reserved at once.
    package init(columnCount: Int, capacity: Int) {
        precondition(columnCount >= 0, "columnCount must not be negative, got \(columnCount)")
        precondition(capacity > 0, "capacity must be positive, got \(capacity)")
        self.columnCount = columnCount
        vectorsPerRow = (columnCount + laneCount - 1) / laneCount
        denseStorage = [Lanes](repeating: .zero, count: capacity * vectorsPerRow)
        classLabelStorage = [Int32](repeating: -1, count: capacity)
        knownClassStorage = [Int32](repeating: 0, count: capacity)
        targetStorage = [Double](repeating: .nan, count: capacity)
        weightStorage = [Double](repeating: 1, count: capacity)
        eventTimeStorage = [Int64](repeating: 0, count: capacity)
        sparseStarts.reserveCapacity(capacity + 1)
    }

    /// The rows for which memory is there.
    package var capacity: Int { classLabelStorage.count }

    /// Forgets all rows and keeps the memory.
    package mutating func clear() {
        count = 0
        sparseStarts.removeAll(keepingCapacity: true)
        sparseStarts.append(0)
        sparseIndexStorage.removeAll(keepingCapacity: true)
        sparseValueStorage.removeAll(keepingCapacity: true)
    }

    /// Adds a row of zeros without label, weight 1, event time 0, and returns its index.
    @discardableResult
    package mutating func appendRow() -> Int {
        let row = count
        if row == capacity { grow() }
        for vector in (row * vectorsPerRow)..<((row + 1) * vectorsPerRow) {
            denseStorage[vector] = .zero
        }
        return appendFilledRow(0)
    }

    /// Makes room for more rows, so that ``withFreeRows(_:)`` can fill them.
    package mutating func reserve(rows more: Int) {
        while capacity - count < more { grow() }
    }

    /// Lets a decoder fill the dense lanes of the rows after the last one, `vectorsPerRow` vectors
    /// each, as many as ``reserve(rows:)`` made room for.
    @unsafe
    package mutating func withFreeRows<Result>(
        _ body: (UnsafeMutablePointer<Double>) throws -> Result
    ) rethrows -> Result {
        let first = count * vectorsPerRow
        return try unsafe denseStorage.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else {
                // Safety: rows without columns have nothing to fill.
                return try unsafe body(UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped)
            }
            // Safety: a vector is `laneCount` doubles in memory, and `first` is inside.
            return try unsafe body(
                (base + first * MemoryLayout<Lanes>.stride).assumingMemoryBound(to: Double.self))
        }
    }

    /// Adds the row whose lanes were filled at position `filled` after the last row, in one call,
    /// since a decoder does so for each record.
    @discardableResult
    package mutating func appendFilledRow(
        _ filled: Int, classLabel: Int32 = -1, knownClasses: Int32 = 0, target: Double = .nan,
        weight: Double = 1, eventTime: Int64 = 0
    ) -> Int {
        let row = count
        precondition(row + filled < capacity, "row \(row + filled) has no room")
        if filled != 0 {
            for vector in 0..<vectorsPerRow {
                denseStorage[row * vectorsPerRow + vector] =
                    denseStorage[(row + filled) * vectorsPerRow + vector]
            }
        }
        classLabelStorage[row] = classLabel
        knownClassStorage[row] = knownClasses
        targetStorage[row] = target
        weightStorage[row] = weight
        eventTimeStorage[row] = eventTime
        sparseStarts.append(sparseIndexStorage.count)
        count += 1
        return row
    }

    private mutating func grow() {
        let more = capacity
        denseStorage.append(contentsOf: repeatElement(.zero, count: more * vectorsPerRow))
        classLabelStorage.append(contentsOf: repeatElement(-1, count: more))
        knownClassStorage.append(contentsOf: repeatElement(0, count: more))
        targetStorage.append(contentsOf: repeatElement(.nan, count: more))
        weightStorage.append(contentsOf: repeatElement(1, count: more))
        eventTimeStorage.append(contentsOf: repeatElement(0, count: more))
    }
}

// MARK: - Reading

extension Rows {
    /// All dense vectors: row *r* is `vectors[r * vectorsPerRow ..< (r + 1) * vectorsPerRow]`.
    ///
    /// May be longer than the rows in use.
    @inlinable
    package var vectors: Span<Lanes> {
        @_lifetime(borrow self)
        borrowing get { denseStorage.span }
    }

    /// The class codes of the labels; −1 where there is none.
    @inlinable
    package var classLabels: Span<Int32> {
        @_lifetime(borrow self)
        borrowing get { classLabelStorage.span }
    }

    /// For each row the number of classes known before its own label is seen.
    ///
    /// A classifier gives probabilities to these classes only, so that the result never depends on
    /// where batches are cut.
    @inlinable
    package var knownClasses: Span<Int32> {
        @_lifetime(borrow self)
        borrowing get { knownClassStorage.span }
    }

    /// The numeric labels, in units of the label; NaN where there is none.
    @inlinable
    package var targets: Span<Double> {
        @_lifetime(borrow self)
        borrowing get { targetStorage.span }
    }

    /// The weights of the records: finite and at least 0; 1 unless the record says otherwise.
    @inlinable
    package var weights: Span<Double> {
        @_lifetime(borrow self)
        borrowing get { weightStorage.span }
    }

    /// The event times, in milliseconds since 1970 (UTC).
    @inlinable
    package var eventTimes: Span<Int64> {
        @_lifetime(borrow self)
        borrowing get { eventTimeStorage.span }
    }

    /// The sparse pairs of one row as positions in ``sparseIndices`` and ``sparseValues``.
    @inlinable
    package func sparseRange(_ row: Int) -> Range<Int> {
        sparseStarts[row]..<sparseStarts[row + 1]
    }

    /// The sparse indices of all rows; see ``sparseRange(_:)``.
    @inlinable
    package var sparseIndices: Span<UInt32> {
        @_lifetime(borrow self)
        borrowing get { sparseIndexStorage.span }
    }

    /// The sparse values of all rows; see ``sparseRange(_:)``.
    @inlinable
    package var sparseValues: Span<Double> {
        @_lifetime(borrow self)
        borrowing get { sparseValueStorage.span }
    }

    /// One dense value, for tests and code that is off the record path.
    @inlinable
    package func value(_ row: Int, _ column: Int) -> Double {
        precondition(row < count && column < columnCount, "(\(row), \(column)) is outside")
        return denseStorage[row * vectorsPerRow + column / laneCount][column % laneCount]
    }
}

// MARK: - Writing

extension Rows {
    /// The dense vectors for writing; locks the whole batch while in use.
    @inlinable
    package var mutableVectors: MutableSpan<Lanes> {
        @_lifetime(&self)
        mutating get { denseStorage.mutableSpan }
    }

    @inlinable
    package mutating func setValue(_ row: Int, _ column: Int, _ value: Double) {
        precondition(row < count && column < columnCount, "(\(row), \(column)) is outside")
        denseStorage[row * vectorsPerRow + column / laneCount][column % laneCount] = value
    }

    @inlinable
    package mutating func setClassLabel(_ row: Int, _ code: Int32) {
        classLabelStorage[row] = code
    }

    @inlinable
    package mutating func setKnownClasses(_ row: Int, _ count: Int32) {
        knownClassStorage[row] = count
    }

    @inlinable
    package mutating func setTarget(_ row: Int, _ value: Double) {
        targetStorage[row] = value
    }

    @inlinable
    package mutating func setWeight(_ row: Int, _ value: Double) {
        weightStorage[row] = value
    }

    @inlinable
    package mutating func setEventTime(_ row: Int, _ milliseconds: Int64) {
        eventTimeStorage[row] = milliseconds
    }

    /// Adds a sparse pair to the last row.
    @inlinable
    package mutating func appendSparse(_ index: UInt32, _ value: Double) {
        sparseIndexStorage.append(index)
        sparseValueStorage.append(value)
        sparseStarts[count] = sparseIndexStorage.count
    }
}
