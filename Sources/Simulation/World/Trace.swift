import Core

/// What happened in a simulation: a running hash of all of it, and on demand the lines to read.
package struct Trace: Sendable {
    /// One kind of event; the raw value goes into the hash.
    enum Code: UInt64, Sendable {
        case initialized, produced, ended, marker, offsetsKept, offsetsShown, expired
        case joined, generation, started, live, committed, dropped, released, killed
        case restarted, paused, outage, appended, retention, grown, stopped, requestLost
        case requestLate, requestSlow, answerLost, doubled, twin, quiet
        case written, installed, loaded, trimmed, damaged, fellBack, parked, resumed, moved
    }

    /// The hash of everything noted so far; equal for equal seeds.
    package var hash: UInt64 { content.value }
    /// One line for each event, if they are kept.
    package private(set) var lines: [String] = []
    private var content = ContentHash()
    private var counts = [Int](repeating: 0, count: 64)
    private let keepsLines: Bool

    init(keepsLines: Bool) {
        self.keepsLines = keepsLines
    }

    mutating func note(_ time: Int64, _ code: Code, _ first: Int64, _ second: Int64, _ third: Int64)
    {
        counts[Int(code.rawValue)] += 1
        if code == .loaded, third == 1 { snapshotRestores += 1 }
        content.combine(UInt64(bitPattern: time))
        content.combine(code.rawValue)
        content.combine(UInt64(bitPattern: first))
        content.combine(UInt64(bitPattern: second))
        content.combine(UInt64(bitPattern: third))
        if keepsLines { lines.append("\(time) \(code) \(first) \(second) \(third)") }
    }

    /// How often a restore began at a snapshot.
    private(set) var snapshotRestores = 0

    /// How often something happened.
    func count(_ code: Code) -> Int { counts[Int(code.rawValue)] }

    /// Adds words that only a reader needs.
    mutating func tell(_ time: Int64, _ words: () -> String) {
        if keepsLines { lines.append("\(time)   \(words())") }
    }
}
