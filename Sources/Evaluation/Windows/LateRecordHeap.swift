import Core

/// A record that came after one with a higher event time.
struct LateRecord: Sendable, Equatable {
    let time: Int64
    let sequence: Int

    static func < (left: LateRecord, right: LateRecord) -> Bool {
        left.time != right.time ? left.time < right.time : left.sequence < right.sequence
    }
}

/// Late records, the one with the lowest event time first.
///
/// - Complexity: O(log *n*) time to insert and to remove, O(*n*) memory.
struct LateRecordHeap: Sendable, Equatable {
    private(set) var records: [LateRecord] = []

    var first: LateRecord? { records.first }

    mutating func insert(_ record: LateRecord) {
        records.append(record)
        var child = records.count - 1
        while child > 0, records[child] < records[(child - 1) / 2] {
            records.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        let last = records.count - 1
        records.swapAt(0, last)
        records.removeLast()
        var parent = 0
        while 2 * parent + 1 < last {
            var child = 2 * parent + 1
            if child + 1 < last, records[child + 1] < records[child] { child += 1 }
            guard records[child] < records[parent] else { return }
            records.swapAt(child, parent)
            parent = child
        }
    }
}
