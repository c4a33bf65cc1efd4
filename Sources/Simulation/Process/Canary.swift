import Core
import Engine
import State

/// Predicts the hash of everything seen so far: any loss, repeat or change of order shows in every
/// later prediction.
final class Canary: BatchProcessor {
    let fingerprint: UInt64 = 7
    let version: UInt32 = 1
    let settings: [TextPair] = []
    private(set) var memory = CanaryMemory()
    /// Planted: what is captured goes on changing.
    private let sharesState: Bool
    var stateBytes: Int { CanaryMemory.byteCount }

    init(sharesState: Bool = false) {
        self.sharesState = sharesState
    }

    func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        for index in records.indices {
            let record = records[index]
            memory.take(record.value, partition: record.partition)
            let prediction = memory.prediction(offset: record.offset)
            output.open(key: record.key, hasKey: true)
            output.content.append(prediction.span)
            output.close(.predictions, partition: record.partition)
        }
    }

    func captureState() -> any StateCapture {
        sharesState ? SharedCapture(canary: self) : Capture(memory: memory)
    }

    func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        let found = try CanaryMemory(from: &decoder)
        try decoder.finish()
        memory = found
    }

    private struct Capture: StateCapture {
        let memory: CanaryMemory
        var stateBytes: Int { CanaryMemory.byteCount }

        func encode(to encoder: inout StateEncoder) { memory.encode(to: &encoder) }
    }

    private final class SharedCapture: StateCapture, @unchecked Sendable {
        // Safety: one thread runs the whole simulation.
        let canary: Canary
        var stateBytes: Int { CanaryMemory.byteCount }

        init(canary: Canary) { self.canary = canary }

        func encode(to encoder: inout StateEncoder) { canary.memory.encode(to: &encoder) }
    }
}

/// A running hash that comes back to what it was some records ago, so that all of its bytes matter:
/// a state put together from two moments shows in the predictions that follow.
struct CanaryMemory: Equatable {
    private static let slotCount = 16
    /// The size of the encoded memory.
    static let byteCount = 8 * (slotCount + 2)

    private var hash: UInt64 = 1
    private var count: UInt64 = 0
    private var slots = [UInt64](repeating: 0, count: slotCount)

    init() {}

    /// Learns one record more.
    mutating func take(_ value: Span<UInt8>, partition: Int32) {
        let slot = Int(count % UInt64(Self.slotCount))
        var content = ContentHash(seed: hash)
        content.combine(value)
        content.combine(UInt64(partition))
        content.combine(slots[slot])
        hash = content.value
        slots[slot] = hash
        count += 1
    }

    /// The bytes of the prediction for the record taken last.
    func prediction(offset: Int64) -> [UInt8] {
        var encoder = StateEncoder()
        encoder.write(offset)
        encoder.write(hash)
        return encoder.bytes
    }

    func encode(to encoder: inout StateEncoder) {
        encoder.write(hash)
        encoder.write(count)
        for slot in slots { encoder.write(slot) }
    }

    init(from decoder: inout StateDecoder) throws(StateError) {
        hash = try decoder.readUInt64()
        count = try decoder.readUInt64()
        for slot in slots.indices { slots[slot] = try decoder.readUInt64() }
    }
}
