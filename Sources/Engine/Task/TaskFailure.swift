package import Core
package import State

/// Why a task cannot go on; each says in words what went wrong, where, and what to do.
package enum TaskFailure: Error, Equatable, Sendable {
    /// The input cannot be read.
    case log(LogError)
    /// A bad record, under `on_bad_record: fail`.
    case badRecord(RecordFault, partition: Int32, offset: Int64)
    /// The replay of a journal entry did not give the bytes that were committed.
    case replayMismatch(sequence: UInt64, what: String)
    /// The same of an entry that was replayed only because the input was in doubt.
    case otherInput(sequence: UInt64, what: String)
    /// The journal holds something that this program cannot read.
    case journalDamaged(offset: Int64, StateError)
    /// The journal's entries do not follow each other.
    case journalGap(expected: UInt64, found: UInt64)
    /// The journal's beginning is gone, and no snapshot stands for it.
    case journalTruncated(start: Int64)
    /// No snapshot can be loaded, and the journal's beginning is gone; what is wrong with each.
    case snapshotsLost([String], isNewer: Bool)
    /// The snapshots cannot be read now; trying again may help.
    case stateUnreachable(String)
    /// The journal was trimmed while it was read; the next start tells why.
    case overtaken
    /// The journal was written by another version of the pipeline.
    case otherPipeline(found: UInt64, expected: UInt64)
    /// These keys of the pipeline file (with old and new values) make another model than the one
    /// that is stored under this version.
    case changedPipeline(keys: [String], version: UInt32)
    /// The journal was written under a later version of the state than the pipeline file's.
    case olderVersion(found: UInt32, expected: UInt32)
    /// The journal was written under another numeric contract.
    case otherNumerics(found: UInt32)
    /// The journal names inputs that the pipeline does not read any more.
    case otherInputs([TopicPartition])

    /// What went wrong and what to do, for the log and the terminal.
    package var message: String {
        switch self {
        case .log(.lostRecords(let place, let offset, let first)):
            let rest = first.map { "; the first record left is at \($0)" } ?? ""
            return "\(place.topic)[\(place.partition)]: the records from offset \(offset) on are "
                + "gone (retention or deletion)\(rest); restore them, or set state.on_lost_input: "
                + "continue_from_snapshot to go on from the last snapshot, if there is one, without "
                + "having learned them, or use `tidewheel state reset` to begin a new model where "
                + "this one ended, or give the pipeline another name to learn what is left"
        case .log(.topicGone(let place)):
            return "\(place.topic)[\(place.partition)]: the topic does not exist any more; create "
                + "it again, or stop the pipeline"
        case .log(.unauthorised(_, let reason)):
            return reason
        case .log(.failed(let reason)):
            return "the input cannot be read: \(reason)"
        case .badRecord(let fault, let partition, let offset):
            return "partition \(partition), offset \(offset): bad record (\(fault.name)) under "
                + "on_bad_record: fail; correct or remove it, or set on_bad_record: dead_letter"
        case .replayMismatch(let sequence, let what):
            return "the replay of journal entry \(sequence) differs from what was committed "
                + "(\(what)): records of the input are gone (compaction or deletion) or were "
                + "changed, or the program computes differently; restore the records, or run the "
                + "version that wrote the entry, or use `tidewheel state reset` to begin a new "
                + "model where this one ended, on an input with cleanup.policy=delete if it was "
                + "compacted"
        case .otherInput(let sequence, let what):
            return "the group has no offsets any more, which go with a topic that is deleted; so "
                + "journal entry \(sequence) was replayed to see whether the input still is what was "
                + "learned, and differs from what was committed (\(what)): the topic was made anew, "
                + "or records are gone (compaction or deletion) or were changed; restore the topic, "
                + "or run it once with --trust journal to go on all the same where the model "
                + "stands, or use `tidewheel state reset` to begin a new model there"
        case .journalDamaged(let offset, .unsupportedVersion(_, let version)):
            return "the journal's entry at offset \(offset) has format \(version), which this "
                + "program does not know: a newer version wrote it; run that"
        case .journalDamaged(let offset, let error):
            return "the journal's entry at offset \(offset) cannot be read (\(error)); use the "
                + "program version that wrote it, or `tidewheel state reset` to begin a new model"
        case .journalGap(let expected, let found):
            return "the journal goes from entry \(expected) to \(found): entries are missing, "
                + "deleted by its retention (it must be retention.ms=-1, retention.bytes=-1) or by "
                + "someone; restore the topic, or start a new pipeline version under another name"
        case .journalTruncated(let start):
            return "the journal begins at offset \(start), and no snapshot stands for what came "
                + "before: its retention deleted entries (it must be retention.ms=-1, "
                + "retention.bytes=-1) or someone did; restore the topic, or use "
                + "`tidewheel state reset` to begin a new model where this one ended"
        case .snapshotsLost(let problems, let isNewer):
            return "the state cannot be restored: \(problems.joined(separator: "; ")); and the "
                + "journal's beginning, from which it could be computed again, is trimmed; "
                + (isNewer ? "run the newer version" : "restore the state topic")
                + ", or use `tidewheel state reset` to begin a new model"
        case .stateUnreachable(let reason):
            return "the snapshots cannot be read now: \(reason)"
        case .overtaken:
            return "the journal was trimmed while it was read: another process has gone on with "
                + "the task, or entries were deleted"
        case .otherPipeline(let found, let expected):
            return "the state is that of a pipeline that learns differently, or of another one of "
                + "this name (fingerprint \(String(found, radix: 16)), this file's is "
                + "\(String(expected, radix: 16))); `tidewheel check FILE --connect` tells which "
                + "keys differ: undo the change, or raise state.version (or use `tidewheel state "
                + "reset`) to begin a new model where this one ends, or give the pipeline a new "
                + "name to learn everything again"
        case .changedPipeline(let keys, let version):
            return "\(keys.joined(separator: ", ")) would make another model than the one that is "
                + "stored; undo the change, or set state.version: \(version + 1) to begin a new "
                + "model where this one ends (each record keeps its one prediction), or give the "
                + "pipeline a new name to learn everything again"
        case .olderVersion(let found, let expected):
            return "the state is at state.version \(found), the pipeline file says \(expected): "
                + "run the newer file, or set state.version to \(found + 1) to begin a new model"
        case .otherNumerics(let found):
            return "the journal was computed under numerics version \(found), this program has "
                + "\(numericsVersion); run the version that wrote it, or raise state.version to begin "
                + "a new model where this one ends"
        case .otherInputs(let partitions):
            let names = partitions.map { "\($0.topic)[\($0.partition)]" }.joined(separator: ", ")
            return "the journal was written with other inputs (\(names)); undo the change of "
                + "input, or raise state.version to begin a new model with these"
        }
    }
}
