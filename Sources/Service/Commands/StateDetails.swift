import Core
import Engine
import Formats
import KafkaIO
import State

/// `tidewheel state show`: all about a task, with what its model has become.
struct StateDetails {
    private let stored: StoredPipeline

    init(_ stored: StoredPipeline) {
        self.stored = stored
    }

    func run(_ numbers: [Int], asJSON: Bool, _ console: Console) throws -> ExitCode {
        var code = ExitCode.success
        var documents: [String] = []
        for task in try stored.tasks(numbers) {
            let view = RebuildView(console)
            let rebuilt = Result { () throws(CommandFailure) in
                try view.rebuild(StateRebuild(stored, task: task.number, before: .max))
            }
            if case .failure = rebuilt { code = .failure }
            if asJSON {
                documents.append(json(task, rebuilt))
            } else {
                for line in lines(task, rebuilt) { console.print(line) }
            }
        }
        if asJSON {
            let all = documents.joined(separator: ",")
            console.print(
                documents.count == 1 ? all : "[\(all)]")
        }
        return code
    }

    private typealias Rebuilt = Result<StateRebuild.Outcome, CommandFailure>

    private func lines(_ task: StoredTask, _ rebuilt: Rebuilt) -> [String] {
        var page = LabelledLines(title: "\(stored.pipeline.name), task \(task.number)")
        if let last = task.last {
            page.add(
                "entry",
                "\(last.entry.sequence) at journal offset \(last.offset), committed "
                    + "\(TimeText.utc(milliseconds: last.timestamp)) under generation "
                    + "\(last.entry.generation)")
            page.add(
                "version",
                "\(last.entry.version), fingerprint \(StateListing.hex(last.entry.fingerprint)), numerics "
                    + "\(last.entry.numericsVersion)")
        } else {
            page.add("entry", "none: the task has never committed")
        }
        for (index, input) in task.inputs.enumerated() {
            let ends = task.inputEnds[index]
            page.add(
                index == 0 ? "inputs" : "",
                "\(input.topic)[\(input.partition)] next offset "
                    + "\(task.nextOffset(index).map { "\($0)" } ?? "-"), kept "
                    + StateListing.range(ends))
        }
        page.add("lag", "\(NumberText.grouped(Int(task.lag))) records")
        for (name, snapshot) in [("live", task.live), ("previous", task.previous)] {
            guard let snapshot else { continue }
            var text =
                "after entry \(snapshot.reference.sequence), "
                + NumberText.bytes(Int(clamping: snapshot.reference.byteCount))
            if case .success(let index) = snapshot.index {
                text += " in \(index.chunks.count) chunk\(index.chunks.count == 1 ? "" : "s")"
            }
            if let age = snapshot.age { text += ", \(NumberText.grouped(Int(age))) records ago" }
            page.add(name, text)
        }
        page.add("journal", StateListing.range(task.journalEnds))
        page.add("state topic", task.stateEnds.map { StateListing.range($0) } ?? "there is none")
        switch rebuilt {
        case .success(let outcome):
            page.add("restore", Self.restore(outcome))
            for (name, text) in ModelView.rows(outcome.processor.summary()) { page.add(name, text) }
        case .failure(let failure): page.add("model", failure.message)
        }
        for remark in StateListing(stored).remarks(task) { page.add("remark", remark) }
        return page.lines
    }

    /// What restoring the task has just taken: a restart on a machine like this one takes as long.
    private static func restore(_ outcome: StateRebuild.Outcome) -> String {
        let from = outcome.start.loaded.map { "the snapshot after entry \($0.sequence)" }
        let count = outcome.replayedRecords
        return "\(NumberText.fixed(outcome.seconds, decimals: 2)) s here, from "
            + "\(from ?? "the journal's beginning"), with \(NumberText.grouped(count)) replayed "
            + "record\(count == 1 ? "" : "s")"
    }

    private func json(_ task: StoredTask, _ rebuilt: Rebuilt) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("pipeline", stored.pipeline.name)
            StateListing(stored).write(task, to: &json)
            switch rebuilt {
            case .success(let outcome):
                json.object("restore") { json in
                    if let loaded = outcome.start.loaded {
                        json.member("snapshot", loaded.sequence)
                    }
                    json.member("replayed_records", outcome.replayedRecords)
                    json.member("seconds", outcome.seconds)
                }
                json.object("model") { json in
                    ModelView.write(outcome.processor.summary(), to: &json)
                }
            case .failure(let failure): json.member("failure", failure.message)
            }
        }
        return json.text
    }
}

/// A model's summary for people and for scripts.
enum ModelView {
    static func rows(_ summary: ModelSummary) -> [(String, String)] {
        var rows = [("records", NumberText.grouped(summary.counters.records))]
        let faults = summary.counters.faultTotal
        if faults > 0 { rows.append(("bad records", NumberText.grouped(faults))) }
        rows.append(("evaluated", NumberText.grouped(summary.evaluatedRecords)))
        for (name, count) in zip(summary.detectors, summary.counters.drifts) {
            rows.append(("drifts", "\(count) (\(name))"))
        }
        if let models = summary.counters.models {
            rows.append(
                (
                    "models",
                    "\(NumberText.grouped(models.live)) of values, "
                        + "\(NumberText.grouped(models.evicted)) forgotten"
                ))
        }
        let facts = summary.facts.map { "\($0.name) \(NumberText.grouped($0.count))" }
        rows.append(
            ("model", ([summary.model] + facts).joined(separator: ", ")))
        if !summary.classes.isEmpty {
            let shown = summary.classes.prefix(8).joined(separator: ", ")
            let more = summary.classes.count > 8 ? " and \(summary.classes.count - 8) more" : ""
            rows.append(("classes", shown + more))
        }
        rows.append(("memory", NumberText.bytes(summary.stateBytes)))
        return rows
    }

    static func write(_ summary: ModelSummary, to json: inout JSONWriter) {
        json.member("name", summary.model)
        json.member("records", summary.counters.records)
        json.member("bad_records", summary.counters.faultTotal)
        json.member("evaluated", summary.evaluatedRecords)
        json.list("drifts") { json in
            for (name, count) in zip(summary.detectors, summary.counters.drifts) {
                json.object { json in
                    json.member("detector", name)
                    json.member("drifts", count)
                }
            }
        }
        if let models = summary.counters.models {
            json.object("field_models") { json in
                json.member("live", models.live)
                json.member("evicted", models.evicted)
            }
        }
        for fact in summary.facts {
            json.member(fact.name.replacing(" ", with: "_"), fact.count)
        }
        json.list("classes") { json in for name in summary.classes { json.value(name) } }
        json.member("bytes", summary.stateBytes)
    }
}
