import Core
import Engine
import Formats
import KafkaIO
import State

/// `tidewheel state verify`: proves that a restore of each task gives its model bit for bit.
///
/// From the older snapshot, or the journal's beginning, everything up to the newer snapshot is
/// replayed, and the state must have the newer one's hash. Then the newer one is loaded and the
/// rest is replayed. Each entry's predictions must have the hash that was committed.
struct StateVerification {
    /// How it stands about a task.
    enum Verdict: String, Sendable {
        case good = "ok"
        /// A restore works, but something that it might need is not as it should be.
        case weakened
        case broken
    }

    /// What was found of one task.
    struct Finding {
        let task: Int
        var verdict = Verdict.good
        /// What was proved, then what is wrong and what to do about it.
        var lines: [String] = []
        var replayedRecords = 0

        mutating func fail(_ verdict: Verdict, _ line: String) {
            if self.verdict != .broken { self.verdict = verdict }
            lines.append(line)
        }
    }

    private let stored: StoredPipeline

    init(_ stored: StoredPipeline) {
        self.stored = stored
    }

    func run(_ numbers: [Int], asJSON: Bool, _ console: Console) throws -> ExitCode {
        var findings: [Finding] = []
        for number in numbers {
            let finding = try verify(number, console)
            findings.append(finding)
            if !asJSON { show(finding, console) }
        }
        if asJSON { console.print(json(findings)) }
        return findings.allSatisfy { $0.verdict == .good } ? .success : .failure
    }

    // MARK: Proving

    /// Verifies a task, again if what was to be read was trimmed meanwhile by a running process.
    private func verify(_ number: Int, _ console: Console) throws -> Finding {
        var attempt = 1
        while true {
            let before = try stored.tasks([number])[0]
            let finding = try verify(before, RebuildView(console))
            guard finding.verdict != .good, attempt < 3 else { return finding }
            let after = try stored.tasks([number])[0]
            if after.live?.reference == before.live?.reference { return finding }
            attempt += 1
        }
    }

    private func verify(_ task: StoredTask, _ view: RebuildView) throws -> Finding {
        var finding = Finding(task: task.number)
        if let problem = task.problem {
            finding.fail(.broken, problem)
            return finding
        }
        guard let last = task.last else {
            if task.journalEnds.low > 0 {
                finding.fail(
                    .broken,
                    TaskFailure.journalTruncated(start: task.journalEnds.low).message)
            } else {
                finding.lines.append("nothing is committed yet")
            }
            return finding
        }
        if let live = task.live { try proveLive(live, of: task, &finding, view) }
        proveEnd(last, of: task, &finding, view)
        return finding
    }

    /// Replays up to the live snapshot from what came before it, and compares the two states.
    private func proveLive(
        _ live: StoredTask.Snapshot, of task: StoredTask, _ finding: inout Finding,
        _ view: RebuildView
    ) throws {
        let sequence = live.reference.sequence
        guard case .success(let index) = live.index else { return }
        var end: Int64?
        var isFromBeginning = false
        try stored.entries(of: task.number) { entry in
            if entry.entry.sequence == 0 { isFromBeginning = true }
            if entry.entry.sequence == sequence { end = entry.offset + 1 }
        }
        guard let end, task.previous != nil || isFromBeginning else {
            finding.lines.append(
                "the snapshot after entry \(sequence) has no older one to be compared with")
            return
        }
        do throws(CommandFailure) {
            let outcome = try view.rebuild(
                StateRebuild(
                    stored, task: task.number, before: end,
                    references: task.previous.map { [$0.reference] } ?? []))
            finding.replayedRecords += outcome.replayedRecords
            for note in outcome.start.notes {
                finding.fail(
                    .weakened,
                    "\(note); nothing is lost as long as the live snapshot holds, and the next "
                        + "snapshot replaces it")
            }
            let bytes = outcome.encoded(task: task.number)
            guard contentHash(of: bytes) == index.stateHash else {
                finding.fail(
                    .broken,
                    "the snapshot after entry \(sequence) is not what the journal leads to: the "
                        + "input was changed, or the program computes differently; compare with "
                        + "the program version that wrote it, and keep input and state topic as "
                        + "they are")
                return
            }
            let origin =
                outcome.start.loaded.map { "the one after entry \($0.sequence)" }
                ?? "the journal's beginning"
            finding.lines.append(
                "the snapshot after entry \(sequence) (\(NumberText.bytes(bytes.count))) is bit "
                    + "for bit what \(origin) and "
                    + "\(NumberText.grouped(outcome.replayedRecords)) records lead to")
        } catch {
            finding.fail(
                .weakened,
                "the way to the snapshot after entry \(sequence) cannot be replayed: "
                    + "\(error.message). A restore does not need it as long as the live snapshot "
                    + "holds, and the next snapshot replaces it")
        }
    }

    /// Restores the task's present state.
    private func proveEnd(
        _ last: StoredPipeline.Entry, of task: StoredTask, _ finding: inout Finding,
        _ view: RebuildView
    ) {
        do throws(CommandFailure) {
            let outcome = try view.rebuild(
                StateRebuild(stored, task: task.number, before: last.offset + 1))
            finding.replayedRecords += outcome.replayedRecords
            for note in outcome.start.notes {
                finding.fail(
                    .weakened, "\(note); a restore takes longer, and the next snapshot replaces it")
            }
            let origin =
                outcome.start.loaded.map { "the snapshot after entry \($0.sequence)" }
                ?? "the journal's beginning"
            finding.lines.append(
                "\(origin) and \(NumberText.grouped(outcome.replayedRecords)) replayed records "
                    + "give the predictions that were committed, up to entry "
                    + "\(last.entry.sequence)")
        } catch {
            finding.fail(.broken, error.message)
        }
    }

    // MARK: Telling

    private func show(_ finding: Finding, _ console: Console) {
        let style = console.outputStyle
        let color: TextStyle.Color =
            switch finding.verdict {
            case .good: .green
            case .weakened: .yellow
            case .broken: .red
            }
        console.print("task \(finding.task): \(style.color(finding.verdict.rawValue, color))")
        for line in finding.lines { console.print("  \(line)") }
    }

    private func json(_ findings: [Finding]) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("pipeline", stored.pipeline.name)
            json.member("ok", findings.allSatisfy { $0.verdict == .good })
            json.list("tasks") { json in
                for finding in findings {
                    json.object { json in
                        json.member("task", finding.task)
                        json.member("verdict", finding.verdict.rawValue)
                        json.member("replayed_records", finding.replayedRecords)
                        json.list("findings") { json in
                            for line in finding.lines { json.value(line) }
                        }
                    }
                }
            }
        }
        return json.text
    }
}
