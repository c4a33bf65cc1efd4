import Core
import Engine
import State

/// Predicts the hash of everything seen so far: any loss, repeat or change of order shows in every
/// later prediction.
final class Canary: BatchProcessor {
    let fingerprint: UInt64 = 7
    private(set) var hash: UInt64 = 1
    var stateBytes: Int { 8 }

    func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        for index in records.indices {
            let record = records[index]
            hash = Self.next(hash, record.value, partition: record.partition)
            let prediction = Self.prediction(offset: record.offset, hash: hash)
            output.open(key: record.key, hasKey: true)
            output.content.append(prediction.span)
            output.close(.predictions, partition: record.partition)
        }
    }

    func captureState() -> any StateCapture { Capture(hash: hash) }

    func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        hash = try decoder.readUInt64()
    }

    private struct Capture: StateCapture {
        let hash: UInt64
        var stateBytes: Int { 8 }

        func encode(to encoder: inout StateEncoder) { encoder.write(hash) }
    }

    /// The hash after one more record.
    static func next(_ hash: UInt64, _ value: Span<UInt8>, partition: Int32) -> UInt64 {
        var content = ContentHash(seed: hash)
        content.combine(value)
        content.combine(UInt64(partition))
        return content.value
    }

    /// The bytes of a prediction.
    static func prediction(offset: Int64, hash: UInt64) -> [UInt8] {
        var encoder = StateEncoder()
        encoder.write(offset)
        encoder.write(hash)
        return encoder.bytes
    }
}
