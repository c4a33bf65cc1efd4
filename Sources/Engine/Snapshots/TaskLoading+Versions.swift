import Core
import State

/// What a task's loading does where the pipeline file is not the one that the state comes from.
extension TaskLoading {
    struct RecordedSettings {
        /// Those of the live snapshot.
        var inSnapshot: [TextPair]?
        /// The last ones that an entry of the state's version says.
        var inEntry: (settings: [TextPair], sequence: UInt64)?
    }

    /// The settings under which the last snapshot was taken; `nil` if there is none to be read.
    func snapshotSettings(_ entry: JournalEntry) -> [TextPair]? {
        guard let index = try? entry.live?.index(ofTask: task, from: store),
            !index.settings.isEmpty
        else { return nil }
        return index.settings
    }

    /// Reads the journal for entries that say the settings, and fails with what has changed.
    mutating func findSettings(
        _ earlier: RecordedSettings, _ failure: TaskFailure
    ) throws(TaskFailure) -> Progress {
        var recorded = earlier
        let isAtEnd = try readJournal { entry, _ in
            if entry.sequence == 0 { recorded.inEntry = nil }
            if let settings = entry.settings { recorded.inEntry = (settings, entry.sequence) }
        }
        guard isAtEnd else {
            stage = .findSettings(recorded, failure: failure)
            return journalHadRecords ? .working(bytes: 0, of: 0) : .waiting
        }
        var settings = recorded.inSnapshot ?? recorded.inEntry?.settings
        if let told = recorded.inEntry, told.sequence > last?.live?.sequence ?? 0 {
            settings = told.settings
        }
        let keys = settings.map { PipelineChange.all(from: $0, to: processor.settings) } ?? []
        let changed = keys.filter { $0.effect == .newVersion }.map(\.text)
        guard !changed.isEmpty else { throw failure }
        throw .changedPipeline(keys: changed, version: last?.version ?? 1)
    }

    /// A fresh state that goes on where the last version's journal ends, so that each record keeps
    /// its one prediction.
    func beginVersion(after entry: JournalEntry) throws(TaskFailure) -> TaskStart {
        var start = start(needsReplay: false)
        for input in inputs.indices {
            guard let known = entry.inputs.firstIndex(of: inputs[input]) else { continue }
            let next = entry.nextOffsets[known]
            if next < startOffsets[input] {
                guard lostInputPolicy == .continueFromSnapshot else {
                    throw .log(
                        .lostRecords(
                            inputs[input], offset: next, firstOffset: startOffsets[input]))
                }
                start.notes.append(
                    "\(inputs[input].topic)[\(inputs[input].partition)]: the records from offset "
                        + "\(next) to \(startOffsets[input] - 1) are gone, and get no predictions")
            }
            start.offsets[input] = max(next, startOffsets[input])
            if start.offsets[input] > next { start.hasLostInput = true }
        }
        start.beginsVersion = true
        start.mayLackOutputs = entry.isClaimed && entry.inputs.count > 1
        start.notes.append(
            "version \(processor.version) of the state begins, with a new model, where version "
                + "\(entry.version) ended")
        return start
    }
}
