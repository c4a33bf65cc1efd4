import Core
import Engine

/// Predicts the running hash of every record seen: one record lost, doubled, changed or out of
/// order changes every later prediction.
///
/// Its state is a table of 1 MiB that each record reads and changes at a place that depends on all
/// records before it, so that a torn or stale state shows in the predictions too.
final class CanaryProcessor: BatchProcessor {
    private static let tableCount = 1 << 17
    private static let recordsPerReport = 1000

    let fingerprint: UInt64
    let version: UInt32 = 1
    let settings: [TextPair] = []
    private let task: Int
    private var table = [UInt64](repeating: 0, count: CanaryProcessor.tableCount)
    private var chain: UInt64 = 0x7469_6465_7768_6565
    private var records = 0

    /// - Parameter fingerprint: that of the pipeline whose place it takes.
    init(fingerprint: UInt64, task: Int) {
        self.fingerprint = fingerprint
        self.task = task
    }

    var stateBytes: Int { table.count * 8 }

    func process(
        _ batch: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        for index in batch.indices {
            take(batch[index])
            let record = batch[index]
            output.open(key: record.key, hasKey: record.keyCount >= 0)
            output.content.append(
                #"{"prediction":"\#(hex(chain))","partition":\#(record.partition),"#
                    + #""offset":\#(record.offset)}"#)
            output.close(.predictions, partition: record.partition)
            if records % Self.recordsPerReport == 0 { report(into: &output) }
        }
    }

    private func take(_ record: RawRecord) {
        let place = Int(truncatingIfNeeded: chain & UInt64(Self.tableCount - 1))
        var hash = ContentHash(seed: chain ^ table[place])
        hash.combine(UInt64(bitPattern: Int64(record.partition)))
        hash.combine(UInt64(bitPattern: record.offset))
        hash.combine(record.key)
        hash.combine(record.value)
        chain = hash.value
        table[place] = chain
        records += 1
    }

    private func report(into output: inout OutputBuffer) {
        let nothing: [UInt8] = []
        output.open(key: nothing.span, hasKey: false)
        output.content.append(
            #"{"type":"canary","task":\#(task),"records":\#(records),"hash":"\#(hex(chain))"}"#)
        output.close(.metrics, partition: Int32(task))
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }

    private struct Capture: StateCapture {
        let table: [UInt64]
        let chain: UInt64
        let records: Int
        var stateBytes: Int { table.count * 8 }

        func encode(to encoder: inout StateEncoder) {
            encoder.section("canary", version: 1)
            encoder.write(table)
            encoder.write(chain)
            encoder.write(records)
        }
    }

    func captureState() -> any StateCapture {
        Capture(table: table, chain: chain, records: records)
    }

    func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("canary", through: 1)
        table = try decoder.readIntegers(UInt64.self)
        chain = try decoder.readUInt64()
        records = try decoder.readInt()
        guard table.count == Self.tableCount else { throw .invalidValue("the canary's table") }
    }
}
