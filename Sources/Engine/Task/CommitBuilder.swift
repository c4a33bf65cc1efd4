import Core
import State

/// Gathers what the next commit will hold: rounds, offsets, counts, outputs.
struct CommitBuilder: ~Copyable {
    /// The output records of the commit, without those that were taken ahead of it.
    var buffer: OutputBuffer
    /// For each merge round the end offset of each input.
    private(set) var rounds: [[Int64]] = []
    /// The records consumed.
    private(set) var recordCount = 0
    /// Those of them whose outputs were taken ahead.
    private var takenCount = 0
    private var takenDigest = OutputDigest()
    /// Whether the last round may be continued by the next merge.
    private var lastRoundIsOpen = false

    init(buffer: consuming OutputBuffer) {
        self.buffer = buffer
    }

    var hasWork: Bool { recordCount > 0 }

    /// Records consumed whose outputs were not taken yet.
    var pendingCount: Int { recordCount - takenCount }

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

    /// The predictions so far, those taken ahead included.
    func digest() -> OutputDigest {
        var digest = takenDigest
        digest.add(buffer)
        return digest
    }

    /// Takes the outputs so far, ahead of the commit that covers them.
    mutating func takeOutputs(replacing fresh: consuming OutputBuffer) -> OutputBuffer {
        takenDigest.add(buffer)
        takenCount = recordCount
        return exchange(fresh)
    }

    /// Takes the gathered commit out and starts the next one with `fresh` memory.
    mutating func take(replacing fresh: consuming OutputBuffer) -> OutputBuffer {
        rounds.removeAll(keepingCapacity: true)
        recordCount = 0
        takenCount = 0
        takenDigest = OutputDigest()
        lastRoundIsOpen = false
        return exchange(fresh)
    }

    private mutating func exchange(_ fresh: consuming OutputBuffer) -> OutputBuffer {
        var taken = fresh
        swap(&taken, &buffer)
        buffer.clear()
        return taken
    }
}

/// The number of predictions and the hash that proves that a replay repeated them, keys included.
///
/// Metrics and drift records are left out: what is tracked may change while the model goes on.
struct OutputDigest {
    private(set) var count: UInt64 = 0
    private var content = ContentHash()

    var hash: UInt64 { content.value }

    /// Goes on with the records of a buffer; where records are cut into buffers changes nothing.
    mutating func add(_ buffer: borrowing OutputBuffer) {
        let bytes = buffer.content.bytes
        for entry in buffer.entries where entry.stream == .predictions {
            let end = entry.valueStart + max(0, entry.valueCount)
            content.combine(bytes.extracting(entry.start..<end))
            count += 1
        }
    }

    static func of(_ buffer: borrowing OutputBuffer) -> OutputDigest {
        var digest = OutputDigest()
        digest.add(buffer)
        return digest
    }
}
