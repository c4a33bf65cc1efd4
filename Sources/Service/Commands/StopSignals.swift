import CPlatform
import Glibc
import KafkaIO

/// SIGTERM and SIGINT as something to wait for; for commands that end in order.
///
/// Made before any other thread is started: threads inherit that the signals are held back.
struct StopSignals: ~Copyable {
    private let descriptor: Int32

    init() throws(CommandFailure) {
        var set = sigset_t()
        // Safety: the set is filled by the first call and read by the second.
        guard unsafe tw_block_termination_signals(&set) == 0 else {
            throw CommandFailure("signals cannot be held back: errno \(tw_errno())")
        }
        let opened = unsafe tw_signalfd(&set)
        guard opened >= 0 else {
            throw CommandFailure("signals cannot be waited for: errno \(tw_errno())")
        }
        descriptor = opened
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// Waits until a signal comes, `wakeup` is signalled, or the time is over.
    ///
    /// - Returns: Whether a signal came.
    borrowing func wait(or wakeup: Wakeup, milliseconds: Int32) -> Bool {
        _ = tw_wait_readable2(descriptor, wakeup.descriptor, milliseconds)
        _ = tw_eventfd_take(wakeup.descriptor)
        return tw_signalfd_next(descriptor) >= 0
    }
}
