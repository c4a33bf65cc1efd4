import Core
import Engine
import State

/// Checks what is committed in the end with the simplest code that can, apart from the engine's
/// task: a plain replay of the committed journal from its very first entry, one record after another.
struct Oracle {
    let broker: SimulatedBroker

    /// A replay under way.
    private struct Replay {
        let task: Int
        let inputs: [Int]
        let records: [[(offset: Int, record: StoredRecord)]]
        let model: any PlainModel
        var cursor: [Int]
        /// The next offset of each input that the entries so far name.
        var positions: [Int64] = []
        var written: [WrittenRecord] = []
        /// What the states before input was lost would have predicted, had they gone on.
        var abandoned: [WrittenRecord] = []
        /// The states after the entries that were gone back to, and that snapshots hold.
        var states: [UInt64: [UInt8]] = [:]
    }

    /// What is wrong with a task; `nil` if nothing.
    ///
    /// - Parameters:
    ///   - isComplete: Whether every input record must have been taken.
    ///   - liveHash: The hash of the task's state where it is live, everything committed.
    func check(task: Int, isComplete: Bool, liveHash: UInt64?) -> String? {
        let entries: [(offset: Int, entry: JournalEntry)]
        switch readJournal(task) {
        case .success(let found): entries = found
        case .failure(let problem): return problem.words
        }
        let inputs = broker.inputs(ofTask: task)
        var replay = Replay(
            task: task, inputs: inputs, records: inputs.map { broker.input($0).visible },
            model: broker.scenario.learning.plainModel(task: task), cursor: inputs.map { _ in 0 })
        let kept = Set(entries.flatMap { [$0.entry.skipped?.after, $0.entry.live?.sequence] })
        for (index, (offset, entry)) in entries.enumerated() {
            let place = "entry \(entry.sequence) at \(offset)"
            if entry.sequence != UInt64(index) { return "\(place): expected entry \(index)" }
            if let problem = follow(entry, &replay) { return "\(place): \(problem)" }
            if kept.contains(entry.sequence) { replay.states[entry.sequence] = replay.model.state }
        }
        let outputs =
            broker.scenario.isAtLeastOnce
            ? compareCopies(replay, isComplete: isComplete) : compareOutputs(replay)
        return outputs ?? compareSnapshot(replay, entries.last?.entry)
            ?? checkBounds(task, entries.map(\.entry))
            ?? (isComplete ? checkEnd(replay, liveHash) : nil)
    }

    private struct Problem: Error { let words: String }

    private func readJournal(
        _ task: Int
    ) -> Result<[(offset: Int, entry: JournalEntry)], Problem> {
        var entries: [(offset: Int, entry: JournalEntry)] = []
        var filter = JournalFilter()
        for (offset, stored) in broker.partition(.journal, task).visible {
            do throws(StateError) {
                if let entry = try filter.entry(in: stored.value) {
                    entries.append((offset, entry))
                }
            } catch {
                return .failure(Problem(words: "the journal's record at \(offset) cannot be read"))
            }
        }
        return .success(entries)
    }

    /// Learns what an entry says was taken; returns what is wrong with it.
    private func follow(_ entry: JournalEntry, _ replay: inout Replay) -> String? {
        let inputs = replay.inputs
        guard entry.inputs.count <= inputs.count, entry.inputs.count >= replay.positions.count,
            zip(entry.inputs, inputs).allSatisfy({ Int($0.partition) == $1 })
        else { return "other inputs" }
        let isSkip = entry.skipped?.through == entry.sequence
        if let after = entry.skipped?.after, isSkip {
            guard let state = replay.states[after] else { return "goes back to nothing" }
            abandon(&replay)
            replay.model.goBack(to: state)
        }
        // Where an input starts: nothing that is there may be passed over.
        for index in replay.positions.count..<entry.inputs.count {
            let start = entry.nextOffsets[index]
            if start > broker.input(inputs[index]).start { return "starts input at \(start)" }
            replay.positions.append(start)
            replay.cursor[index] =
                replay.records[index].firstIndex { Int64($0.offset) >= start }
                ?? replay.records[index].count
        }
        var taken: UInt64 = 0
        for round in entry.rounds {
            while let next = first(replay, before: round) {
                let (offset, record) = replay.records[next][replay.cursor[next]]
                replay.cursor[next] += 1
                taken += 1
                replay.written += replay.model.take(
                    record, partition: Int32(inputs[next]), offset: Int64(offset))
            }
            for index in round.indices {
                if round[index] < replay.positions[index] { return "a round goes back" }
                replay.positions[index] = round[index]
            }
        }
        for index in entry.nextOffsets.indices {
            let next = entry.nextOffsets[index]
            if next < replay.positions[index] { return "goes back" }
            let input = broker.input(inputs[index])
            while replay.cursor[index] < replay.records[index].count,
                replay.records[index][replay.cursor[index]].offset < next
            {
                // Only what retention has deleted may be given up, and only where that is allowed.
                let offset = replay.records[index][replay.cursor[index]].offset
                guard isSkip, offset < input.start else {
                    return "passes over offset \(offset) of input \(inputs[index])"
                }
                replay.cursor[index] += 1
            }
            replay.positions[index] = next
        }
        return taken == entry.recordCount ? nil : "\(taken) records instead"
    }

    /// At least once, with one input: outputs go ahead of their entry. If lost input comes between, the
    /// state that made them is given up, and what it predicted beyond its last entry stays.
    private func abandon(_ replay: inout Replay) {
        guard broker.scenario.isAtLeastOnce, replay.inputs.count == 1 else { return }
        for (offset, record) in replay.records[0][replay.cursor[0]...] {
            replay.abandoned += replay.model.take(
                record, partition: Int32(replay.inputs[0]), offset: Int64(offset))
        }
    }

