package import Core
package import State

/// Data files as a log of one partition: CSV or JSON lines, plain or gzip, or standard input.
///
/// Several files are one log in the order given; offsets are record numbers over all of them, and
/// keys are the same numbers as text, which is what `produce` writes. There are no timestamps and
/// no headers. Each CSV file begins with a header line, the same in
/// all, unless columns are declared; blank lines hold no record. A value above the limit is lent with one byte more than the
/// limit, so that the decoder refuses it.
///
/// - Complexity: blocks of 1 MiB, reused; at most some blocks more than one record needs.
package final class FileInputLog: InputLog {
    package let partitions: [TopicPartition]
    private let paths: [String]
    private let declaredColumns: [String]
    private let valueBytesLimit: Int
    private let blockByteCount: Int
    private let totalByteCount: Int?
    private var reader: RecordReader
    /// The records that `poll` has shown; the reader may hold more.
    private var lentCount = 0

    /// Opens the first file, looks at the others, and reads the header.
    ///
    /// - Parameters:
    ///   - paths: At least one; `-` is standard input, at most once.
    ///   - format: By default what the first file's name or content tells.
    ///   - declaredColumns: Names for CSV without a header; a first line of just these names is
    ///     still a header.
    package init(
        paths: [String], format: DataFormat? = nil, declaredColumns: [String] = [],
        valueBytesLimit: Int = 1 << 20, blockByteCount: Int = 1 << 20
    ) throws(FileError) {
        guard paths.count(where: { $0 == ByteSource.standardInput }) <= 1 else {
            throw FileError(path: "-", reason: "standard input can be read only once")
        }
        // Before the first record, so that a misspelt last file is not found after an hour.
        var total: Int? = 0
        for path in paths {
            let size = try ByteSource(path: path).byteCount
            total = total.flatMap { sum in size.map { sum + $0 } }
        }
        self.paths = paths
        self.declaredColumns = declaredColumns
        self.valueBytesLimit = valueBytesLimit
        self.blockByteCount = blockByteCount
        totalByteCount = total
        reader = try RecordReader(
            paths: paths, format: format, declaredColumns: declaredColumns,
            valueBytesLimit: valueBytesLimit, blockByteCount: blockByteCount)
        partitions = [TopicPartition(topic: paths[0], partition: 0)]
    }

    /// How the records are written.
    package var format: DataFormat { reader.format }
    /// The names in the CSV header; empty for JSON lines.
    package var columns: [String] { reader.columns }
    /// The share of the files' bytes that is read, in [0, 1]; `nil` with a pipe.
    package var fraction: Double? {
        guard let totalByteCount, totalByteCount > 0 else { return nil }
        return min(1, Double(reader.consumedByteCount) / Double(totalByteCount))
    }

    package func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        do throws(FileError) {
            try reader.read(upTo: limit)
        } catch {
            throw .failed(error.description)
        }
        lentCount = max(lentCount, min(limit, reader.queue.count))
    }

    package func queuedCount(_ input: Int) -> Int { lentCount }

    package func withQueued<Result>(
        _ input: Int, _ body: (Span<RawRecord>) -> Result
    ) -> Result {
        reader.queue.withFirst(lentCount, body)
    }

    package func release(_ input: Int, _ count: Int) {
        precondition(count <= lentCount, "released \(count) of \(lentCount) records")
        reader.release(count)
        lentCount -= count
    }

    package func endOffset(_ input: Int) -> Int64? {
        reader.isAtEnd && lentCount == reader.queue.count ? reader.queue.nextOffset : nil
    }

    package func seek(_ input: Int, to offset: Int64) throws(LogError) {
        do throws(FileError) {
            lentCount = 0
            if offset < reader.queue.firstOffset {
                guard !paths.contains(ByteSource.standardInput) else {
                    throw FileError(path: "-", reason: "standard input cannot be read again")
                }
                reader = try RecordReader(
                    paths: paths, format: reader.format, declaredColumns: declaredColumns,
                    valueBytesLimit: valueBytesLimit, blockByteCount: blockByteCount)
            }
            while reader.queue.firstOffset < offset {
                let missing = offset - reader.queue.firstOffset
                try reader.read(upTo: Int(min(missing, 4096)))
                let count = min(reader.queue.count, Int(missing))
                guard count > 0 else {
                    throw FileError(
                        path: paths[0], reason: "has no record \(offset); it has become shorter")
                }
                reader.release(count)
            }
        } catch {
            throw .failed(error.description)
        }
    }

    package func headers(_ input: Int, _ index: Int) -> [OutputHeader] { [] }
}
