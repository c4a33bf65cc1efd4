package import Core
package import State

/// A log in memory whose records become visible as a test says: the oracle's and the tests' log.
package final class MemoryLog: InputLog {
    /// One record of a partition.
    package struct Record: Sendable {
        package var offset: Int64
        package var timestamp: Int64
        package var key: [UInt8]
        package var value: [UInt8]

        package init(offset: Int64, timestamp: Int64, key: [UInt8], value: [UInt8]) {
            self.offset = offset
            self.timestamp = timestamp
            self.key = key
            self.value = value
        }

        package init(offset: Int64, timestamp: Int64, key: String, value: String) {
            self.init(
                offset: offset, timestamp: timestamp, key: Array(key.utf8),
                value: Array(value.utf8))
        }
    }

    package let partitions: [TopicPartition]
    /// How many records of each partition the next polls may fetch.
    package var visible: [Int]
    /// Whether the log says where a partition ends once everything visible is queued.
    package var signalsEnd: [Bool]
    /// Offsets at the end that hold no records, as transaction markers do.
    package var trailingMarkers: Int64 = 0

    private let arena: [[UnsafeMutableBufferPointer<UInt8>]]
    private let records: [[Record]]
    private var next: [Int]
    private var queues: [[RawRecord]]

    package init(topic: String, _ records: [[Record]]) {
        partitions = records.indices.map { TopicPartition(topic: topic, partition: Int32($0)) }
        self.records = records
        visible = records.map(\.count)
        signalsEnd = records.map { _ in true }
        next = records.map { _ in 0 }
        queues = records.map { _ in [] }
        arena = records.map { partition in
            partition.map { record in
                let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(
                    capacity: max(1, record.key.count + record.value.count))
                _ = bytes.initialize(from: record.key + record.value)
                return bytes
            }
        }
    }

    deinit {
        for bytes in arena.joined() { bytes.deallocate() }
    }

    package func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        while next[input] < visible[input], queues[input].count < limit {
            let record = records[input][next[input]]
            let base = UnsafePointer(arena[input][next[input]].baseAddress)
            queues[input].append(
                RawRecord(
                    value: base.map { $0 + record.key.count }, valueCount: record.value.count,
                    key: base, keyCount: record.key.count, partition: Int32(input),
                    offset: record.offset, timestamp: record.timestamp))
            next[input] += 1
        }
    }

    package func queuedCount(_ input: Int) -> Int { queues[input].count }

    package func withQueued<Result>(_ input: Int, _ body: (Span<RawRecord>) -> Result) -> Result {
        let queue = queues[input]
        return body(queue.span)
    }

    package func release(_ input: Int, _ count: Int) {
        queues[input].removeFirst(count)
    }

    package func endOffset(_ input: Int) -> Int64? {
        guard signalsEnd[input], next[input] >= visible[input] else { return nil }
        let last = next[input] > 0 ? records[input][next[input] - 1].offset + 1 : 0
        return last + (next[input] == records[input].count ? trailingMarkers : 0)
    }

    package func seek(_ input: Int, to offset: Int64) throws(LogError) {
        queues[input] = []
        next[input] = records[input].firstIndex { $0.offset >= offset } ?? records[input].count
    }

    package func headers(_ input: Int, _ index: Int) -> [OutputHeader] { [] }
}

/// Committed output in memory, with failures at chosen calls.
package final class MemoryOutput: TransactionalOutput, @unchecked Sendable {
    /// A record of a committed transaction.
    package struct Record: Equatable {
        package let stream: OutputStream
        package let partition: Int32
        package let key: [UInt8]
        package let value: [UInt8]
    }

    /// The calls, for choosing where to fail.
    package enum Call: CaseIterable, Sendable {
        case begin
        case send
        case sendOffsets
        case commit
        case abort
        case recreate
    }

    package private(set) var committed: [Record] = []
    package private(set) var positions: [InputPosition] = []
    package private(set) var calls: [Call] = []
    /// Asked before each call takes effect; a failure stops it.
    package var failure: (Call) -> OutputFailure? = { _ in nil }
    /// Asked before each send: fails it after so many records were taken.
    package var partialSend: () -> (records: Int, failure: OutputFailure)? = { nil }
    private var open: [Record]?
    private var openPositions: [InputPosition] = []

    package init() {}

    /// The committed records of one stream.
    package func committed(_ stream: OutputStream) -> [Record] {
        committed.filter { $0.stream == stream }
    }

    package func initialize() throws(OutputFailure) { open = nil }

    package func begin() throws(OutputFailure) {
        try enter(.begin)
        precondition(open == nil, "a transaction is open")
        open = []
    }

    package func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        try enter(.send)
        let cut = partialSend()
        for entry in buffer.entries.prefix(cut?.records ?? buffer.entries.count) {
            open?.append(
                Record(
                    stream: entry.stream, partition: entry.partition,
                    key: [UInt8](copying: buffer.key(of: entry)),
                    value: [UInt8](copying: buffer.value(of: entry))))
        }
        if let cut { throw cut.failure }
    }

    package func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        try enter(.sendOffsets)
        openPositions = positions
    }

    package func commit() throws(OutputFailure) {
        try enter(.commit)
        committed += open ?? []
        positions = openPositions
        open = nil
    }

    package func abort() throws(OutputFailure) {
        try enter(.abort)
        open = nil
    }

    package func recreate() throws(OutputFailure) {
        try enter(.recreate)
        open = nil
    }

    package func close() {}

    private func enter(_ call: Call) throws(OutputFailure) {
        calls.append(call)
        if let failure = failure(call) { throw failure }
    }
}
