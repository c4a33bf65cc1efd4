import Core
import Engine
import KafkaIO
import State

/// What an uninterrupted pass over the input gives, made on this thread with nothing but the
/// processor: no task, no lanes, no log, no replay of the product.
struct Oracle {
    /// The input, by partition.
    let input: [StoredPartition]
    let pipeline: Pipeline
    private(set) var harvest: Harvest
    /// The hash of each task's state at the end.
    private(set) var states: [UInt64] = []
    /// What is wrong with the journal.
    private(set) var problems: [String] = []

    init(_ pipeline: Pipeline, input: [StoredPartition]) {
        self.pipeline = pipeline
        self.input = input
        harvest = Harvest(partitions: input.count)
    }

    private mutating func take(
        _ order: [(input: Int, index: Int)], with processor: any BatchProcessor
    ) throws {
        var buffer = OutputBuffer()
        var first = 0
        // Batches of a length that nothing else in the product has.
        while first < order.count {
            let end = min(order.count, first + 333)
            try StoredPartition.withRecords(order[first..<end], of: input) {
                try processor.process($0, headers: { _ in [] }, into: &buffer)
            }
            harvest.add(buffer)
            buffer.clear()
            first = end
        }
    }

    private func processor(_ task: Int) throws -> any BatchProcessor {
        let real = try PipelineProcessor(
            pipeline: pipeline, taskIndex: task, format: pipeline.input.format)
        return ProcessorChoice.processor(real, task: task, of: pipeline)
    }

    // MARK: One input for each task

    mutating func passOverPartitions() throws {
        for partition in input.indices {
            let processor = try processor(partition)
            try take(
                input[partition].entries.indices.map { (partition, $0) }, with: processor)
            states.append(processor.stateHash())
        }
    }

    // MARK: Several inputs

    /// The whole input in the order of timestamps, lowest partition first where they are equal.
    mutating func mergeByTimestamp() throws {
        let processor = try processor(0)
        let ends = input.map(\.entries.count)
        try take(
            merge(from: [Int](repeating: 0, count: input.count), to: ends), with: processor)
        states.append(processor.stateHash())
    }

    /// The order of records between two places of each partition: the earliest head first.
    private func merge(from starts: [Int], to ends: [Int]) -> [(input: Int, index: Int)] {
        var order: [(input: Int, index: Int)] = []
        var heads = starts
        while true {
            var best: Int?
            for candidate in heads.indices where heads[candidate] < ends[candidate] {
                guard let chosen = best else {
                    best = candidate
                    continue
                }
                let time = input[candidate].entries[heads[candidate]].timestamp
                if time < input[chosen].entries[heads[chosen]].timestamp { best = candidate }
            }
            guard let best else { return order }
            order.append((best, heads[best]))
            heads[best] += 1
        }
    }

    /// Replays the committed journal from its first entry, and checks that it covers the input:
    /// every offset once, each partition in order, sequence and offsets without a gap.
    mutating func replay(_ journal: [JournalEntry]) throws {
        let processor = try processor(0)
        var heads = [Int](repeating: 0, count: input.count)
        if journal.isEmpty { problems.append("there is no journal") }
        for (place, entry) in journal.enumerated() {
            guard check(entry, at: place) else { return }
            if place == 0 {
                // Everything before the start offsets would be uncovered.
                for index in heads.indices {
                    heads[index] = input[index].index(atOrAfter: entry.nextOffsets[index])
                    if heads[index] > 0 { problems.append("the journal starts late") }
                }
                continue
            }
            var records = 0
            for round in entry.rounds {
                let ends = round.indices.map { input[$0].index(atOrAfter: round[$0]) }
                for index in ends.indices where ends[index] < heads[index] {
                    problems.append("entry \(place): a round goes back")
                    return
                }
                let order = merge(from: heads, to: ends)
                records += order.count
                try take(order, with: processor)
                heads = ends
            }
            if records != Int(entry.recordCount) {
                problems.append(
                    "entry \(place): \(records) records, but it says \(entry.recordCount)")
            }
            let next = entry.nextOffsets.indices.map {
                input[$0].index(atOrAfter: entry.nextOffsets[$0])
            }
            if next != heads { problems.append("entry \(place): its rounds miss its offsets") }
        }
        for index in heads.indices where heads[index] < input[index].entries.count {
            problems.append("partition \(index) is not covered to its end")
        }
        states.append(processor.stateHash())
    }

    /// Checks the chain of a journal whose records are not replayed: sequence without a gap, offsets
    /// that never go back and reach the end of the task's inputs.
    ///
    /// Its beginning may have been trimmed, as soon as it names a snapshot.
    mutating func followChain(_ journal: [JournalEntry], task: Int, inputs: [Int]) {
        guard let first = journal.first, let last = journal.last else {
            return problems.append("task \(task) has no journal")
        }
        if first.sequence > 0, last.live == nil {
            problems.append("task \(task): the journal was trimmed without a snapshot")
        }
        var offsets = first.nextOffsets
        for (place, entry) in journal.enumerated() {
            guard entry.sequence == first.sequence + UInt64(place) else {
                return problems.append(
                    "task \(task): entry \(first.sequence) + \(place) has the sequence "
                        + "\(entry.sequence)")
            }
            for (before, after) in zip(offsets, entry.nextOffsets) where after < before {
                problems.append("task \(task), entry \(entry.sequence): the offset goes back")
            }
            offsets = entry.nextOffsets
        }
        for (offset, index) in zip(offsets, inputs)
        where input[index].index(atOrAfter: offset) < input[index].entries.count {
            problems.append("task \(task): partition \(index) is not covered to its end")
        }
    }

    private mutating func check(_ entry: JournalEntry, at place: Int) -> Bool {
        if entry.sequence == UInt64(place) { return true }
        problems.append("entry \(place) has the sequence \(entry.sequence)")
        return false
    }
}
