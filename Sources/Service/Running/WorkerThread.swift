import CPlatform
import Glibc

/// A thread that runs one body once; joined explicitly.
///
/// Blocking work runs here and never on Swift's cooperative pool.
struct WorkerThread: ~Copyable {
    private let handle: pthread_t

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts the thread; `name` (15 bytes are kept) shows in `top -H` and in debuggers.
    init(name: String, _ run: @escaping @Sendable () -> Void) {
        let body = Body(name: name, run: run)
        // Safety: the retained body is taken over by the thread's first statement.
        let context = unsafe Unmanaged.passRetained(body).toOpaque()
        var handle = pthread_t()
        let status = unsafe pthread_create(
            &handle, nil,
            { context in
                if let context = unsafe context {
                    let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                    unsafe tw_set_thread_name(body.name)
                    body.run()
                }
                return nil
            }, context)
        precondition(status == 0, "a thread could not be started: \(status)")
        self.handle = handle
    }

    /// Lets the thread end by itself; its body must signal what others wait for.
    consuming func detach() {
        _ = pthread_detach(handle)
    }

    /// Waits until the body has returned.
    consuming func join() {
        _ = pthread_join(handle, nil)
    }
}
