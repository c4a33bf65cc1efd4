import Core
import Engine
import Formats
import Glibc
import KafkaIO
import State

/// `tidewheel state reset`: gives up what tasks have learned; new models begin where these end.
///
/// Exactly-once of the outputs stays: in one transaction of the task's own producer, which fences
/// any process that still believes it owns the task, an entry is written that begins a journal anew
/// at the offsets that the last one ended at. So each input record keeps its one prediction. Only
/// once that is committed, what stood before it is deleted; a reset that ends between the two has
/// happened, and leaves nothing but old entries that nobody reads.
struct StateReset {
    private let stored: StoredPipeline

    init(_ stored: StoredPipeline) {
        self.stored = stored
    }

    func run(
        _ numbers: [Int], isConfirmed: Bool, asJSON: Bool, _ console: Console
    ) throws -> ExitCode {
        let pipeline = stored.pipeline
        try refuseMembers()
        let tasks = try stored.tasks(numbers)
        for line in losses(tasks) { console.say(line) }
        if !isConfirmed { try confirm(console) }
        var json = JSONWriter()
        try json.object { json in
            json.member("pipeline", pipeline.name)
            json.key("tasks")
            try json.list { json in
                for task in tasks {
                    let offsets = try reset(task)
                    let text = zip(task.inputs, offsets).map { input, offset in
                        "\(input.topic)[\(input.partition)]@\(offset)"
                    }
                    if !asJSON {
                        console.print(
                            "task \(task.number): a new model begins at "
                                + text.joined(separator: " "))
                    }
                    json.object { json in
                        json.member("task", task.number)
                        json.list("begins_at") { json in for line in text { json.value(line) } }
                    }
                }
            }
        }
        if asJSON { console.print(json.text) }
        return .success
    }

    // MARK: Before

    private func refuseMembers() throws {
        let group = stored.pipeline.groupID
        let members = try stored.admin.members(of: group)
        guard let first = members.first else { return }
        throw CommandFailure(
            "\(stored.pipeline.name) is running: group \(group) has "
                + "\(members.count) member\(members.count == 1 ? "" : "s") (\(first.clientID) at "
                + "\(first.host)); stop its processes, or wait until the session of one that was "
                + "killed has ended")
    }

    /// What will be lost, exactly.
    private func losses(_ tasks: [StoredTask]) -> [String] {
        let name = stored.pipeline.name
        var lines = ["This gives up what \(name) has learned:"]
        for task in tasks {
            var text = "  task \(task.number): "
            if let last = task.last?.entry {
                text += "the model after entry \(last.sequence)"
                let snapshots = [task.live, task.previous].compactMap {
                    $0.map { "\($0.reference.sequence)" }
                }
                if !snapshots.isEmpty {
                    text += ", its snapshots after entry \(snapshots.joined(separator: " and "))"
                }
            } else {
                text += task.problem ?? "nothing that could be read"
            }
            text += ", journal offsets \(StateListing.range(task.journalEnds))"
            if let ends = task.stateEnds { text += ", chunks \(StateListing.range(ends))" }
            lines.append(text)
        }
        lines.append(
            "Kept are the input, predictions, metrics and dead letters, and the offsets: a new "
                + "model begins where this one ends, and every record keeps its one prediction. To "
                + "learn the input from its beginning, give the pipeline a new name instead.")
        return lines
    }

