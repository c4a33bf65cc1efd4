import CPlatform
import CRdKafka
import Core
package import State

/// The chunks of a task's snapshots on one partition of the pipeline's `…state` topic.
///
/// Written by a plain idempotent producer outside the task's transactions: a chunk that no
/// committed manifest names is never read, and is compacted away. Read by offset. One thread uses
/// it.
package final class KafkaChunkStore: ChunkStore, @unchecked Sendable {
    // Safety: used by one thread at a time.
    private let settings: KafkaSettings
    private let log: KafkaLog
    private let topic: String
    private let partition: Int32
    private let milliseconds: Int32
    private var feeder: KafkaFeeder?
    private var tail: KafkaTail?
    /// Where the tail stands.
    private var tailOffset: Int64 = -1

    /// - Parameter milliseconds: how long one write or read may take.
    package init(
        settings: KafkaSettings, topic: String, partition: Int32, milliseconds: Int32 = 30_000,
        log: KafkaLog
    ) {
        self.settings = settings
        self.topic = topic
        self.partition = partition
        self.milliseconds = milliseconds
        self.log = log
    }

    package func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        ChunkPosition(offset: try append(key: key, value: chunk))
    }

    package func remove(key: [UInt8]) throws(ChunkError) {
        _ = try append(key: key, value: nil)
    }

    private func append(key: [UInt8], value: [UInt8]?) throws(ChunkError) -> Int64 {
        do throws(KafkaError) {
            let feeder = try openFeeder()
            try feeder.send(key: key, value: value, partition: partition)
            try feeder.flush(milliseconds: milliseconds)
            return feeder.lastOffset
        } catch {
            // A record that may still be on its way must not be taken for a later one.
            feeder = nil
            throw .failed(error.description)
        }
    }

    private func openFeeder() throws(KafkaError) -> KafkaFeeder {
        if let feeder { return feeder }
        let made = try KafkaFeeder(settings: settings, topic: topic, log: log)
        feeder = made
        return made
    }

    package func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8] {
        do throws(KafkaError) {
            if let tail {
                if tailOffset != position.offset { try tail.seek(partition, to: position.offset) }
            } else {
                tail = try KafkaTail(
                    settings: settings, topic: topic, starts: [(partition, position.offset)],
                    log: log)
            }
            tailOffset = position.offset
            let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
            while let tail, tw_monotonic_nanoseconds() < end {
                guard let record = try tail.next(milliseconds: 100) else {
                    if tail.isAtEnd { break }
                    continue
                }
                tailOffset = record.offset + 1
                guard record.offset == position.offset, record.key == key, let value = record.value
                else { break }
                return value
            }
        } catch {
            tail = nil
            if error.code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET.rawValue {
                throw .missing(position)
            }
            throw .failed(error.description)
        }
        tail = nil
        throw .missing(position)
    }

    package func close() {
        feeder = nil
        tail = nil
    }
}
