package import Core
package import Formats

/// Records of a test, with their bytes.
package struct RecordList {
    /// One record.
    package struct Record {
        /// `nil` is a tombstone.
        package var value: [UInt8]?
        package var key: [UInt8]?
        package var partition: Int32
        package var offset: Int64
        package var timestamp: Int64

        package init(
            value: [UInt8]?, key: [UInt8]? = nil, partition: Int32 = 0, offset: Int64 = 0,
            timestamp: Int64 = -1
        ) {
            self.value = value
            self.key = key
            self.partition = partition
            self.offset = offset
            self.timestamp = timestamp
        }
    }

    package var records: [Record]

    package init(_ records: [Record]) {
        self.records = records
    }

    /// Records of partition 0 without keys, at offsets from 0.
    package init(_ values: [String]) {
        records = values.enumerated().map {
            Record(value: Array($1.utf8), offset: Int64($0))
        }
    }

    /// Lends the records to `body`; their bytes are valid until it returns.
    package func withRecords<Result>(
        _ body: (Span<RawRecord>) throws -> Result
    ) rethrows -> Result {
        var bytes: [UInt8] = [0]
        for record in records { bytes += (record.value ?? []) + (record.key ?? []) }
        return try bytes.withUnsafeBufferPointer { buffer in
            var raw: [RawRecord] = []
            var position = buffer.baseAddress! + 1
            for record in records {
                let valueCount = record.value?.count ?? -1
                let keyCount = record.key?.count ?? -1
                let key = position + max(0, valueCount)
                raw.append(
                    RawRecord(
                        value: record.value == nil ? nil : position, valueCount: valueCount,
                        key: record.key == nil ? nil : key, keyCount: keyCount,
                        partition: record.partition, offset: record.offset,
                        timestamp: record.timestamp))
                position = key + max(0, keyCount)
            }
            return try body(raw.span)
        }
    }
}

extension DecodedBatch {
    /// A row's identity as a text.
    package borrowing func idText(_ row: Int) -> String {
        let ids = ids
        return String(decoding: idRange(row).map { ids[$0] }, as: UTF8.self)
    }
}