    private func confirm(_ console: Console) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw UsageError(
                command: "state", problem: "reset needs a person's yes",
                remedy: "add --yes where nobody can be asked")
        }
        console.say("Type the pipeline's name to go on:")
        guard readLine() == stored.pipeline.name else {
            throw CommandFailure("nothing was changed")
        }
    }

    // MARK: The reset

    /// Begins the journal of a task anew.
    ///
    /// - Returns: Where each input goes on.
    private func reset(_ task: StoredTask) throws -> [Int64] {
        let pipeline = stored.pipeline
        let output = KafkaTransactionalOutput(
            settings: stored.settings, transactionalID: "\(pipeline.groupID).\(task.number)",
            topics: [.journal: pipeline.output.journalTopic],
            token: GroupToken(groupID: pipeline.groupID), callMilliseconds: 30_000, log: stored.log)
        do throws(OutputFailure) {
            try output.initialize()
        } catch {
            throw failure(task, "cannot take over the task's producer", error)
        }
        // Nobody else can commit from here on: what stands now is what the reset begins at.
        let offsets = try offsetsToGoOn(task)
        let entry = JournalEntry(
            fingerprint: pipeline.fingerprint.value, sequence: 0, generation: -1,
            inputs: task.inputs, nextOffsets: offsets, rounds: [], recordCount: 0,
            predictionCount: 0, predictionHash: ContentHash().value, learnedHash: nil,
            version: UInt32(pipeline.state.version), settings: pipeline.recordedSettings)
        var buffer = OutputBuffer()
        // Without transactions a claim, which outlasts the trim, keeps old owners' entries out.
        let claim = (try? stored.entries(of: task.number) { _ in }) ?? 0
        if claim > 0 {
            let bytes = JournalClaim(number: claim + 1, generation: -1).encoded()
            buffer.append(bytes.span, to: .journal, partition: Int32(task.number))
        }
        let bytes = entry.encoded()
        buffer.append(bytes.span, to: .journal, partition: Int32(task.number))
        // Its memory is lent until the records are committed or the producer is gone.
        defer {
            output.close()
            withExtendedLifetime(buffer) {}
        }
        do throws(OutputFailure) {
            try output.begin()
            try output.send(buffer)
            try output.commit()
        } catch {
            throw failure(task, "cannot write the new beginning", error)
        }
        try trim(task.number, before: entry, records: claim > 0 ? 2 : 1)
        return offsets
    }

    /// Where the task stands, by its journal; by the group's offsets where that cannot be read.
    private func offsetsToGoOn(_ task: StoredTask) throws -> [Int64] {
        let last = try stored.lastEntries(of: [task.number])[task.number]
        let entry = try? last?.get().entry
        let committed = try stored.admin.committedOffsets(
            of: stored.pipeline.groupID, task.inputs)
        var offsets: [Int64] = []
        for (index, input) in task.inputs.enumerated() {
            let known = entry?.inputs.firstIndex(of: input).map { entry?.nextOffsets[$0] ?? -1 }
            if let known, known >= 0 {
                // At least once, outputs of several inputs follow their entry, and offsets those.
                let mayLack = entry?.isClaimed == true && task.inputs.count > 1
                offsets.append(
                    mayLack && committed[index] >= 0 ? min(known, committed[index]) : known)
            } else if committed[index] >= 0 {
                offsets.append(committed[index])
            } else {
                let ends = task.inputEnds[index]
                offsets.append(
                    stored.pipeline.input.start == .latest && entry == nil ? ends.high : ends.low)
            }
        }
        return offsets
    }

    /// Deletes what stands before the new beginning, once that can be read.
    private func trim(_ task: Int, before beginning: JournalEntry, records: Int64) throws {
        let began = monotonicMilliseconds()
        let pause = Wakeup()
        var last = try? stored.lastEntries(of: [task])[task]?.get()
        // The commit is done before its marker stands in the journal.
        while last?.entry != beginning, monotonicMilliseconds() - began < 30_000 {
            pause.wait(milliseconds: 50)
            last = try? stored.lastEntries(of: [task])[task]?.get()
        }
        guard let last, last.entry == beginning else {
            throw CommandFailure(
                "task \(task): the new beginning is written, but cannot be read back yet; what "
                    + "stands before it is kept until the next reset or snapshot")
        }
        try stored.admin.deleteRecords(
            of: stored.journal(task), before: last.offset + 1 - records)
        let chunks = TopicPartition(
            topic: stored.pipeline.output.stateTopic, partition: Int32(task))
        guard let partitions = stored.statePartitions, task < partitions else { return }
        let ends = try stored.admin.watermarks(of: chunks)
        if ends.high > ends.low { try stored.admin.deleteRecords(of: chunks, before: ends.high) }
    }

    private func failure(
        _ task: StoredTask, _ doing: String, _ failure: OutputFailure
    ) -> CommandFailure {
        let reason =
            switch failure {
            case .uncertain(let text), .abortable(let text), .fenced(let text),
                .instanceFenced(let text), .broken(let text), .fatal(let text):
                text
            }
        return CommandFailure(
            "task \(task.number): \(doing): \(reason); run the reset again, it begins anew")
    }
}
