import CPlatform
import Glibc

/// Threads that run one body once and end by themselves; what others wait for, the body signals.
///
/// Blocking work runs here and never on Swift's cooperative pool.
package enum WorkerThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread; `name` (15 bytes are kept) shows in `top -H` and in debuggers.
    package static func start(name: String, _ run: @escaping @Sendable () -> Void) {
        let body = Body(name: name, run: run)
        // Safety: the retained body is taken over by the thread's first statement.
        let context = unsafe Unmanaged.passRetained(body).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                    unsafe tw_set_thread_name(body.name)
                    body.run()
                }
                return nil
            }, context)
        precondition(status == 0, "a thread could not be started: \(status)")
        _ = pthread_detach(thread)
    }
}
