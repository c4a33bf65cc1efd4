import CPlatform
import CRdKafka
import Synchronization

/// The end of a librdkafka client, here or on a thread of its own.
@safe
final class KafkaDestruction: @unchecked Sendable {
    // Safety: used once, by the thread that runs it; the callbacks stay retained until the client is
    // gone, so they outlive its threads.
    private let handle: OpaquePointer
    private let retained: Unmanaged<KafkaCallbacks>
    private let isDone = Atomic<Bool>(false)

    init(_ handle: OpaquePointer, _ retained: Unmanaged<KafkaCallbacks>) {
        unsafe self.handle = unsafe handle
        unsafe self.retained = unsafe retained
    }

    /// Destroys the client and waits for its threads.
    func run() {
        if unsafe rd_kafka_type(handle) == RD_KAFKA_PRODUCER { purge() }
        unsafe rd_kafka_destroy_flags(handle, Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE))
        unsafe retained.release()
        isDone.store(true, ordering: .releasing)
    }

    /// Forgets every record of a producer, those on their way included.
    ///
    /// The end of a transactional producer frees the text of its last error while its threads still run;
    /// an answer that a record was refused, which came in just then, freed it again (2.0.2 to 2.16.1).
    /// Whoever is answered nothing any more frees nothing.
    private func purge() {
        // What is said of the records that are forgotten here is no news.
        unsafe rd_kafka_set_log_level(handle, 0)
        _ = unsafe rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    }

    /// The same on a thread of its own; false if that has not ended in this time.
    func run(milliseconds: Int64) -> Bool {
        WorkerThread.start(name: "destroy") { self.run() }
        let end = tw_monotonic_nanoseconds() + milliseconds * 1_000_000
        while !isDone.load(ordering: .acquiring) {
            guard tw_monotonic_nanoseconds() < end else { return false }
            _ = tw_wait_readable(-1, 1)
        }
        return true
    }
}
