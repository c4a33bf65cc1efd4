import Core
import Foundation
import KafkaIO

/// All records of an input partition, back to back in memory.
struct StoredPartition {
    struct Entry {
        let start: Int
        /// −1 without a key.
        let keyCount: Int
        /// −1 for a tombstone.
        let valueCount: Int
        let offset: Int64
        let timestamp: Int64
    }

    let partition: Int32
    private var bytes: [UInt8] = []
    private(set) var entries: [Entry] = []

    init(_ partition: Int32) { self.partition = partition }

    mutating func append(_ record: KafkaRecord) {
        append(
            key: record.key, value: record.value, offset: record.offset,
            timestamp: record.timestamp)
    }

    mutating func append(key: [UInt8]?, value: [UInt8]?, offset: Int64, timestamp: Int64) {
        entries.append(
            Entry(
                start: bytes.count, keyCount: key?.count ?? -1, valueCount: value?.count ?? -1,
                offset: offset, timestamp: timestamp))
        bytes += key ?? []
        bytes += value ?? []
    }

    /// Forgets a record, for testing the verdict.
    mutating func remove(at index: Int) { entries.remove(at: index) }

    /// Changes a record's value, for testing the verdict.
    mutating func flipByte(ofValueAt index: Int) {
        bytes[entries[index].start + max(0, entries[index].keyCount)] ^= 1
    }

    /// The index of the first record at or after an offset.
    func index(atOrAfter offset: Int64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Lends records of several partitions, given as places in `partitions`, in this order.
    static func withRecords<Result>(
        _ places: ArraySlice<(input: Int, index: Int)>, of partitions: [StoredPartition],
        _ body: (Span<RawRecord>) throws -> Result
    ) rethrows -> Result {
        var bytes: [UInt8] = [0]
        for place in places {
            let source = partitions[place.input]
            let entry = source.entries[place.index]
            let count = max(0, entry.keyCount) + max(0, entry.valueCount)
            bytes += source.bytes[entry.start..<entry.start + count]
        }
        return try bytes.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress! + 1
            let raw = places.map { place -> RawRecord in
                let source = partitions[place.input]
                let entry = source.entries[place.index]
                let value = position + max(0, entry.keyCount)
                defer { position = value + max(0, entry.valueCount) }
                return RawRecord(
                    value: entry.valueCount < 0 ? nil : value, valueCount: entry.valueCount,
                    key: entry.keyCount < 0 ? nil : position, keyCount: entry.keyCount,
                    partition: source.partition, offset: entry.offset, timestamp: entry.timestamp)
            }
            return try body(raw.span)
        }
    }
}
