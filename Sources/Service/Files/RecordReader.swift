import Core

/// Splits files, one after another, into records that stand in blocks of memory.
///
/// Blank lines hold no record. Memory: the blocks of the records that are queued, and at most one
/// record that is being read; see ``blocksLimit``.
struct RecordReader: ~Copyable {
    /// Above this number of blocks no more is read until some are released.
    static let blocksLimit = 8

    let paths: [String]
    private(set) var format: DataFormat
    /// The names in the CSV header; empty for JSON lines.
    private(set) var columns: [String] = []
    /// The records read that are not released, oldest first.
    private(set) var queue = RecordQueue()
    /// Whether all files are read to their end.
    private(set) var isAtEnd = false
    /// Columns that need no header; empty when the header names them.
    private let declaredColumns: [String]
    /// The largest value that the decoder takes; of larger ones only one byte more is kept.
    private let valueBytesLimit: Int

    private var blocks: RecordBlocks
    private var keys = RecordKeys()
    private var source: ByteSource?
    private var pathIndex = -1
    private var finishedByteCount = 0
    private var scanner: RecordScanner
    private var expectsHeader = false
    /// In the current block: the end of its bytes, the start of the open record, and how far that
    /// record has been searched for its end.
    private var filled = 0
    private var recordStart = 0
    private var scanned = 0
    /// Whether the rest of a record that is too large is being left out.
    private var isSkipping = false

    init(
        paths: [String], format: DataFormat?, declaredColumns: [String], valueBytesLimit: Int,
        blockByteCount: Int
    ) throws(FileError) {
        precondition(!paths.isEmpty, "no files")
        self.paths = paths
        self.declaredColumns = declaredColumns
        self.valueBytesLimit = valueBytesLimit
        self.format = format ?? .commaSeparated
        scanner = self.format.scanner
        blocks = RecordBlocks(blockByteCount: max(64, blockByteCount))
        blocks.take(atLeast: 0)
        try openNext()
        try fill()
        if format == nil {
            // Safety: `filled` bytes were read, and the block stays while it is looked at.
            let told = unsafe blocks.current.withBytes(0..<filled) { DataFormat(content: $0) }
            self.format = DataFormat(path: paths[0]) ?? told
            scanner = self.format.scanner
        }
        expectsHeader = isCSV
        while columns.isEmpty, isCSV, !isAtEnd, queue.isEmpty { try step() }
    }

    private var isCSV: Bool { format != .jsonLines }

    /// The bytes on disk that are read.
    var consumedByteCount: Int {
        switch source {
        case .some(let open): finishedByteCount + open.consumedByteCount
        case .none: finishedByteCount
        }
    }

    /// Reads until the queue holds `limit` records, the files end, or memory is at its bound.
    mutating func read(upTo limit: Int) throws(FileError) {
        while queue.count < limit, !isAtEnd {
            if blocks.usedCount > Self.blocksLimit, !queue.isEmpty { return }
            try step()
        }
    }

    /// Gives back the oldest records.
    mutating func release(_ count: Int) {
        queue.removeFirst(count)
        blocks.release(count)
        keys.release(count)
    }

    // MARK: Splitting

    /// Finds one record, or reads more bytes.
    private mutating func step() throws(FileError) {
        // Safety: the bytes up to `filled` were read, and the block stays while it is searched.
        let end = unsafe blocks.current.withBytes(scanned..<filled) { bytes in
            scanner.findEnd(bytes, isWholeLine: isSkipping)
        }
        if let end {
            let recordEnd = scanned + end
            scanned = recordEnd + 1
            if isSkipping {
                isSkipping = false
                scanner.reset()
            } else {
                try deliver(recordStart..<recordEnd)
            }
            recordStart = scanned
            return
        }
        scanned = filled
        if isSkipping {
            recordStart = filled
        } else if filled - recordStart > valueBytesLimit {
            // One byte more than the limit lets the decoder see that it is too large.
            try deliver(recordStart..<(recordStart + valueBytesLimit + 1))
            isSkipping = true
            recordStart = filled
        }
        try fill()
    }

