/// The topics that a task writes to.
package enum OutputStream: UInt8, Sendable, CaseIterable {
    case predictions
    case metrics
    case deadLetters
    case journal
    case state
}

/// A record's header: a name and bytes.
package struct OutputHeader: Sendable, Equatable {
    package let name: String
    package let value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// The records of one commit, in order: keys and values back to back in one ``ByteBuffer``.
///
/// Kept until the commit is certain, so that an aborted transaction sends the same bytes again.
package struct OutputBuffer: ~Copyable, Sendable {
    /// One record: where its key and value stand in ``content``.
    package struct Entry: Sendable {
        package let stream: OutputStream
        package let partition: Int32
        /// −1 without a key.
        package let keyCount: Int
        package let start: Int
        /// −1 for a tombstone.
        package let valueCount: Int
        /// Milliseconds since 1970; 0 lets the producer set it.
        package let timestamp: Int64
        /// Index into ``headers``; −1 without headers.
        package let headerIndex: Int

        /// Where the key begins; the value follows it.
        package var valueStart: Int { start + max(0, keyCount) }
    }

    package var content: ByteBuffer
    package private(set) var entries: [Entry] = []
    /// Header lists of the few records that have any.
    package private(set) var headers: [[OutputHeader]] = []
    private var openStart = 0
    private var openKeyCount = -1

    package init(capacity: Int = 1 << 16) {
        content = ByteBuffer(capacity: capacity)
    }

    package var isEmpty: Bool { entries.isEmpty }
    /// Bytes of keys and values.
    package var byteCount: Int { content.count }

    /// Forgets all records and keeps the memory.
    package mutating func clear() {
        content.clear()
        entries.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
    }

    /// Begins a record with this key; its value is what is written to ``content`` until ``close``.
    @inlinable
    package mutating func open(key: Span<UInt8>, hasKey: Bool) {
        setOpen(start: content.count, keyCount: hasKey ? key.count : -1)
        if hasKey { content.append(key) }
    }

    @usableFromInline
    mutating func setOpen(start: Int, keyCount: Int) {
        openStart = start
        openKeyCount = keyCount
    }

    /// Ends the open record.
    package mutating func close(
        _ stream: OutputStream, partition: Int32, timestamp: Int64 = 0,
        headers recordHeaders: [OutputHeader] = [], isTombstone: Bool = false
    ) {
        var headerIndex = -1
        if !recordHeaders.isEmpty {
            headerIndex = headers.count
            headers.append(recordHeaders)
        }
        let valueCount = isTombstone ? -1 : content.count - openStart - max(0, openKeyCount)
        entries.append(
            Entry(
                stream: stream, partition: partition, keyCount: openKeyCount, start: openStart,
                valueCount: valueCount, timestamp: timestamp, headerIndex: headerIndex))
    }

    /// Adds a record without a key.
    package mutating func append(
        _ value: Span<UInt8>, to stream: OutputStream, partition: Int32
    ) {
        open(key: value.extracting(0..<0), hasKey: false)
        content.append(value)
        close(stream, partition: partition)
    }

    /// The key of one of the records; empty without one.
    @_lifetime(borrow self)
    package borrowing func key(of entry: Entry) -> Span<UInt8> {
        content.bytes.extracting(entry.start..<entry.valueStart)
    }

    /// The value of one of the records; empty for a tombstone.
    @_lifetime(borrow self)
    package borrowing func value(of entry: Entry) -> Span<UInt8> {
        content.bytes.extracting(entry.valueStart..<entry.valueStart + max(0, entry.valueCount))
    }

    /// Where the commit's journal entry stands, which is first or last; nil without one.
    package var journalIndex: Int? {
        if let last = entries.last, last.stream == .journal { return entries.count - 1 }
        if let first = entries.first, first.stream == .journal { return 0 }
        return nil
    }

    /// Without a transaction: the ends of the parts that are handed over one after the other, each
    /// once the one before it is acknowledged. The journal entry is a part of its own.
    package var partEnds: [Int] {
        switch journalIndex {
        case nil: [entries.count]
        case 0?: [1, entries.count]
        case let index?: [index, entries.count]
        }
    }

    /// Puts the record closed last in front of the others.
    ///
    /// - Complexity: O(*n*) in the number of records, a move of memory.
    package mutating func moveLastToFront() {
        if let last = entries.popLast() { entries.insert(last, at: 0) }
    }
}
