import Synchronization

/// Tells whether a thread is inside a call of the client library, and whether it is still the same
/// call. One thread makes the calls; any thread asks.
final class CallGauge: Sendable {
    /// Odd while a call is under way; counted up at its begin and its end.
    private let count = Atomic<UInt64>(0)

    /// Names the call that is under way; no other call has the same name. `nil` between calls.
    var current: UInt64? {
        let value = count.load(ordering: .relaxed)
        return value & 1 == 1 ? value : nil
    }

    func enter() { count.add(1, ordering: .relaxed) }
    func leave() { count.add(1, ordering: .relaxed) }
}

/// Finds calls that do not come back, among the looks of one who looks again and again.
///
/// Looks are counted, not time: a process that was stopped and goes on has looked once, however long it
/// was away.
struct CallWatch {
    /// As many looks in a row must find a thread in the same call.
    private let looksMax: Int
    private var seen: [Int: (call: UInt64, looks: Int)] = [:]

    init(looksMax: Int) { self.looksMax = looksMax }

    /// Takes a look at the calls that are under way, by task; the first task whose call hangs.
    mutating func look(_ calls: [Int: UInt64]) -> Int? {
        seen = Dictionary(
            uniqueKeysWithValues: calls.map { task, call in
                let before = seen[task]
                return (task, (call, before?.call == call ? (before?.looks ?? 0) + 1 : 1))
            })
        return seen.filter { $0.value.looks > looksMax }.keys.min()
    }
}