    /// The input whose record comes next inside a round: the earliest, equal times by input.
    private func first(_ replay: Replay, before round: [Int64]) -> Int? {
        var best: (input: Int, time: Int64)?
        for input in round.indices where replay.cursor[input] < replay.records[input].count {
            let (offset, record) = replay.records[input][replay.cursor[input]]
            guard Int64(offset) < round[input] else { continue }
            if let best, best.time <= record.timestamp { continue }
            best = (input, record.timestamp)
        }
        return best?.input
    }

    // MARK: Comparing

    /// Predictions, metrics and dead letters: each one once, in order, with these bytes.
    private func compareOutputs(_ replay: Replay) -> String? {
        let places =
            replay.inputs.map { (OutputStream.predictions, $0) }
            + replay.inputs.map { (OutputStream.deadLetters, $0) } + [(.metrics, replay.task)]
        for (stream, partition) in places {
            let found = broker.partition(stream, partition).visible.map(\.record.value)
            let expected = replay.written.filter {
                $0.stream == stream && $0.partition == partition
            }
            for (index, record) in found.enumerated() {
                if index >= expected.count { break }
                if record != expected[index].value {
                    return "\(stream) of partition \(partition): number \(index) differs"
                }
            }
            if found.count != expected.count {
                return "\(stream) of partition \(partition): \(found.count) instead of "
                    + "\(expected.count)"
            }
        }
        return nil
    }

    /// At least once: each record is there. With one input whatever stands beside it is a copy, or,
    /// where input was lost, what the state before that said of a later record; with several, a process that was taken for dead may have added what it alone has computed.
    private func compareCopies(_ replay: Replay, isComplete: Bool) -> String? {
        for input in replay.inputs {
            let found = broker.partition(.predictions, input).visible.map(\.record.value)
            let expected = replay.written.filter {
                $0.stream == .predictions && $0.partition == input
            }
            let foundSet = Set(found)
            for (index, record) in expected.enumerated() where !foundSet.contains(record.value) {
                // The last entry's outputs are written again by the next restore.
                if !isComplete, replay.inputs.count > 1 { continue }
                return "prediction \(index) of partition \(input) is not there"
            }
            guard isComplete, replay.inputs.count == 1 else { continue }
            let abandoned = replay.abandoned.filter { $0.stream == .predictions }
            let expectedSet = Set((expected + abandoned).map(\.value))
            if !found.allSatisfy(expectedSet.contains) {
                return "a prediction of partition \(input) is no copy"
            }
        }
        return nil
    }

    /// The stored snapshot holds the state after its entry, bit for bit.
    private func compareSnapshot(_ replay: Replay, _ last: JournalEntry?) -> String? {
        guard let reference = last?.live, !broker.damagedTasks[replay.task] else { return nil }
        let chunks = broker.partition(.state, replay.task)
        guard let stored = chunks.record(at: reference.indexOffset),
            let index = try? SnapshotIndex(decoding: stored.value)
        else { return "the snapshot after entry \(reference.sequence) has no index" }
        var bytes: [UInt8] = []
        for chunk in index.chunks {
            guard let piece = chunks.record(at: chunk.offset),
                (try? Compression.decompress(
                    piece.value, limit: SnapshotIndex.pieceBytes, into: &bytes)) != nil
            else { return "the chunk at \(chunk.offset) cannot be read" }
        }
        guard let state = replay.states[reference.sequence], bytes.suffix(state.count) == state[...]
        else { return "the snapshot after entry \(reference.sequence) holds another state" }
        return nil
    }

    /// What is kept of the journal and of the chunks goes back a few snapshots at most.
    private func checkBounds(_ task: Int, _ entries: [JournalEntry]) -> String? {
        guard !broker.damagedTasks[task] else { return nil }
        var references: [SnapshotReference] = []
        for case let live? in entries.map(\.live) where live != references.last {
            references.append(live)
        }
        // The newest two are kept; some trims may have failed.
        let kept = 6 + broker.hinderedTrims[task]
        guard references.count > kept else { return nil }
        let bound = references[references.count - kept]
        let journal = broker.partition(.journal, task)
        if Int64(journal.start) < bound.journalOffset {
            return
                "the journal is kept from \(journal.start) on, after \(references.count) snapshots"
        }
        let chunks = broker.partition(.state, task)
        if Int64(chunks.start) < bound.firstChunkOffset {
            return "chunks are kept from \(chunks.start) on, after \(references.count) snapshots"
        }
        return nil
    }

    /// Every record is taken, the group's offsets are the journal's, the live state is the replay's.
    private func checkEnd(_ replay: Replay, _ liveHash: UInt64?) -> String? {
        for (index, input) in replay.inputs.enumerated() {
            if replay.cursor[index] != replay.records[index].count {
                return "input \(input): \(replay.cursor[index]) of "
                    + "\(replay.records[index].count) records taken"
            }
            let kept = broker.group.offsets[input]
            // At least once they follow behind.
            if broker.scenario.isAtLeastOnce, kept ?? 0 <= replay.positions[index] { continue }
            if kept != replay.positions[index] {
                return "the group's offset of input \(input) is \(kept ?? -1), the journal's "
                    + "\(replay.positions[index])"
            }
        }
        if let liveHash, liveHash != contentHash(of: replay.model.state) {
            return "the live state is not that of a plain replay"
        }
        return nil
    }
}
