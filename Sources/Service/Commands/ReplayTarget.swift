import Core
import Engine
import Formats
import KafkaIO
import State

/// The moment that `tidewheel replay --until` names.
enum ReplayTarget: Equatable {
    /// The commit that took this record.
    case record(TopicPartition, offset: Int64)
    /// The last commit up to this time, in milliseconds since 1970.
    case time(Int64)

    /// Reads `TOPIC:PARTITION:OFFSET`, `PARTITION:OFFSET`, `OFFSET`, or a time as in RFC 3339.
    ///
    /// - Parameter inputs: The partitions of the input; without a number the only one is meant.
    init(_ text: String, layout: TopicLayout) throws(UsageError) {
        let bytes = Array(text.utf8)
        if let instant = Instant(bytes.span, unit: .rfc3339) {
            self = .time(instant.milliseconds)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), let offset = Int64(parts[parts.count - 1]), offset >= 0
        else {
            throw Self.mistake(
                "'\(text)' is neither an offset nor a time",
                "write TOPIC:PARTITION:OFFSET, such as \(layout.inputTopic):0:1500, or a time "
                    + "with its zone, such as 2026-01-31T12:00:00Z")
        }
        if parts.count == 3, parts[0] != layout.inputTopic {
            throw Self.mistake(
                "the pipeline does not read \(parts[0])", "its input is \(layout.inputTopic)")
        }
        if parts.count == 1, layout.inputPartitions > 1 {
            throw Self.mistake(
                "the input has \(layout.inputPartitions) partitions, and '\(text)' names none",
                "write PARTITION:OFFSET, such as 0:\(offset)")
        }
        let partition = parts.count == 1 ? 0 : Int32(parts[parts.count - 2]) ?? -1
        guard (0..<Int32(layout.inputPartitions)).contains(partition) else {
            throw Self.mistake(
                "there is no partition \(parts[parts.count - 2])",
                "\(layout.inputTopic) has 0 to \(layout.inputPartitions - 1)")
        }
        self = .record(
            TopicPartition(topic: layout.inputTopic, partition: partition), offset: offset)
    }

    private static func mistake(_ problem: String, _ remedy: String) -> UsageError {
        UsageError(command: "replay", problem: "--until: \(problem)", remedy: remedy)
    }
}

/// A journal entry that a state can be computed for, with the snapshots that lead to it.
struct ReplayMoment {
    let task: Int
    let offset: Int64
    let timestamp: Int64
    let sequence: UInt64
    /// Snapshots from before it, the newest first.
    let references: [SnapshotReference]
    /// For a record of which nobody knows whether an earlier entry took it, its input and offset.
    var mustTake: (input: Int, offset: Int64)?
}

extension StoredPipeline {
    private struct Line {
        let offset: Int64
        let timestamp: Int64
        let sequence: UInt64
        /// The next offset of the input in question.
        let next: Int64
        let holdsPositions: Bool
    }

    /// Finds the entry that a target means in the journal of a task.
    func moment(_ target: ReplayTarget, task: Int) throws -> ReplayMoment {
        var input = 0
        if case .record(let partition, _) = target {
            input = layout.inputs(ofTask: task).firstIndex(of: partition) ?? 0
        }
        var lines: [Line] = []
        var references: [(reference: SnapshotReference, beginning: Int)] = []
        var beginning = 0
        try entries(of: task) { found in
            let entry = found.entry
            if entry.sequence == 0 { beginning = lines.count }
            for reference in [entry.previous, entry.live].compactMap({ $0 })
            where references.last?.reference != reference {
                if !references.contains(where: { $0.reference == reference }) {
                    references.append((reference, beginning))
                }
            }
            lines.append(
                Line(
                    offset: found.offset, timestamp: found.timestamp, sequence: entry.sequence,
                    next: input < entry.nextOffsets.count ? entry.nextOffsets[input] : -1,
                    holdsPositions: entry.rounds.isEmpty))
        }
        guard !lines.isEmpty else {
            throw CommandFailure("task \(task) has committed nothing that is still kept")
        }
        let place = try place(of: target, in: lines, task: task)
        let line = lines[place]
        let kept = try keptChunks(task)
        references.removeAll { $0.reference.firstChunkOffset < kept }
        let start = lines[...place].lastIndex { $0.sequence == 0 } ?? 0
        var moment = ReplayMoment(
            task: task, offset: line.offset, timestamp: line.timestamp, sequence: line.sequence,
            references: references.filter {
                $0.beginning == start && $0.reference.sequence <= line.sequence
            }.map(\.reference).sorted { $0.sequence > $1.sequence })
        if moment.references.isEmpty, lines[start].sequence > 0 {
            let earliest = references.filter { $0.beginning == start }.map(\.reference.sequence)
                .min().flatMap { first in lines.first { $0.sequence >= first } }
            throw CommandFailure(
                "task \(task): what entry \(line.sequence) was computed from is no longer kept; "
                    + (earliest.map {
                        "the earliest moment is after entry \($0.sequence), committed "
                            + TimeText.utc(milliseconds: $0.timestamp)
                    } ?? "no moment is") + "; state.history keeps more from now on")
        }
        if case .record(_, let offset) = target, place == 0, line.sequence > 0 {
            moment.mustTake = (input, offset)
        }
        return moment
    }

    /// The offset before which no chunk of a task is kept.
    private func keptChunks(_ task: Int) throws(KafkaError) -> Int64 {
        guard let statePartitions, task < statePartitions else { return .max }
        return try ends(
            of: TopicPartition(topic: pipeline.output.stateTopic, partition: Int32(task))
        ).low
    }

    private func place(
        of target: ReplayTarget, in lines: [Line], task: Int
    ) throws(CommandFailure) -> Int {
        switch target {
        case .time(let time):
            guard let place = lines.lastIndex(where: { $0.timestamp <= time }) else {
                throw CommandFailure(
                    "task \(task): the earliest commit that is still kept is of "
                        + TimeText.utc(milliseconds: lines[0].timestamp))
            }
            return place
        case .record(let partition, let offset):
            let name = "\(partition.topic)[\(partition.partition)], offset \(offset)"
            guard let place = lines.firstIndex(where: { $0.next > offset }) else {
                throw CommandFailure(
                    "\(name), is not committed: task \(task) stands at offset "
                        + "\(lines[lines.count - 1].next)")
            }
            if lines[place].holdsPositions {
                throw CommandFailure(
                    "\(name), was never taken: the pipeline began after it, or was told to skip it")
            }
            return place
        }
    }
}
