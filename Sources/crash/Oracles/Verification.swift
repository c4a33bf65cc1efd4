import Core
import Engine
import State

/// Compares everything that a pipeline committed with what an uninterrupted pass gives.
struct Verification {
    /// Snapshots that a journal or a state topic may still name or hold: the last two, one that is
    /// on its way, and what kills have left for the next trim.
    static let snapshotsKeptMax = 8

    let name: String
    let comparison: Comparison
    /// The journal entries that are still there.
    let journalEntries: Int
    /// Whatever else is not as it must be.
    private(set) var problems: [String] = []

    var isClean: Bool { comparison.isClean && problems.isEmpty }

    init(_ pipeline: PipelineUnderTest, _ evidence: Evidence) throws {
        name = pipeline.name
        journalEntries = evidence.journals.reduce(0) { $0 + $1.count }
        var oracle = Oracle(pipeline.pipeline, input: evidence.input)
        switch pipeline.oracle {
        case .partitions: try oracle.passOverPartitions()
        case .journal: try oracle.replay(evidence.journals[0])
        case .timestamps: try oracle.mergeByTimestamp()
        }
        if pipeline.oracle != .journal {
            for (task, journal) in evidence.journals.enumerated() {
                oracle.followChain(
                    journal, task: task,
                    inputs: pipeline.taskCount == 1
                        ? Array(evidence.input.indices) : [task])
            }
        }
        // Where the order of inputs is free, an overtaken owner may have taken another.
        let copies: Copies =
            !pipeline.allowsCopies
            ? .none : pipeline.oracle == .journal ? .equalOr(evidence.overtakenRecords) : .equal
        comparison = Comparison(
            expected: oracle.harvest, found: evidence.harvest, of: pipeline.name, copies: copies)
        problems = Array(oracle.problems.prefix(5))
        if evidence.damagedEntries > 0 {
            problems.append("\(evidence.damagedEntries) damaged journal entries")
        }
        for (task, hash) in oracle.states.enumerated() {
            switch evidence.states[task] {
            case nil: problems.append("task \(task) told no state after the last restore")
            case hash: break
            default: problems.append("task \(task) has another state")
            }
        }
        checkBounds(evidence, keepsJournal: pipeline.taskCount == 1)
        for ends in evidence.ends where ends.stable != ends.end {
            problems.append(
                "\(ends.place) is stable up to \(ends.stable.map(String.init) ?? "?") of "
                    + "\(ends.end): a transaction is open")
        }
    }

    /// Journal and state hold no more than the last snapshots need.
    private mutating func checkBounds(_ evidence: Evidence, keepsJournal: Bool) {
        for (task, journal) in evidence.journals.enumerated() where !keepsJournal {
            let named = Set(journal.compactMap { $0.live?.sequence })
            if named.count > Self.snapshotsKeptMax {
                problems.append("task \(task)'s journal still names \(named.count) snapshots")
            }
        }
        for (task, chunks) in evidence.chunks.enumerated() {
            let kept = Set(chunks.map { [UInt64(bitPattern: Int64($0.generation)), $0.sequence] })
            if kept.count > Self.snapshotsKeptMax {
                problems.append("task \(task)'s state still holds \(kept.count) snapshots")
            }
        }
    }
}
