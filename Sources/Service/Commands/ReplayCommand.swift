import Core
import Engine
import Formats
import KafkaIO
import State

/// `tidewheel replay`: the model of an earlier moment, computed again and proved.
package enum ReplayCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "replay", summary: "Compute the model of an earlier moment again, and prove it",
        details: [
            "A model is a function of the log, so every moment whose journal, snapshot and input "
                + "are still kept can be had again: a snapshot from before it is loaded, the "
                + "journal's entries after it are replayed from the input, and the predictions of "
                + "each entry must have the hash that was committed. Nothing is written to Kafka, "
                + "and no running process is disturbed.",
            "A moment is a commit. An offset means the commit that took that record: "
                + "TOPIC:PARTITION:OFFSET, PARTITION:OFFSET, or OFFSET alone where the input has "
                + "one partition. A time (RFC 3339, the form of ISO 8601 with a zone) means the "
                + "last commit up to it, by the journal's timestamps.",
        ],
        arguments: [ArgumentDeclaration("FILE", .one, "the pipeline file")],
        options: [
            OptionDeclaration(
                "until", .text("OFFSET|TIME"), isRequired: true, "the moment that is wanted"),
            OptionDeclaration(
                "task", .integer("N", 0...1_000_000),
                "only this task; an offset tells the task by itself"),
            OptionDeclaration(
                "state", .text("FILE"),
                "write the state as a snapshot holds it, to be compared byte by byte"),
            OptionDeclaration(flag: "json", "print the result as JSON"),
        ],
        examples: [
            CommandExample(
                "tidewheel replay configs/electricity.yaml --until electricity:0:1500",
                "the model after the commit that took the record at offset 1500"),
            CommandExample(
                "tidewheel replay configs/electricity.yaml --until 2026-01-31T12:00:00Z --task 0",
                "the model as it was at noon"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let pipeline = try PipelineLoading.load(
            arguments.one("FILE") ?? "", for: .kafka, console: console)
        do {
            let stored = try StoredPipeline(pipeline, log: KafkaConnection.log(console))
            let target = try ReplayTarget(
                arguments.text("until") ?? "", layout: stored.layout)
            let tasks = try tasks(arguments, target, of: stored)
            let file = arguments.text("state")
            if file != nil, tasks.count > 1 {
                throw UsageError(
                    command: "replay", problem: "--state takes the state of one task",
                    remedy: "name it with --task, 0 to \(stored.layout.taskCount - 1)")
            }
            var documents: [String] = []
            for task in tasks {
                let moment = try stored.moment(target, task: task)
                let replay = try Replay(moment, of: stored, console: console)
                if let file { try write(replay.bytes, to: file) }
                if arguments.flag("json") {
                    documents.append(replay.json)
                } else {
                    for line in replay.lines { console.print(line) }
                }
            }
            if arguments.flag("json") {
                console.print(
                    tasks.count == 1 ? documents[0] : "[\(documents.joined(separator: ","))]")
            }
            return .success
        } catch let error as KafkaError {
            throw CommandFailure("tidewheel replay: \(error)")
        } catch let error as TaskFailure {
            throw CommandFailure("tidewheel replay: \(error.message)")
        }
    }

    private static func tasks(
        _ arguments: ParsedArguments, _ target: ReplayTarget, of stored: StoredPipeline
    ) throws(UsageError) -> [Int] {
        let chosen = try StateCommand.chosenTasks(arguments, of: stored)
        guard case .record(let partition, _) = target else { return chosen }
        let task = Int(partition.partition) % stored.layout.taskCount
        guard chosen.contains(task) else {
            throw UsageError(
                command: "replay",
                problem: "partition \(partition.partition) belongs to task \(task)",
                remedy: "leave out --task, or write --task \(task)")
        }
        return [task]
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        do throws(FileError) {
            try FileDescriptor(creating: path).write(bytes.span)
        } catch {
            throw CommandFailure("cannot write the state: \(error)")
        }
    }
}

/// A moment of a task that was computed again.
private struct Replay {
    let stored: StoredPipeline
    let moment: ReplayMoment
    let outcome: StateRebuild.Outcome
    /// Header and state, as a snapshot holds them.
    let bytes: [UInt8]

    init(
        _ moment: ReplayMoment, of stored: StoredPipeline, console: Console
    ) throws(CommandFailure) {
        self.stored = stored
        self.moment = moment
        outcome = try RebuildView(console).rebuild(
            StateRebuild(
                stored, task: moment.task, before: moment.offset + 1,
                references: moment.references))
        if let (input, offset) = moment.mustTake, outcome.start.offsets[input] > offset {
            throw CommandFailure(
                "offset \(offset) was taken by a commit that is no longer kept; the earliest kept "
                    + "one, entry \(moment.sequence), goes on at \(outcome.start.offsets[input])")
        }
        bytes = outcome.encoded(task: moment.task)
    }

    private var provedEntries: UInt64 {
        let first = outcome.start.nextSequence
        return moment.sequence >= first ? moment.sequence - first + 1 : 0
    }

    var lines: [String] {
        var page = LabelledLines(
            title: "\(stored.pipeline.name), task \(moment.task): the model after entry "
                + "\(moment.sequence), committed \(TimeText.utc(milliseconds: moment.timestamp))")
        page.add(
            "from",
            outcome.start.loaded.map { "the snapshot after entry \($0.sequence)" }
                ?? "the journal's beginning")
        for note in outcome.start.notes { page.add("note", note) }
        page.add(
            "replayed",
            "\(NumberText.grouped(outcome.replayedRecords)) records in "
                + "\(NumberText.fixed(outcome.seconds, decimals: 1)) s")
        page.add(
            "proved",
            "\(provedEntries) entr\(provedEntries == 1 ? "y has" : "ies have") the predictions "
                + "that were committed")
        for (index, input) in stored.layout.inputs(ofTask: moment.task).enumerated() {
            page.add(
                index == 0 ? "inputs" : "",
                "\(input.topic)[\(input.partition)] next offset \(outcome.nextOffsets[index])")
        }
        for (name, text) in ModelView.rows(outcome.processor.summary()) { page.add(name, text) }
        page.add(
            "state",
            "\(NumberText.bytes(bytes.count)), hash \(StateListing.hex(contentHash(of: bytes)))")
        return page.lines
    }

    var json: String {
        var json = JSONWriter()
        json.object { json in
            json.member("pipeline", stored.pipeline.name)
            json.member("task", moment.task)
            json.member("sequence", moment.sequence)
            json.member("committed", TimeText.utc(milliseconds: moment.timestamp))
            if let loaded = outcome.start.loaded {
                json.member("from_sequence", loaded.sequence)
            }
            json.member("replayed_records", outcome.replayedRecords)
            json.member("proved_entries", provedEntries)
            json.list("notes") { json in
                for note in outcome.start.notes { json.value(note) }
            }
            json.list("inputs") { json in
                for (index, input) in stored.layout.inputs(ofTask: moment.task).enumerated() {
                    json.object { json in
                        json.member("topic", input.topic)
                        json.member("partition", input.partition)
                        json.member("next_offset", outcome.nextOffsets[index])
                    }
                }
            }
            json.object("model") { json in
                ModelView.write(outcome.processor.summary(), to: &json)
            }
            json.member("state_bytes", bytes.count)
            json.member("state_hash", StateListing.hex(contentHash(of: bytes)))
        }
        return json.text
    }
}
