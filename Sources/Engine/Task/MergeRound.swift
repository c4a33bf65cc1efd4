package import Core
package import State

/// Merges the queues of a task's inputs into one order that is a pure function of the log.
///
/// Version 1 of the order: of the inputs' first unread records, the one with the lowest timestamp
/// comes next; equal timestamps go by input, lowest first. Each input keeps its offset order.
///
/// An input whose queue runs dry ends the merge, because its next record might be earlier, unless
/// it `mayRunDry`: its end was reached, or it was waited for long enough. Where that happened
/// (``ignoredInput``), the interleaving depends on when the merge was made, so the round is closed
/// and the journal records its end; otherwise the next merge continues the same round.
package struct MergeRound {
    /// The merged records, borrowed from the log until ``release(_:)``.
    package private(set) var records: [RawRecord] = []
    /// The number of records taken from each input.
    package private(set) var taken: [Int]
    /// Whether an input was passed over while it was dry.
    package private(set) var ignoredInput = false

    private var queued: [RawRecord] = []
    private var cursor: [Int]
    private var end: [Int]

    package init(inputCount: Int) {
        taken = [Int](repeating: 0, count: inputCount)
        cursor = taken
        end = taken
    }

    /// Merges at most `limit` records.
    ///
    /// - Parameters:
    ///   - ends: Only records before these offsets take part.
    ///   - mayRunDry: The inputs that do not end the merge when they run dry.
    package mutating func merge(
        _ log: any InputLog, ends: [Int64], mayRunDry: [Bool], limit: Int
    ) {
        records.removeAll(keepingCapacity: true)
        queued.removeAll(keepingCapacity: true)
        ignoredInput = false
        let inputCount = taken.count
        for input in 0..<inputCount {
            taken[input] = 0
            cursor[input] = queued.count
            let bound = ends[input]
            log.withQueued(input) { span in
                for index in 0..<min(span.count, limit) {
                    let record = span[index]
                    if record.offset >= bound { break }
                    queued.append(record)
                }
            }
            end[input] = queued.count
        }
        while records.count < limit {
            // The earliest head, and the bound up to which its input may go on alone.
            var best = -1
            var bestTime = Int64.max
            var otherTime = Int64.max
            var other = Int.max
            for input in 0..<inputCount {
                guard cursor[input] < end[input] else {
                    if mayRunDry[input] { continue }
                    return
                }
                let time = queued[cursor[input]].timestamp
                if best < 0 || time < bestTime {
                    otherTime = bestTime
                    other = best < 0 ? Int.max : best
                    best = input
                    bestTime = time
                } else if time < otherTime {
                    otherTime = time
                    other = input
                }
            }
            guard best >= 0 else { return }
            if !ignoredInput {
                for input in 0..<inputCount where cursor[input] >= end[input] {
                    ignoredInput = true
                }
            }
            repeat {
                records.append(queued[cursor[best]])
                cursor[best] += 1
                taken[best] += 1
            } while records.count < limit && cursor[best] < end[best]
                && isBefore(queued[cursor[best]].timestamp, best, otherTime, other)
        }
    }

    /// Takes the merged records through a processor.
    package func process(
        with processor: any BatchProcessor, log: any InputLog, into output: inout OutputBuffer
    ) throws(TaskFailure) {
        try processor.process(records.span, headers: { headers($0, log) }, into: &output)
    }

    /// The offset after the last record taken from an input, of which at least one was taken.
    package func nextOffset(_ input: Int) -> Int64 {
        queued[cursor[input] - 1].offset + 1
    }

    /// The headers of a merged record, as long as it is not released.
    private func headers(_ index: Int, _ log: any InputLog) -> [OutputHeader] {
        let partition = records[index].partition
        for (input, place) in log.partitions.enumerated() where place.partition == partition {
            // Its place in its input's queue is the number of records of that input before it.
            return log.headers(input, records[..<index].count { $0.partition == partition })
        }
        preconditionFailure("partition \(partition) is no input of this task")
    }

    /// Gives the merged records back to the log.
    package mutating func release(_ log: any InputLog) {
        for input in taken.indices where taken[input] > 0 {
            log.release(input, taken[input])
            taken[input] = 0
        }
        records.removeAll(keepingCapacity: true)
    }

    private func isBefore(_ time: Int64, _ input: Int, _ otherTime: Int64, _ other: Int) -> Bool {
        time < otherTime || (time == otherTime && input < other)
    }
}
