import Core

/// The bytes of one record, at a place that does not change as long as it lives.
final class StoredRecord {
    let base: UnsafeMutablePointer<UInt8>
    let keyCount: Int
    let valueCount: Int
    let timestamp: Int64

    init(key: some Collection<UInt8>, value: some Collection<UInt8>, timestamp: Int64) {
        keyCount = key.count
        valueCount = value.count
        self.timestamp = timestamp
        base = .allocate(capacity: max(1, keyCount + valueCount))
        var index = 0
        for byte in key {
            base[index] = byte
            index += 1
        }
        for byte in value {
            base[index] = byte
            index += 1
        }
    }

    deinit { base.deallocate() }

    var value: [UInt8] {
        Array(UnsafeBufferPointer(start: base + keyCount, count: valueCount))
    }
    var key: [UInt8] { Array(UnsafeBufferPointer(start: base, count: keyCount)) }

    /// As a log lends it: valid as long as this object lives.
    func borrowed(partition: Int32, offset: Int64) -> RawRecord {
        RawRecord(
            value: UnsafePointer(base + keyCount), valueCount: valueCount,
            key: UnsafePointer(base), keyCount: keyCount, partition: partition, offset: offset,
            timestamp: timestamp)
    }
}

/// Why the broker refuses a request.
enum Refusal: Error, Equatable {
    /// A newer producer of the transactional id exists.
    case fenced
    /// The transaction before is still being settled.
    case concurrent
    /// No such transaction is open.
    case invalidState
    case outOfOrder
    case illegalGeneration
    case unknownMember
    case instanceFenced
}

/// One partition's log: records and transaction markers by offset, and what it knows of producers.
///
/// Deleted records stay for the oracle; only ``start`` moves.
final class SimulatedPartition {
    enum Status: UInt8 {
        /// Not part of a transaction.
        case plain
        case open
        case committed
        case aborted
        /// A transaction marker.
        case marker

        var isVisible: Bool { self == .plain || self == .committed }
    }

    private struct Producer {
        var epoch: Int
        var nextSequence = 0
        /// Offsets of the records of the open transaction.
        var open: [Int] = []
    }

    let id: Int
    private(set) var records: [StoredRecord?] = []
    private(set) var statuses: [Status] = []
    /// The first offset that can be read.
    private(set) var start = 0
    private var producers: [Int: Producer] = [:]
    private var stableEnd = 0

    init(id: Int) {
        self.id = id
    }

    /// The high watermark.
    var end: Int { records.count }

    /// The last stable offset: no open transaction begins before it.
    var stable: Int {
        while stableEnd < statuses.count, statuses[stableEnd] != .open { stableEnd += 1 }
        return stableEnd
    }

    /// Appends outside any transaction.
    func append(_ record: StoredRecord) {
        records.append(record)
        statuses.append(.plain)
    }

    /// Appends a batch of a transactional producer, unless it is there already.
    func append(
        _ batch: [StoredRecord], producer id: Int, epoch: Int, sequence: Int
    ) -> Result<Void, Refusal> {
        var producer = producers[id] ?? Producer(epoch: epoch)
        guard epoch >= producer.epoch else { return .failure(.fenced) }
        if epoch > producer.epoch {
            guard sequence == 0 else { return .failure(.outOfOrder) }
            producer.epoch = epoch
            producer.nextSequence = 0
        }
        if sequence < producer.nextSequence { return .success(()) }
        guard sequence == producer.nextSequence else { return .failure(.outOfOrder) }
        producer.nextSequence += batch.count
        for record in batch {
            producer.open.append(records.count)
            records.append(record)
            statuses.append(.open)
        }
        producers[id] = producer
        return .success(())
    }

    /// The undecided records of a producer.
    func openRecords(producer id: Int) -> [StoredRecord] {
        (producers[id]?.open ?? []).compactMap { records[$0] }
    }

    /// Ends a producer's transaction here.
    func mark(producer id: Int, epoch: Int, commits: Bool) {
        var producer = producers[id] ?? Producer(epoch: epoch)
        guard epoch >= producer.epoch else { return }
        if epoch > producer.epoch {
            producer.epoch = epoch
            producer.nextSequence = 0
        }
        for offset in producer.open { statuses[offset] = commits ? .committed : .aborted }
        producer.open = []
        producers[id] = producer
        records.append(nil)
        statuses.append(.marker)
    }

    /// Flips a bit of a record.
    func damage(_ offset: Int, bit: Int) {
        guard let record = records[offset], record.valueCount > 0 else { return }
        var value = record.value
        value[bit / 8 % value.count] ^= 1 << UInt8(bit % 8)
        records[offset] = StoredRecord(key: record.key, value: value, timestamp: record.timestamp)
    }

    /// The record at an offset, deleted ones included.
    func record(at offset: Int64) -> StoredRecord? {
        offset >= 0 && offset < Int64(records.count) ? records[Int(offset)] : nil
    }

    /// Deletes the partition and makes it again, empty.
    func recreate() {
        records = []
        statuses = []
        start = 0
        stableEnd = 0
    }

    /// Deletes the records before an offset.
    func trim(before offset: Int) {
        start = max(start, min(offset, records.count))
    }

    /// The last committed record that can be read.
    var lastVisible: StoredRecord? {
        var offset = records.count - 1
        while offset >= start {
            if statuses[offset].isVisible { return records[offset] }
            offset -= 1
        }
        return nil
    }

    /// The committed records from the very first on, deleted ones included.
    var visible: [(offset: Int, record: StoredRecord)] {
        var found: [(Int, StoredRecord)] = []
        for (offset, status) in statuses.enumerated() where status.isVisible {
            if let record = records[offset] { found.append((offset, record)) }
        }
        return found
    }
}
