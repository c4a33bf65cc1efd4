import Core
import Synchronization

/// Appends chunks to the pipeline's `…state` topic: one idempotent producer for all tasks of a
/// process, made at the first chunk. Any thread; one append at a time.
package final class KafkaChunkWriter: Sendable {
    private let settings: KafkaSettings
    private let log: KafkaLog
    private let topic: String
    private let feeder = Mutex<KafkaFeeder?>(nil)

    package init(settings: KafkaSettings, topic: String, log: KafkaLog) {
        self.settings = settings
        self.topic = topic
        self.log = log
    }

    /// Writes one record and returns its offset once it is durable.
    func append(
        key: [UInt8], value: [UInt8], partition: Int32, milliseconds: Int32
    ) throws(KafkaError) -> Int64 {
        let result = feeder.withLock { feeder -> Result<Int64, KafkaError> in
            do throws(KafkaError) {
                let open: KafkaFeeder
                if let made = feeder {
                    open = made
                } else {
                    open = try KafkaFeeder(settings: settings, topic: topic, log: log)
                    feeder = open
                }
                try open.send(key: key, value: value, partition: partition)
                try open.flush(milliseconds: milliseconds)
                return .success(open.lastOffset)
            } catch {
                // A record that may still be on its way must not be taken for a later one.
                feeder = nil
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Ends the producer; a later append makes another one.
    package func close() { feeder.withLock { $0 = nil } }
}
