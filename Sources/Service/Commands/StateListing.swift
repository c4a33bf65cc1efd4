import Core
import Engine
import Formats
import KafkaIO
import State

/// `tidewheel state list`: a line for each task.
struct StateListing {
    private let stored: StoredPipeline

    init(_ stored: StoredPipeline) {
        self.stored = stored
    }

    func run(_ numbers: [Int], asJSON: Bool, _ console: Console) throws(KafkaError) -> ExitCode {
        let tasks = try stored.tasks(numbers)
        if asJSON {
            console.print(json(tasks))
        } else {
            for line in lines(tasks, console.outputStyle) { console.print(line) }
        }
        return tasks.contains { $0.problem != nil } ? .failure : .success
    }

    // MARK: Text

    private func lines(_ tasks: [StoredTask], _ style: TextStyle) -> [String] {
        let pipeline = stored.pipeline
        let count = stored.layout.taskCount
        var lines = [
            "\(pipeline.name): \(count) task\(count == 1 ? "" : "s"), one model per "
                + "\(pipeline.scope.text), state version \(pipeline.state.version), fingerprint "
                + Self.hex(pipeline.fingerprint.value)
        ]
        var table = TextTable(
            header: [
                "task", "entry", "generation", "committed", "lag", "snapshot", "size", "age",
                "previous", "journal", "state", "inputs",
            ],
            alignments: [
                .right, .right, .right, .left, .right, .right, .right, .right, .right, .right,
                .right, .left,
            ])
        for task in tasks { table.add(cells(task)) }
        lines += table.lines(style: style)
        for task in tasks { lines += remarks(task).map { "task \(task.number): \($0)" } }
        return lines
    }

    private func cells(_ task: StoredTask) -> [String] {
        let state = task.stateEnds.map { Self.range($0) } ?? "no topic"
        guard let last = task.last else {
            return [
                "\(task.number)", "-", "-", "never", NumberText.grouped(Int(task.lag)), "-", "-",
                "-", "-", Self.range(task.journalEnds), state, Self.inputs(task),
            ]
        }
        return [
            "\(task.number)", "\(last.entry.sequence)", "\(last.entry.generation)",
            TimeText.utc(milliseconds: last.timestamp), NumberText.grouped(Int(task.lag)),
            task.live.map { "\($0.reference.sequence)" } ?? "-",
            task.live.map { NumberText.bytes(Int(clamping: $0.reference.byteCount)) } ?? "-",
            task.live.map { $0.age.map { NumberText.grouped(Int($0)) } ?? "?" } ?? "-",
            task.previous.map { "\($0.reference.sequence)" } ?? "-",
            Self.range(task.journalEnds), state, Self.inputs(task),
        ]
    }

    /// What a person should know of a task.
    func remarks(_ task: StoredTask) -> [String] {
        var remarks: [String] = []
        if let problem = task.problem { remarks.append(problem) }
        if let entry = task.last?.entry {
            let state = ChangeReport.Stored(
                version: entry.version, fingerprint: entry.fingerprint,
                numericsVersion: entry.numericsVersion, settings: nil)
            if ChangeReport(stored.pipeline, stored: state).verdict != .keeps {
                remarks.append(
                    "its state (version \(entry.version), fingerprint "
                        + "\(Self.hex(entry.fingerprint))) is not that of this file; `tidewheel "
                        + "check \(stored.pipeline.file) --connect` says what differs")
            }
        }
        for (name, snapshot) in [("live", task.live), ("previous", task.previous)] {
            guard let snapshot, case .failure(let problem) = snapshot.index else { continue }
            remarks.append(
                "the \(name) snapshot, after entry \(snapshot.reference.sequence), cannot be "
                    + "used: \(problem.message)")
        }
        return remarks
    }

    static func hex(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The offsets that are kept: `120–512`.
    static func range(_ ends: (low: Int64, high: Int64)) -> String {
        ends.low == ends.high ? "empty at \(ends.low)" : "\(ends.low)–\(ends.high - 1)"
    }

    /// Where a task stands in its inputs; of many the first four.
    static func inputs(_ task: StoredTask) -> String {
        let shown = task.inputs.prefix(4).enumerated().map { index, input in
            "\(input.topic)[\(input.partition)]@\(task.nextOffset(index).map { "\($0)" } ?? "-")"
        }
        let more = task.inputs.count > 4 ? " and \(task.inputs.count - 4) more" : ""
        return shown.joined(separator: " ") + more
    }

    // MARK: JSON

    private func json(_ tasks: [StoredTask]) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("pipeline", stored.pipeline.name)
            json.member("version", stored.pipeline.state.version)
            json.member("fingerprint", Self.hex(stored.pipeline.fingerprint.value))
            json.member("numerics_version", numericsVersion)
            json.list("tasks") { json in
                for task in tasks { json.object { json in write(task, to: &json) } }
            }
        }
        return json.text
    }

    func write(_ task: StoredTask, to json: inout JSONWriter) {
        json.member("task", task.number)
        if let last = task.last {
            json.member("sequence", last.entry.sequence)
            json.member("generation", last.entry.generation)
            json.member("version", last.entry.version)
            json.member("fingerprint", Self.hex(last.entry.fingerprint))
            json.member("numerics_version", last.entry.numericsVersion)
            json.member("journal_offset", last.offset)
            json.member("committed", TimeText.utc(milliseconds: last.timestamp))
        }
        json.list("inputs") { json in
            for (index, input) in task.inputs.enumerated() {
                json.object { json in
                    json.member("topic", input.topic)
                    json.member("partition", input.partition)
                    if let next = task.nextOffset(index) { json.member("next_offset", next) }
                    json.member("first_offset", task.inputEnds[index].low)
                    json.member("end_offset", task.inputEnds[index].high)
                }
            }
        }
        json.member("lag", task.lag)
        write(task.live, "live", to: &json)
        write(task.previous, "previous", to: &json)
        write(task.journalEnds, "journal", to: &json)
        if let ends = task.stateEnds { write(ends, "state", to: &json) }
        json.list("remarks") { json in for remark in remarks(task) { json.value(remark) } }
    }

    private func write(
        _ snapshot: StoredTask.Snapshot?, _ name: String, to json: inout JSONWriter
    ) {
        guard let snapshot else { return }
        json.object(name) { json in
            json.member("sequence", snapshot.reference.sequence)
            json.member("bytes", snapshot.reference.byteCount)
            if let age = snapshot.age { json.member("age_records", age) }
            if case .success(let index) = snapshot.index {
                json.member("chunks", index.chunks.count)
            }
            json.member("index_offset", snapshot.reference.indexOffset)
        }
    }

    private func write(
        _ ends: (low: Int64, high: Int64), _ name: String, to json: inout JSONWriter
    ) {
        json.object(name) { json in
            json.member("first_offset", ends.low)
            json.member("end_offset", ends.high)
        }
    }
}
