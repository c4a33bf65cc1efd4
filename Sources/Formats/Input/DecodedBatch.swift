package import Core

/// A record that was set aside, and why.
package struct RecordRejection: Sendable, Equatable {
    /// The record's place among all that the batch was given since it was cleared.
    package let recordIndex: Int
    package let fault: RecordFault

    package init(recordIndex: Int, fault: RecordFault) {
        self.recordIndex = recordIndex
        self.fault = fault
    }
}

/// What became of a run of records: rows of the good ones, faults of the others, both in order.
///
/// Reused from batch to batch; allocates only while a batch is larger than any before it.
package struct DecodedBatch: ~Copyable {
    package var rows: Rows
    /// The records that were set aside.
    package private(set) var rejections: [RecordRejection] = []
    /// The number of records given since the batch was cleared.
    package private(set) var recordCount = 0

    private var recordIndexStorage: [Int32] = []
    private var idEnds: [Int] = []
    var idContent: ByteBuffer
    private var modelKeyEnds: [Int] = []
    private var modelKeyContent = ByteBuffer(capacity: 1 << 14)

    /// - Parameters:
    ///   - columnCount: Dense columns of the widest layout that the batch passes through, at least
    ///     those of the schema's own.
    ///   - capacity: Rows for which memory is reserved at once.
    package init(columnCount: Int, capacity: Int) {
        rows = Rows(columnCount: columnCount, capacity: capacity)
        recordIndexStorage.reserveCapacity(capacity)
        idEnds.reserveCapacity(capacity)
        idContent = ByteBuffer(capacity: capacity * 16)
    }

    /// Forgets everything and keeps the memory.
    package mutating func clear() {
        rows.clear()
        rejections.removeAll(keepingCapacity: true)
        recordCount = 0
        recordIndexStorage.removeAll(keepingCapacity: true)
        idEnds.removeAll(keepingCapacity: true)
        idContent.clear()
        modelKeyEnds.removeAll(keepingCapacity: true)
        modelKeyContent.clear()
    }

    /// The record that each row came from: its place among all since the batch was cleared.
    package var recordIndices: Span<Int32> {
        @_lifetime(borrow self)
        borrowing get { recordIndexStorage.span }
    }

    /// Where a row's identity stands in ``ids``: a JSON literal, a number or a quoted text.
    package func idRange(_ row: Int) -> Range<Int> {
        (row == 0 ? 0 : idEnds[row - 1])..<idEnds[row]
    }

    /// The bytes of all identities; see ``idRange(_:)``.
    package var ids: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { idContent.bytes }
    }

    /// Where the value that chooses a row's model stands in ``modelKeys``.
    ///
    /// - Precondition: the schema has a field for it.
    package func modelKeyRange(_ row: Int) -> Range<Int> {
        (row == 0 ? 0 : modelKeyEnds[row - 1])..<modelKeyEnds[row]
    }

    /// The bytes of all values that choose a model; see ``modelKeyRange(_:)``.
    package var modelKeys: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { modelKeyContent.bytes }
    }

    /// The value that chooses a row's model.
    package borrowing func modelKeyText(_ row: Int) -> String {
        let range = modelKeyRange(row)
        let bytes = modelKeyContent.bytes
        return String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }

    /// Adds the value that chooses the model of the row that was added last.
    mutating func append(modelKey: Span<UInt8>) {
        modelKeyContent.append(modelKey)
        modelKeyEnds.append(modelKeyContent.count)
    }

    mutating func reject(_ fault: RecordFault) {
        rejections.append(RecordRejection(recordIndex: recordCount, fault: fault))
        recordCount += 1
    }

    /// Counts a record whose row and identity have been added.
    mutating func accept() {
        recordIndexStorage.append(Int32(truncatingIfNeeded: recordCount))
        idEnds.append(idContent.count)
        recordCount += 1
    }
}
