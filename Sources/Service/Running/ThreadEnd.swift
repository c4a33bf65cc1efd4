import KafkaIO
import Synchronization

/// How a thread that works until it is told otherwise is woken and ended.
final class ThreadEnd: Sendable {
    /// Wakes the thread: there is work, or it is to end.
    let wakeup = Wakeup()
    private let stopping = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)

    /// Whether the thread is to return once its current call is done.
    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// The thread's last statement.
    func reached() { ended.store(true, ordering: .releasing) }

    /// Has the thread return after its current call; false if that takes longer.
    func request(milliseconds: Int64) -> Bool {
        stopping.store(true, ordering: .releasing)
        wakeup.signal()
        let deadline = monotonicMilliseconds() + milliseconds
        let pause = Wakeup()
        while !ended.load(ordering: .acquiring), monotonicMilliseconds() < deadline {
            pause.wait(milliseconds: 1)
        }
        return ended.load(ordering: .acquiring)
    }
}
