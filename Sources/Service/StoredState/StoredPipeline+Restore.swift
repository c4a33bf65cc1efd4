import Engine
import State

extension StoredPipeline {
    /// Why a start could not restore a task, as far as that shows without loading what is stored;
    /// `nil` where nothing stands against it.
    func restoreProblem(_ task: StoredTask) throws -> TaskFailure? {
        guard let last = task.last?.entry else { return nil }
        var problems: [String] = []
        var isNewer = false
        for snapshot in [task.live, task.previous] {
            guard let snapshot else { continue }
            switch snapshot.index {
            case .success(let index): return lostInput(task, from: index.nextOffsets)
            case .failure(let problem):
                if case .newerFormat = problem { isNewer = true }
                problems.append(
                    "the snapshot after entry \(snapshot.reference.sequence) cannot be loaded: "
                        + problem.message)
            }
        }
        guard last.sequence > 0 else { return nil }
        var first: Entry?
        try entries(of: task.number) { entry in
            if first == nil || entry.entry.sequence == 0 { first = entry }
        }
        guard let first else { return nil }
        guard first.entry.sequence == 0 else {
            return problems.isEmpty
                ? .journalTruncated(start: task.journalEnds.low)
                : .snapshotsLost(problems, isNewer: isNewer)
        }
        // The first entry says where its inputs began, or where it ended.
        return first.entry.rounds.isEmpty ? lostInput(task, from: first.entry.nextOffsets) : nil
    }

    /// The first input of a task whose retention has deleted what is to be replayed from there on.
    private func lostInput(_ task: StoredTask, from offsets: [Int64]) -> TaskFailure? {
        guard pipeline.state.onLostInput != .continueFromSnapshot || task.live == nil else {
            return nil
        }
        for (index, offset) in zip(task.inputs.indices, offsets) {
            let low = task.inputEnds[index].low
            guard low > offset, task.nextOffset(index) ?? 0 > offset else { continue }
            return .log(.lostRecords(task.inputs[index], offset: offset, firstOffset: low))
        }
        return nil
    }
}
