import Core

/// Records in the order of their offsets, without gaps; removing the first ones is cheap.
struct RecordQueue: ~Copyable {
    private var records: [RawRecord] = []
    private var head = 0
    /// The offset of the record that is appended next.
    private(set) var nextOffset: Int64 = 0

    var count: Int { records.count - head }
    var isEmpty: Bool { count == 0 }
    /// The offset of the oldest record, or of the next one.
    var firstOffset: Int64 { nextOffset - Int64(count) }

    mutating func append(_ record: RawRecord) {
        precondition(record.offset == nextOffset, "offset \(record.offset) leaves a gap")
        records.append(record)
        nextOffset += 1
    }

    mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot remove \(count)")
        head += count
        if head == records.count {
            records.removeAll(keepingCapacity: true)
            head = 0
        } else if head > records.count / 2 {
            records.removeFirst(head)
            head = 0
        }
    }

    /// Lends the oldest `count` records.
    func withFirst<Result>(_ count: Int, _ body: (Span<RawRecord>) -> Result) -> Result {
        body(records.span.extracting(head..<(head + count)))
    }
}
