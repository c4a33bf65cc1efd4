import Core

/// Writes records that were set aside to the dead-letter topic, so that nothing is lost silently.
///
/// Key, value, headers and timestamp are the record's own; further headers say why and where:
/// `tidewheel.reason`, `tidewheel.topic`, `tidewheel.partition`, `tidewheel.offset`. A value that
/// a broker might refuse is cut, because it must never block a commit: `tidewheel.cut` then holds
/// its whole length in bytes.
struct DeadLetterWriter: Sendable {
    /// Values above this are cut: a margin below the 1,000,000 bytes that brokers and producers
    /// allow by default for a whole record.
    static let valueBytesLimit: Int = 900_000
    /// Keys and headers above this are left out for the same reason.
    static let extraBytesLimit: Int = 60_000

    let topic: String
    /// Values that were cut so far.
    private(set) var cutCount = 0

    init(topic: String) {
        self.topic = topic
    }

    mutating func write(
        _ record: RawRecord, fault: RecordFault, headers: [OutputHeader],
        into output: inout OutputBuffer
    ) {
        let key = record.key
        let hasKey = record.keyCount >= 0 && key.count <= Self.extraBytesLimit
        output.open(key: key.extracting(0..<(hasKey ? key.count : 0)), hasKey: hasKey)
        let value = record.value
        let kept = min(value.count, Self.valueBytesLimit)
        output.content.append(value.extracting(0..<kept))
        var all: [OutputHeader] = []
        let headerBytes = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
        if headerBytes <= Self.extraBytesLimit { all = headers }
        all.append(Self.header("tidewheel.reason", fault.name))
        all.append(Self.header("tidewheel.topic", topic))
        all.append(Self.header("tidewheel.partition", "\(record.partition)"))
        all.append(Self.header("tidewheel.offset", "\(record.offset)"))
        if kept < value.count || !hasKey && record.keyCount >= 0
            || headerBytes > Self.extraBytesLimit
        {
            all.append(Self.header("tidewheel.cut", "\(value.count)"))
            cutCount += 1
        }
        output.close(
            .deadLetters, partition: record.partition, timestamp: max(0, record.timestamp),
            headers: all, isTombstone: record.valueCount < 0)
    }

    private static func header(_ name: String, _ text: String) -> OutputHeader {
        OutputHeader(name: name, value: Array(text.utf8))
    }
}
