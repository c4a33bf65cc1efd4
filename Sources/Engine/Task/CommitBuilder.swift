import Core
import State

/// Gathers what the next commit will hold: rounds, offsets, counts, outputs.
struct CommitBuilder: ~Copyable {
    /// The output records of the commit.
    var buffer: OutputBuffer
    /// For each merge round the end offset of each input.
    private(set) var rounds: [[Int64]] = []
    /// The records consumed.
    private(set) var recordCount = 0
    /// Whether the last round may be continued by the next merge.
    private var lastRoundIsOpen = false

    init(buffer: consuming OutputBuffer) {
        self.buffer = buffer
    }

    var hasWork: Bool { recordCount > 0 }

    /// Notes a merge that consumed `count` records up to these offsets.
    mutating func note(count: Int, ends: [Int64], ignoredInput: Bool) {
        recordCount += count
        if lastRoundIsOpen {
            rounds[rounds.count - 1] = ends
        } else {
            rounds.append(ends)
        }
        lastRoundIsOpen = !ignoredInput
    }

    /// The number and the hash of the predictions so far.
    func digest() -> (count: UInt64, hash: UInt64) {
        OutputDigest.of(buffer)
    }

    /// Takes the gathered commit out and starts the next one with `fresh` memory.
    mutating func take(replacing fresh: consuming OutputBuffer) -> OutputBuffer {
        var taken = fresh
        swap(&taken, &buffer)
        buffer.clear()
        rounds.removeAll(keepingCapacity: true)
        recordCount = 0
        lastRoundIsOpen = false
        return taken
    }
}

/// The hash that proves that a replay repeated a commit's predictions, keys included.
///
/// Metrics and drift records are left out: what is tracked may change while the model goes on.
enum OutputDigest {
    static func of(_ buffer: borrowing OutputBuffer) -> (count: UInt64, hash: UInt64) {
        var hash = ContentHash()
        let bytes = buffer.content.bytes
        var count: UInt64 = 0
        for entry in buffer.entries where entry.stream == .predictions {
            let end = entry.valueStart + max(0, entry.valueCount)
            hash.combine(bytes.extracting(entry.start..<end))
            count += 1
        }
        return (count, hash.value)
    }
}
