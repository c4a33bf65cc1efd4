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
        unsafe rd_kafka_destroy_flags(handle, Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE))
        unsafe retained.release()
        isDone.store(true, ordering: .releasing)
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
