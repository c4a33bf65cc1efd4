import CPlatform
import CRdKafka
import Core
package import State

/// The chunks of a task's snapshots on one partition of the pipeline's `…state` topic, and the trims
/// of that partition and of the task's journal.
///
/// Written outside the task's transactions: a chunk that no committed journal entry refers to is
/// never read, and goes with the next trim. Read by offset.
package final class KafkaChunkStore: ChunkStore, @unchecked Sendable {
    // Safety: used by one thread at a time; what other threads use too (writer, admin) is Sendable.
    private let settings: KafkaSettings
    private let log: KafkaLog
    private let topic: String
    private let partition: Int32
    private let journal: TopicPartition
    private let admin: KafkaAdmin
    private let writer: KafkaChunkWriter
    private let history: Int64
    private let trims: Bool
    private let confirmsEntries: @Sendable () -> Bool
    private let milliseconds: Int32
    private var tail: KafkaTail?
    /// Where the tail stands.
    private var tailOffset: Int64 = -1

    /// - Parameters:
    ///   - journal: the task's journal; its partition's number is that of the chunks' partition.
    ///   - history: how long what is not needed any more is kept, in milliseconds.
    ///   - trims: false where the brokers cannot delete records, as the embedded cluster.
    ///   - confirmsEntries: asked before each trim: whether the entries that allow it count.
    ///   - milliseconds: how long one write or read may take.
    package init(
        settings: KafkaSettings, topic: String, journal: TopicPartition, admin: KafkaAdmin,
        writer: KafkaChunkWriter, history: Int64 = 0, trims: Bool = true,
        confirmsEntries: @escaping @Sendable () -> Bool = { true },
        milliseconds: Int32 = 30_000, log: KafkaLog
    ) {
        self.settings = settings
        self.topic = topic
        self.journal = journal
        self.admin = admin
        self.writer = writer
        self.history = history
        self.trims = trims
        self.confirmsEntries = confirmsEntries
        self.milliseconds = milliseconds
        self.log = log
        partition = journal.partition
    }

    package func journalEnd() throws(ChunkError) -> Int64 {
        do throws(KafkaError) {
            return try admin.watermarks(of: journal, milliseconds: milliseconds).high
        } catch {
            throw .failed(error.description)
        }
    }

    package func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        do throws(KafkaError) {
            return ChunkPosition(
                offset: try writer.append(
                    key: key, value: chunk, partition: partition, milliseconds: milliseconds))
        } catch {
            throw .failed(error.description)
        }
    }

    package func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError) {
        guard trims else { return }
        guard confirmsEntries() else {
            throw .failed("task \(partition) may be another process's by now: nothing is trimmed")
        }
        let chunks = TopicPartition(topic: topic, partition: partition)
        var ends = [(journal, journalBefore), (chunks, chunksBefore)]
        do throws(KafkaError) {
            if history > 0 {
                let kept = try admin.offsets(
                    at: tw_wall_milliseconds() - history, of: [journal, chunks])
                for index in ends.indices where kept[index] >= 0 {
                    ends[index].1 = min(ends[index].1, kept[index])
                }
            }
        } catch {
            throw .failed(error.description)
        }
        // Each of the two is tried: the right to delete may be given for one of them only.
        var refused: String?
        for (place, end) in ends where end > 0 {
            do throws(KafkaError) {
                try admin.deleteRecords(of: place, before: end, milliseconds: milliseconds)
            } catch {
                refused = refused ?? error.description
            }
        }
        if let refused { throw .failed(refused) }
    }

    package func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8] {
        var isLate = false
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
            while let tail {
                guard tw_monotonic_nanoseconds() < end else {
                    isLate = true
                    break
                }
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
            close()
            switch error.code {
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET.rawValue,
                RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE.rawValue,
                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART.rawValue,
                RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC.rawValue,
                RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION.rawValue:
                throw .missing(position)
            case RD_KAFKA_RESP_ERR__BAD_MSG.rawValue, RD_KAFKA_RESP_ERR_INVALID_MSG.rawValue,
                RD_KAFKA_RESP_ERR__BAD_COMPRESSION.rawValue:
                throw .damaged(position, error.description)
            default: throw .failed(error.description)
            }
        }
        close()
        if isLate {
            throw .failed(
                "no answer from the broker of \(topic), partition \(partition), within "
                    + "\(milliseconds / 1000) s")
        }
        throw .missing(position)
    }

    /// Ends the reader; a later read makes another one.
    package func close() { tail = nil }
}
