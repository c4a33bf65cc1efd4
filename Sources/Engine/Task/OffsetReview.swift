package import State

/// What to go by where a task's journal and the offsets of its group differ.
package enum OffsetTrust: String, Sendable, CaseIterable {
    case journal
    case offsets
}

/// Compares where a task's journal ends with the offsets that the group has committed.
///
/// Both are written by the same transactions, so they agree unless somebody changed one of them.
/// The journal is the authority. Offsets that are absent have expired in an empty group, or
/// went with a topic that was deleted: that is said, and the next transaction writes them again. Offsets that differ stop the pipeline until a person has said
/// which of the two to trust.
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
        firstOffsets: [Int64], trust: OffsetTrust?, mayLag: Bool = false
    ) {
        self.task = task
        self.groupID = groupID
        self.inputs = inputs
        self.committed = committed
        self.firstOffsets = firstOffsets
        self.trust = trust
        self.mayLag = mayLag
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
            firstOffsets: firstOffsets, trust: trust ?? .journal, mayLag: mayLag)
    }

    /// What follows from where the journal ends.
    ///
    /// - Parameters:
    ///   - sequence: the number of the task's next journal entry; 0 for an empty journal.
    ///   - positions: the next offset of each input after the journal's last entry.
    package func verdict(sequence: UInt64, positions: [Int64]) -> Verdict {
        sequence == 0 ? withoutJournal(positions) : withJournal(positions)
    }

    /// An empty journal with committed offsets means that the journal was deleted: going on would
    /// give an empty model in silence.
    private func withoutJournal(_ positions: [Int64]) -> Verdict {
        let moved = inputs.indices.filter { committed[$0] > 0 }
        guard let first = moved.first else {
            return positions == firstOffsets
                ? .agreed(note: nil) : .moveOn(to: firstOffsets, note: nil)
        }
        switch trust {
        case nil:
            return .refused(
                "the journal of task \(task) is empty, but the group \(groupID) has committed "
                    + "offset \(committed[first]) of \(name(first)): the journal topic was deleted "
                    + "or emptied, output.journal was changed, or another pipeline has this name; "
                    + "restore the topic, change the file back, or start anew: give the pipeline "
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

    private func withJournal(_ positions: [Int64]) -> Verdict {
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
            return .refused(
                "\(both): somebody changed one of them; run it once with --trust journal to go on "
                    + "where the model stands"
                    + (differing.allSatisfy { committed[$0] > positions[$0] }
                        ? ", or with --trust offsets to skip the records between" : ""))
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

    /// Offsets that the group has lost go with a topic that is deleted, too: one that was made anew
    /// and is long enough looks like the one that was learned.
    private func absence(_ positions: [Int64]) -> String? {
        let absent = inputs.indices.filter { committed[$0] < 0 && positions[$0] > firstOffsets[$0] }
        guard !absent.isEmpty else { return nil }
        return "the group \(groupID) has no offsets where the journal of task \(task) has "
            + "\(list(absent) { positions[$0] }), and goes on there: they expire in a group without "
            + "members, and they go with a topic that is deleted. If the topic was made anew, "
            + "`tidewheel state verify` tells whether it holds what was learned"
    }

    private func name(_ input: Int) -> String {
        "\(inputs[input].topic)[\(inputs[input].partition)]"
    }

    /// The offsets of some inputs; of many the first four.
    private func list(_ chosen: [Int], _ offset: (Int) -> Int64) -> String {
        let shown = chosen.prefix(4).map { "\(name($0))@\(offset($0))" }.joined(separator: ", ")
        return chosen.count > 4 ? "\(shown) and \(chosen.count - 4) more" : shown
    }
}
