import Foundation
import Synchronization

/// Ends this process at an armed point, with a signal that nothing can catch.
///
/// Armed from outside, one point at a time; unarmed it costs an atomic read.
final class CrashTrap: Sendable {
    /// What the process is to die of.
    struct Order: Sendable, Equatable {
        var point: CrashPoint
        /// Dies the *count*-th time that the point is reached.
        var count: Int
        /// For points inside a call: how long after its begin.
        var delayMicroseconds: UInt32

        init(point: CrashPoint, count: Int, delayMicroseconds: UInt32) {
            self.point = point
            self.count = count
            self.delayMicroseconds = delayMicroseconds
        }

        /// Reads `point:count:delay`.
        init?(_ text: Substring) {
            let parts = text.split(separator: ":")
            guard parts.count == 3, let point = CrashPoint(rawValue: String(parts[0])),
                let count = Int(parts[1]), let delay = UInt32(parts[2])
            else { return nil }
            self.init(point: point, count: count, delayMicroseconds: delay)
        }

        var text: String { "\(point.rawValue):\(count):\(delayMicroseconds)" }
    }

    private let order = Mutex<Order?>(nil)
    private let isArmed = Atomic<Bool>(false)
    private let events: EventWriter

    init(events: EventWriter) { self.events = events }

    func arm(_ new: Order?) {
        order.withLock { $0 = new }
        isArmed.store(new != nil, ordering: .releasing)
    }

    /// Whether the point is armed and this call is the one to die at; disarms.
    func isDue(_ point: CrashPoint) -> Order? {
        guard isArmed.load(ordering: .acquiring) else { return nil }
        return order.withLock { order -> Order? in
            guard var current = order, current.point == point else { return nil }
            current.count -= 1
            order = current.count <= 0 ? nil : current
            return current.count <= 0 ? current : nil
        }
    }

    /// Dies here if it is due.
    func reach(_ point: CrashPoint) {
        if isDue(point) != nil { die(point) }
    }

    /// If it is due, dies a moment later, while the caller goes on.
    func reachDuring(_ point: CrashPoint) {
        guard let order = isDue(point) else { return }
        Thread.detachNewThread {
            usleep(order.delayMicroseconds)
            self.die(point)
        }
    }

    func die(_ point: CrashPoint) -> Never {
        events.write("died \(point.rawValue)")
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}
