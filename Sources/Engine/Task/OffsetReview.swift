package import State

/// What to go by where a task's journal and the offsets of its group differ.
package enum OffsetTrust: String, Sendable, CaseIterable {
    case journal
    case offsets
}

/// Compares where a task's journal ends with the offsets that the group has committed.
///
/// Both are written by the same transactions, so they agree unless somebody changed one of them, or
/// Kafka lost a part. The journal is the authority. Offsets that are absent have expired in an empty
/// group, or went with a topic that was deleted: that is said, and the next transaction writes them
/// again. Offsets that differ stop the pipeline until a person has said which of the two to trust,
/// but for those of a transaction that, by the evidence, came to nothing in all topics.
package struct OffsetReview: Sendable {
    private let task: Int
    private let groupID: String
    private let inputs: [TopicPartition]
    /// The group's offset of each input; −1 where there is none.
    private let committed: [Int64]
    /// Where each input begins for a pipeline without history.
    private let firstOffsets: [Int64]
    private let trust: OffsetTrust?
    /// Whether the offsets may stand before the journal's end: at least once they follow behind.
    private let mayLag: Bool
    /// What was found where a start was refused before; `nil` if nobody has looked.
    private let evidence: CommitEvidence?
    /// What there is of the task although its journal is empty and the group has no offsets.
    private let remains: String?

    package enum Verdict: Equatable, Sendable {
        /// Go on where the journal ends.
        case agreed(note: String?)
        /// Go on at other offsets, and write that into the journal.
        case moveOn(to: [Int64], note: String?)
        /// Stop, and say this.
        case refused(String)
    }

    package init(
        task: Int, groupID: String, inputs: [TopicPartition], committed: [Int64],
        firstOffsets: [Int64], trust: OffsetTrust?, mayLag: Bool = false,
        evidence: CommitEvidence? = nil, remains: String? = nil
    ) {
        self.task = task
        self.groupID = groupID
        self.inputs = inputs
        self.committed = committed
        self.firstOffsets = firstOffsets
        self.trust = trust
        self.mayLag = mayLag
        self.evidence = evidence
        self.remains = remains
    }

    /// Whether the group has committed just where the journal ends, so that the outputs of its last
    /// entry are written.
    package func confirmsOutputs(at positions: [Int64]) -> Bool { committed == positions }

    /// The offsets up to which outputs are certainly written: at least once they are committed behind
    /// their outputs.
    package func withOutputs(upTo positions: [Int64]) -> [Int64] {
        zip(positions, committed).map { $1 >= 0 ? min($0, $1) : $0 }
    }

    /// The same for a task that goes on behind records that are lost, as its pipeline file allows:
    /// its positions differ from the offsets for a reason.
    package var afterLostInput: OffsetReview {
        OffsetReview(
            task: task, groupID: groupID, inputs: inputs, committed: committed,
            firstOffsets: firstOffsets, trust: trust ?? .journal, mayLag: mayLag,
            evidence: evidence, remains: remains)
    }

    /// What follows from where the journal ends.
    ///
    /// - Parameters:
    ///   - sequence: the number of the task's next journal entry; 0 for an empty journal.
    ///   - positions: the next offset of each input after the journal's last entry.
    package func verdict(sequence: UInt64, positions: [Int64]) -> Verdict {
        sequence == 0 ? withoutJournal(positions) : withJournal(sequence, positions)
    }

    /// An empty journal with committed offsets or outputs means that the journal was deleted: going
    /// on would give an empty model in silence.
    private func withoutJournal(_ positions: [Int64]) -> Verdict {
        let moved = inputs.indices.filter { committed[$0] > 0 }
        guard let first = moved.first else {
            if let remains, trust != .journal {
                return .refused(
                    "the journal of task \(task) is empty and the group \(groupID) has no offsets, "
                        + "but \(remains): the journal topic was deleted or emptied, output.journal "
                        + "was changed, or another pipeline writes there; restore the topic, change "
                        + "the file back, or start anew: give the pipeline another name, or run it "
                        + "once with --trust journal (a new model, everything again, predictions "
                        + "included)")
            }
            return positions == firstOffsets
                ? .agreed(note: nil) : .moveOn(to: firstOffsets, note: nil)
        }
        switch trust {
        case nil:
            return .refused(
                "the journal of task \(task) is empty, but the group \(groupID) has committed "
                    + "offset \(committed[first]) of \(name(inputs[first])): the journal topic was "
                    + "deleted or emptied, output.journal was changed, or another pipeline has "
                    + "this name; restore the topic, change the file back, or start anew: give the pipeline "
                    + "another name, or run it once with --trust offsets (a new model from those offsets "
                    + "on) or --trust journal (everything again, predictions included)")
        case .journal:
            return .moveOn(
                to: firstOffsets,
                note: "the journal is empty and trusted: a new model starts at the beginning, "
                    + "predictions of before are written again")
        case .offsets:
            return .moveOn(
                to: inputs.indices.map { committed[$0] >= 0 ? committed[$0] : firstOffsets[$0] },
                note: "the journal is empty and the group's offsets are trusted: a new model "
                    + "starts at \(list(inputs.indices.map { $0 }) { committed[$0] })")
        }
    }

    private func withJournal(_ sequence: UInt64, _ positions: [Int64]) -> Verdict {
        let differing = inputs.indices.filter {
            committed[$0] >= 0 && committed[$0] != positions[$0]
                && !(mayLag && committed[$0] < positions[$0])
        }
        guard !differing.isEmpty else { return .agreed(note: absence(positions)) }
        let both =
            "the journal of task \(task) ends at \(list(differing) { positions[$0] }), the group "
            + "\(groupID) has committed \(list(differing) { committed[$0] })"
        switch trust {
        case nil:
            let isAhead = differing.allSatisfy { committed[$0] > positions[$0] }
            if isAhead, let evidence,
                differing.allSatisfy({ evidence.sequences[$0] == sequence })
            {
                return divided(both, sequence: sequence, positions, by: evidence)
            }
            return .refused(
                "\(both): somebody changed one of them, or Kafka has lost the end of one; "
                    + remedies(canSkip: isAhead))
        case .journal:
            return .agreed(
                note: "\(both); the journal is trusted, the next commit writes the offsets again")
        case .offsets:
            guard differing.allSatisfy({ committed[$0] > positions[$0] }) else {
                return .refused(
                    "\(both): a model cannot go back, so --trust offsets is for offsets after the "
                        + "journal's end only; run it with --trust journal, or give the pipeline "
                        + "another name to learn everything again")
            }
            var moved = positions
            for input in differing { moved[input] = committed[input] }
            let skipped = differing.reduce(0) { $0 + committed[$1] - positions[$1] }
            return .moveOn(
                to: moved,
                note: "\(both); the offsets are trusted: up to \(skipped) records between are "
                    + "neither predicted nor learned")
        }
    }

    /// The offsets are those of the transaction after the journal's last entry, which Kafka committed
    /// in one place and aborted in another. Where the outputs were aborted with the entry, only the
    /// offsets are amiss; outputs that stand would be written twice, which a person decides.
    private func divided(
        _ both: String, sequence: UInt64, _ positions: [Int64], by evidence: CommitEvidence
    ) -> Verdict {
        let found =
            "\(both): Kafka has committed the offsets of transaction \(sequence), the one after the "
            + "journal's last entry, and aborted that transaction in the journal"
        let beyond = evidence.outputs.first { output in
            inputs.firstIndex(of: output.input).map { output.nextOffset > positions[$0] } ?? true
        }
        if let beyond {
            return .refused(
                "\(found), but not in \(name(beyond.place)), which has outputs up to offset "
                    + "\(beyond.nextOffset) of \(name(beyond.input)): no entry tells how they came "
                    + "about; \(remedies(canSkip: true)). The first writes these outputs a second "
                    + "time, the second teaches the model nothing of their records")
        }
        if let doubt = evidence.doubt {
            return .refused(
                "\(found); whether its outputs are committed cannot be told: \(doubt); "
                    + remedies(canSkip: true))
        }
        return .agreed(
            note: "\(found) and in all outputs; the pipeline goes on where the journal ends, and "
                + "the next commit writes the offsets again")
    }

    private func remedies(canSkip: Bool) -> String {
        "run it once with --trust journal to go on where the model stands"
            + (canSkip ? ", or with --trust offsets to skip the records between" : "")
    }

    /// Offsets that the group has lost go with a topic that is deleted, too: one that was made anew
    /// and is long enough looks like the one that was learned, but for what a replay compares.
    private func absence(_ positions: [Int64]) -> String? {
        let absent = inputs.indices.filter { committed[$0] < 0 && positions[$0] > firstOffsets[$0] }
        guard !absent.isEmpty else { return nil }
        return "the group \(groupID) has no offsets where the journal of task \(task) has "
            + "\(list(absent) { positions[$0] }), and goes on there: they expire in a group without "
            + "members, and they go with a topic that is deleted. If the topic was made anew, "
            + "`tidewheel state verify` tells whether it holds what was learned"
    }

    private func name(_ partition: TopicPartition) -> String {
        "\(partition.topic)[\(partition.partition)]"
    }

    /// The offsets of some inputs; of many the first four.
    private func list(_ chosen: [Int], _ offset: (Int) -> Int64) -> String {
        let shown = chosen.prefix(4)
            .map { "\(name(inputs[$0]))@\(offset($0))" }.joined(separator: ", ")
        return chosen.count > 4 ? "\(shown) and \(chosen.count - 4) more" : shown
    }
}
