// Method: an event descriptor that is closed with its owner, for tests of waking.
import CPlatform
import Glibc

struct EventDescriptor: ~Copyable {
    let descriptor: Int32

    init() throws {
        descriptor = tw_eventfd()
        guard descriptor >= 0 else { throw CancellationError() }
    }

    deinit { close(descriptor) }

    func drain() { _ = tw_eventfd_take(descriptor) }
    func wait(seconds: Int32) -> Bool { tw_wait_readable(descriptor, seconds * 1000) == 1 }
}