    /// Queues a record, or takes it as the header.
    private mutating func deliver(_ range: Range<Int>) throws(FileError) {
        let block = blocks.current
        var end = range.upperBound
        // Safety: the bytes up to `filled` were read, and the block stays while it is looked at.
        unsafe block.withBytes(range) { bytes in
            if !bytes.isEmpty, bytes[bytes.count - 1] == 0x0D { end -= 1 }
        }
        guard end > range.lowerBound else { return }
        if expectsHeader {
            expectsHeader = false
            if try isHeader(range.lowerBound..<end) { return }
        }
        let keyCount = keys.append(queue.nextOffset)
        // Safety: the bytes of record and key stay until `release` gives back their blocks.
        queue.append(
            unsafe RawRecord(
                value: block.base + range.lowerBound, valueCount: end - range.lowerBound,
                key: keys.last, keyCount: keyCount, partition: 0, offset: queue.nextOffset,
                timestamp: -1))
        blocks.addRecord()
    }

    /// Reads the names of a file's first line; with declared columns the line may be a record.
    private mutating func isHeader(_ range: Range<Int>) throws(FileError) -> Bool {
        guard case .csv(let delimiter, let quote) = format else { return false }
        // Safety: as in `deliver`.
        let names = unsafe blocks.current.withBytes(range) { bytes in
            CSVFields(bytes, delimiter: delimiter, quote: quote).fields.map(\.text)
        }
        if !declaredColumns.isEmpty {
            columns = declaredColumns
            return names == declaredColumns
        }
        guard columns.isEmpty || columns == names else {
            throw FileError(
                path: paths[pathIndex],
                reason: "its header differs from that of \(paths[0]); "
                    + "files that are read as one need the same columns in the same order")
        }
        columns = names
        return true
    }

    // MARK: Reading

    /// Reads on into the current block, or into a new one that begins with the open record.
    private mutating func fill() throws(FileError) {
        if filled == blocks.current.capacity {
            let full = blocks.current
            let open = filled - recordStart
            blocks.take(atLeast: open * 2)
            // Safety: both ranges are inside their blocks, which are different memory; the full
            // block may be free from the next release on, not before.
            unsafe blocks.current.base.update(from: full.base + recordStart, count: open)
            scanned -= recordStart
            recordStart = 0
            filled = open
        }
        let block = blocks.current
        // Safety: the block has this much room after `filled`.
        let count =
            try unsafe source?.read(into: block.base + filled, limit: block.capacity - filled) ?? 0
        let isFileStart = filled == recordStart && !hasRead
        hasRead = true
        filled += count
        if isFileStart { skipMark() }
        if count == 0 { try endFile() }
    }

    /// Whether anything was read of the current file.
    private var hasRead = false

    /// Leaves out the byte order mark that some programs put before UTF-8.
    private mutating func skipMark() {
        guard filled - recordStart >= 3 else { return }
        // Safety: the three bytes were read.
        let isMark = unsafe blocks.current.withBytes(recordStart..<(recordStart + 3)) { bytes in
            bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
        }
        guard isMark else { return }
        recordStart += 3
        scanned = recordStart
    }

    /// Delivers what stands after the last line end and goes on with the next file.
    private mutating func endFile() throws(FileError) {
        if !isSkipping { try deliver(recordStart..<filled) }
        recordStart = filled
        scanned = filled
        isSkipping = false
        scanner.reset()
        try openNext()
        expectsHeader = isCSV
    }

    private mutating func openNext() throws(FileError) {
        switch source {
        case .some(let finished): finishedByteCount += finished.byteCount ?? 0
        case .none: break
        }
        source = nil
        hasRead = false
        pathIndex += 1
        if pathIndex < paths.count {
            source = try ByteSource(path: paths[pathIndex])
        } else {
            isAtEnd = true
        }
    }
}
