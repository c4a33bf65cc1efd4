import Core
import State

/// Checks what is committed in the end with the simplest code that can, apart from the engine: a
/// plain replay of the committed journal, one record after another.
struct Oracle {
    let broker: SimulatedBroker

    /// What is wrong with a task; `nil` if nothing.
    ///
    /// - Parameter isComplete: Whether every input record must have been taken.
    func check(task: Int, isComplete: Bool) -> String? {
        let inputs = broker.inputs(ofTask: task)
        let records = inputs.map { broker.input($0).visible }
        var cursor = inputs.map { _ in 0 }
        var positions: [Int64]?
        var hash: UInt64 = 1
        var expected: [[[UInt8]]] = inputs.map { _ in [] }
        var sequence: UInt64 = 0
        for (offset, stored) in broker.partition(.journal, task).visible {
            guard let entry = try? JournalEntry(decoding: stored.value) else {
                return "the journal's record at \(offset) cannot be read"
            }
            let place = "entry \(entry.sequence) at \(offset)"
            if entry.sequence != sequence { return "\(place): expected entry \(sequence)" }
            sequence += 1
            if entry.inputs.count > inputs.count { return "\(place): unknown inputs" }
            for (index, input) in entry.inputs.enumerated()
            where Int(input.partition) != inputs[index] {
                return "\(place): other inputs"
            }
            var reached = positions ?? entry.nextOffsets
            while reached.count < entry.inputs.count { reached.append(0) }
            if positions == nil {
                // Where everything starts: nothing that is there may be passed over.
                for (index, start) in entry.nextOffsets.enumerated() {
                    if start > broker.input(inputs[index]).start {
                        return "\(place): starts input \(inputs[index]) at \(start)"
                    }
                    cursor[index] =
                        records[index].firstIndex { Int64($0.offset) >= start }
                        ?? records[index].count
                }
            }
            var taken: UInt64 = 0
            for round in entry.rounds {
                while let next = first(records, cursor, before: round) {
                    let (offset, record) = records[next][cursor[next]]
                    cursor[next] += 1
                    taken += 1
                    let input = Int32(inputs[next])
                    hash = Canary.next(hash, record.value.span, partition: input)
                    expected[next].append(
                        Canary.prediction(offset: Int64(offset), hash: hash))
                }
                for index in round.indices {
                    if round[index] < reached[index] { return "\(place): a round goes back" }
                    reached[index] = round[index]
                }
            }
            for index in entry.nextOffsets.indices {
                if entry.nextOffsets[index] < reached[index] { return "\(place): goes back" }
                let skipped =
                    cursor[index] < records[index].count
                    && Int64(records[index][cursor[index]].offset) < entry.nextOffsets[index]
                if skipped { return "\(place): passes over records of input \(inputs[index])" }
                reached[index] = entry.nextOffsets[index]
            }
            if taken != entry.recordCount { return "\(place): \(taken) records instead" }
            positions = reached
        }
        for (index, input) in inputs.enumerated() {
            let predictions = broker.partition(.predictions, input).visible.map(\.record.value)
            if let wrong = difference(predictions, expected[index]) {
                return "predictions of input \(input): \(wrong)"
            }
            if isComplete, cursor[index] != records[index].count {
                return "input \(input): \(cursor[index]) of \(records[index].count) records taken"
            }
            let kept = broker.group.offsets[input]
            if isComplete, kept != positions?[index] {
                return
                    "the group's offset of input \(input) is \(kept.map(String.init) ?? "none"), "
                    + "the journal's \(positions.map { "\($0[index])" } ?? "none")"
            }
        }
        return nil
    }

    /// The input whose record comes next inside a round: the earliest, equal times by input.
    private func first(
        _ records: [[(offset: Int, record: StoredRecord)]], _ cursor: [Int], before round: [Int64]
    ) -> Int? {
        var best: Int?
        for input in round.indices where cursor[input] < records[input].count {
            let (offset, record) = records[input][cursor[input]]
            guard Int64(offset) < round[input] else { continue }
            if let other = best,
                records[other][cursor[other]].record.timestamp <= record.timestamp
            {
                continue
            }
            best = input
        }
        return best
    }

    private func difference(_ found: [[UInt8]], _ expected: [[UInt8]]) -> String? {
        for (index, prediction) in found.enumerated() {
            if index >= expected.count { return "\(found.count) instead of \(expected.count)" }
            if prediction != expected[index] { return "number \(index) differs" }
        }
        return found.count < expected.count
            ? "\(found.count) instead of \(expected.count)" : nil
    }
}
