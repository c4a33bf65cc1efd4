import CPlatform
import Core
import Foundation
import KafkaIO
import Synchronization
import TestSupport

/// Writes input records, on a thread of its own at a steady rate or all at once.
final class Load: Sendable {
    private let count = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let ended = Mutex<String?>(nil)

    /// The records handed over so far.
    var records: Int { count.load(ordering: .relaxed) }
    /// How it ended: an empty text when everything is written; `nil` while it goes on.
    var outcome: String? { ended.withLock { $0 } }

    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Starts writing; after a failure with a new producer, because the log itself is the input.
    func start(
        bootstrap: String, topic: String, partitions: Int, recordsPerSecond: Int, seed: UInt64
    ) {
        Thread.detachNewThread { [self] in
            var random = SplitMix64(seed: seed)
            var failures = 0
            while true {
                do {
                    try write(
                        bootstrap: bootstrap, topic: topic, partitions: partitions,
                        recordsPerSecond: recordsPerSecond, &random)
                    return ended.withLock { $0 = "" }
                } catch {
                    failures += 1
                    FileHandle.standardError.write(Data("the load begins anew: \(error)\n".utf8))
                    if failures > 100 { return ended.withLock { $0 = "\(error)" } }
                    sleep(1)
                }
            }
        }
    }

    private func write(
        bootstrap: String, topic: String, partitions: Int, recordsPerSecond: Int,
        _ random: inout SplitMix64
    ) throws {
        let feeder = try Self.feeder(bootstrap, topic)
        let start = tw_monotonic_nanoseconds()
        var written = 0
        while !isStopping.load(ordering: .relaxed) {
            let elapsed = tw_monotonic_nanoseconds() - start
            let due = Int(elapsed / 1_000_000 * Int64(recordsPerSecond) / 1000)
            // What a stalled broker held up is not made up for in one burst.
            for _ in 0..<min(recordsPerSecond / 10, max(0, due - written)) {
                let partition = Int32(random.next(below: partitions))
                let index = count.add(1, ordering: .relaxed).oldValue
                try feeder.send(
                    key: Array("k\(index)".utf8), value: Self.value(index), partition: partition)
                written += 1
            }
            // Each burst to its end: while records wait behind as many requests as may be on their
            // way, librdkafka's threads poll without pause.
            try feeder.flush(milliseconds: 120_000)
            usleep(20_000)
        }
    }

    /// Writes `records` records, with timestamps that run unevenly over the partitions.
    static func fill(
        bootstrap: String, topic: String, partitions: Int, records: Int, seed: UInt64
    ) throws {
        let feeder = try feeder(bootstrap, topic)
        var random = SplitMix64(seed: seed)
        for index in 0..<records {
            let partition = Int32(random.next(below: partitions))
            let jitter = Int64(random.next(below: 40)) - 20
            try feeder.send(
                key: Array("p\(index)".utf8), value: value(index),
                timestamp: 1_700_000_000_000 + Int64(index) + jitter, partition: partition)
        }
        try feeder.flush(milliseconds: 120_000)
    }

    private static func feeder(_ bootstrap: String, _ topic: String) throws -> KafkaFeeder {
        try KafkaFeeder(
            settings: KafkaSettings(common: [
                TextPair("bootstrap.servers", bootstrap),
                TextPair("message.timeout.ms", "600000"),
                TextPair("linger.ms", "100"),
            ]), topic: topic, log: KafkaLog { _ in })
    }

    /// A record of a stream whose concept changes now and then.
    static func value(_ index: Int) -> [UInt8] {
        var random = SplitMix64(seed: UInt64(index))
        let parts = (0..<4).map { _ in Double(random.next(below: 1000)) / 1000 }
        let isFirst = index / 20_000 % 2 == 0
        let y = (isFirst ? parts[0] + parts[1] > 1 : parts[2] > parts[3]) ? 1 : 0
        let text =
            #"{"id":\#(index),"a":\#(parts[0]),"b":\#(parts[1]),"c":\#(parts[2]),"#
            + #""d":\#(parts[3]),"device":"v\#(random.next(below: 200))","y":\#(y)}"#
        return Array(text.utf8)
    }
}
