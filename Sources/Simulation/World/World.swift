import Core

/// Time, chance and order of everything in one simulation: a queue of events on one thread.
///
/// Events of the same moment come in an order drawn from the seed. A blocking call of a simulated
/// process lets the world go on meanwhile (``pass(_:)``), so that anything may happen inside it.
final class World {
    private struct Event {
        let time: Int64
        let order: UInt64
        let action: () -> Void

        func isBefore(_ other: Event) -> Bool {
            time < other.time || (time == other.time && order < other.order)
        }
    }

    /// More events than that are no progress: a seed takes some 2,000.
    static let eventLimit = 100_000

    /// Milliseconds since the start.
    private(set) var now: Int64 = 0
    var random: SplitMix64
    /// For what was thought of later: it leaves what the seeds did before as it was, until it happens.
    private var rare: SplitMix64
    private(set) var trace: Trace
    private var heap: [Event] = []
    private var depth = 0
    private(set) var eventCount = 0
    /// What went wrong, in words; the first one ends the simulation.
    private(set) var violation: String?

    init(seed: UInt64, keepsTrace: Bool) {
        random = SplitMix64(seed: seed)
        rare = SplitMix64(seed: seed ^ 0x7261_7265)
        trace = Trace(keepsLines: keepsTrace)
    }

    func note(_ code: Trace.Code, _ first: Int = 0, _ second: Int = 0, _ third: Int = 0) {
        trace.note(now, code, Int64(first), Int64(second), Int64(third))
    }

    func tell(_ words: @autoclosure () -> String) { trace.tell(now, words) }

    /// States that a promise is broken.
    func fail(_ words: @autoclosure () -> String) {
        guard violation == nil else { return }
        violation = "at \(now) ms: \(words())"
    }

    // MARK: Chance

    /// True in so many of a thousand cases.
    func happens(perMille: Int) -> Bool {
        perMille > 0 && random.next(below: 1000) < perMille
    }

    /// As ``happens(perMille:)``, from a sequence of its own.
    func happensRarely(perMille: Int) -> Bool { rare.next(below: 1000) < perMille }

    /// A whole number of the range.
    func draw(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + random.next(below: range.upperBound - range.lowerBound + 1)
    }

    // MARK: Time

    /// Makes something happen later.
    func after(_ milliseconds: Int, _ action: @escaping () -> Void) {
        heap.append(
            Event(time: now + Int64(milliseconds), order: random.next(), action: action))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Whether a call made now blocks nobody but its own process: it is inside no other's wait.
    var isOutermost: Bool { depth == 0 }

    /// Lets everything happen that is due up to so many milliseconds from now.
    ///
    /// Calls may nest, as a blocked process inside a blocked process's wait; too deep a nesting
    /// returns at once.
    func pass(_ milliseconds: Int) {
        guard depth < 6 else { return }
        depth += 1
        defer { depth -= 1 }
        let end = now + Int64(milliseconds)
        while violation == nil, let first = heap.first, first.time <= end { runFirst() }
        now = max(now, end)
    }

    /// Makes the next event happen; false if there is none.
    func runNext() -> Bool {
        guard violation == nil, !heap.isEmpty else { return false }
        runFirst()
        return true
    }

    /// Forgets what would have happened.
    func end() {
        heap.removeAll()
    }

    private func runFirst() {
        let event = heap[0]
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in (2 * parent + 1)...(2 * parent + 2)
                where child < heap.count && heap[child].isBefore(heap[least]) {
                    least = child
                }
                if least == parent { break }
                heap.swapAt(least, parent)
                parent = least
            }
        }
        now = max(now, event.time)
        eventCount += 1
        // Two that wait for each other inside a wait of a third can go on for ever in one moment.
        if eventCount == Self.eventLimit { fail("\(eventCount) events and no end") }
        event.action()
    }
}
