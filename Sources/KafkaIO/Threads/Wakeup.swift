import CPlatform
import Glibc

/// Wakes a thread that waits; signals while it works are not lost. Any thread may signal.
package final class Wakeup: Sendable {
    /// The event descriptor, for libraries that signal it themselves.
    package let descriptor: Int32

    package init() {
        descriptor = tw_eventfd()
        precondition(descriptor >= 0, "no event descriptor: errno \(tw_errno())")
    }

    deinit { _ = close(descriptor) }

    package func signal() {
        _ = tw_eventfd_signal(descriptor)
    }

    /// Waits for a signal; returns at once if there was one since the last wait.
    package func wait(milliseconds: Int64) {
        let bounded = Int32(clamping: max(0, milliseconds))
        if tw_wait_readable(descriptor, bounded) == 1 { _ = tw_eventfd_take(descriptor) }
    }
}

/// Milliseconds of the monotonic clock: for waiting, never for the learning path.
package func monotonicMilliseconds() -> Int64 { tw_monotonic_nanoseconds() / 1_000_000 }
