import CSimdJSON
import Core

/// Reads JSON documents into dense lanes and a ``FieldTable``, through simdjson's first stage.
///
/// Owned by one decoder, which belongs to one thread at a time.
@safe
final class JSONReader: @unchecked Sendable {
    // Safety: the handle and the buffers belong to this object alone, and `deinit` frees them.
    private let handle: OpaquePointer
    private let documents: UnsafeMutablePointer<tw_document>
    private let status: UnsafeMutablePointer<UInt8>
    private let sliceCount: Int
    private let valueCount: Int

    init(_ plan: FieldPlan, valueLimit: Int) {
        let tree = PathTree(plan.readings)
        precondition(
            valueLimit > 0 && valueLimit < Int(UInt32.max) / (4 * (tree.targets.count + 2)),
            "a limit of \(valueLimit) bytes is out of range")
        // Safety: the shim copies the three tables before it returns.
        let created = unsafe tw_json_create(
            tree.nodes, tree.nodes.count, tree.names, tree.names.count, tree.targets,
            tree.targets.count, plan.sliceCount, plan.valueCount, plan.columnCount, valueLimit)
        guard let created = unsafe created else { preconditionFailure("out of memory") }
        unsafe handle = created
        sliceCount = plan.sliceCount
        valueCount = plan.valueCount
        unsafe documents = .allocate(capacity: Int(tw_documents_max))
        unsafe status = .allocate(capacity: Int(tw_documents_max))
    }

    deinit {
        unsafe tw_json_destroy(handle)
        unsafe documents.deallocate()
        unsafe status.deallocate()
    }

    /// Reads records from `first` on, as many as fit, into the free rows of `rows`.
    func read(_ records: Span<RawRecord>, from first: Int, into rows: inout Rows) -> FieldTable {
        let count = min(records.count - first, Int(tw_documents_max))
        for index in 0..<count {
            let record = records[first + index]
            // Safety: `count` is at most the capacity; the log keeps the bytes while we read.
            unsafe documents[index] = tw_document(
                bytes: record.valueAddress, length: Int64(record.valueCount))
        }
        rows.reserve(rows: count)
        let stride = rows.vectorsPerRow * laneCount
        var output = unsafe tw_output()
        // Safety: `reserve` made room for `count` rows of `stride` doubles.
        let result = unsafe rows.withFreeRows { dense in
            unsafe tw_json_decode(handle, documents, count, dense, stride, status, &output)
        }
        precondition(result == 0, "out of memory for a document")
        // Safety: the shim filled as many elements as it says; they stay until the next call.
        let rowCount = unsafe output.row_count
        return unsafe FieldTable(
            text: UnsafeBufferPointer(start: output.text, count: output.text_count),
            slices: UnsafeBufferPointer(start: output.slices, count: rowCount * sliceCount),
            values: UnsafeBufferPointer(start: output.values, count: rowCount * valueCount),
            items: UnsafeBufferPointer(start: output.items, count: output.item_count),
            itemEnds: UnsafeBufferPointer(start: output.item_ends, count: rowCount),
            status: UnsafeBufferPointer(start: status, count: output.document_count))
    }
}
