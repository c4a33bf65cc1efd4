import CPlatform
import CRdKafka
import Foundation
import Synchronization

/// Produces electricity records at a steady rate on a thread of its own and notes when.
final class PacedProducer: @unchecked Sendable {
    /// How many it produces; ids count from 0.
    let records: Int

    private let client: KafkaClient
    private let topic: OpaquePointer
    private let partitions: Int
    private let rate: Int
    private let rows: ElectricityRows
    /// Written by the producing thread before a record is handed over, read after it has arrived.
    private let sent: UnsafeMutablePointer<Int64>
    private let failureText = Mutex<String?>(nil)

    init(
        bootstrap: String, topic name: String, partitions: Int, rate: Int, records: Int,
        rows: ElectricityRows
    ) throws {
        client = try KafkaClient(producer: bootstrap, ["linger.ms": "1", "acks": "all"])
        topic = try client.topic(name)
        self.partitions = partitions
        self.rate = rate
        self.records = records
        self.rows = rows
        sent = .allocate(capacity: records)
        sent.initialize(repeating: 0, count: records)
    }

    deinit {
        rd_kafka_topic_destroy(topic)
        sent.deallocate()
    }

    /// Why it had to give up, if it had to.
    var failure: String? { failureText.withLock { $0 } }

    /// When a record was handed to its producer, on the monotonic clock.
    func sentNanoseconds(_ id: Int) -> Int64 { sent[id] }

    /// Produces them all; what is late is made up for, so that a stall shows as latency.
    func run() {
        let start = tw_monotonic_nanoseconds()
        var record: [UInt8] = []
        do {
            for id in 0..<records {
                let due = start + Int64(id) * 1_000_000_000 / Int64(rate)
                while tw_monotonic_nanoseconds() < due { usleep(500) }
                rows.write(row: id, id: id, into: &record)
                sent[id] = tw_monotonic_nanoseconds()
                try client.produce(
                    topic, partition: id % partitions, key: Array("\(id)".utf8), value: record)
                if id % 1_000 == 0 { rd_kafka_poll(client.handle, 0) }
            }
            try client.flush(seconds: 30)
        } catch {
            failureText.withLock { $0 = "\(error)" }
        }
    }
}
