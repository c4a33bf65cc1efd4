import Core
import Engine
import KafkaIO
import State

/// Compares a pipeline file with the state that is stored under its name: what starting it would do.
struct StateCheck {
    /// What was found.
    struct Outcome {
        var findings: [ConnectionCheck.Finding] = []
        /// `nil` if nothing is stored, or it cannot be read.
        var report: ChangeReport?
    }

    private let pipeline: Pipeline
    private let log: KafkaLog

    init(_ pipeline: Pipeline, log: KafkaLog) {
        self.pipeline = pipeline
        self.log = log
    }

    func run() -> Outcome {
        var outcome = Outcome()
        do {
            if try hasJournal(&outcome) { try compare(&outcome) }
        } catch let error as TaskFailure {
            outcome.findings.append(.init(severity: .problem, message: error.message))
        } catch {
            outcome.findings.append(.init(severity: .problem, message: "\(error)"))
        }
        return outcome
    }

    /// Whether there is a journal; that there was one shows in what it leaves.
    private func hasJournal(_ outcome: inout Outcome) throws(KafkaError) -> Bool {
        let admin = try KafkaAdmin(
            settings: pipeline.kafkaSettings, groupID: pipeline.groupID, log: log)
        defer { admin.close() }
        if try admin.partitionCount(of: pipeline.output.journalTopic) != nil { return true }
        guard let topic = pipeline.input.topic,
            let partitions = try admin.partitionCount(of: topic)
        else { return false }
        let layout = TopicLayout(
            inputTopic: topic, inputPartitions: partitions,
            taskCount: pipeline.scope.taskCount(inputPartitions: partitions, existing: nil))
        outcome.findings.append(try beginning(layout, admin, journalIs: "does not exist"))
        return false
    }

    /// What is said where no task has a journal entry: there may have been one.
    private func beginning(
        _ layout: TopicLayout, _ admin: KafkaAdmin, journalIs words: String
    ) throws(KafkaError) -> ConnectionCheck.Finding {
        let outputs = OutputsEnd(pipeline: pipeline, admin: admin, log: log)
        for task in 0..<layout.taskCount {
            let inputs = layout.inputs(ofTask: task)
            let committed = try admin.committedOffsets(of: pipeline.groupID, inputs)
            let left: String?
            if let input = inputs.indices.first(where: { committed[$0] > 0 }) {
                left =
                    "group \(pipeline.groupID) has committed offset \(committed[input]) of "
                    + "\(layout.inputTopic)[\(inputs[input].partition)]"
            } else {
                left = try outputs.remains(ofTask: task, inputs: inputs)
            }
            guard let left else { continue }
            return .init(
                severity: .problem,
                message: "the journal \(pipeline.output.journalTopic) \(words), but \(left): the "
                    + "topic was deleted, or output.journal was changed; restore the topic, or "
                    + "change the name back")
        }
        return .init(severity: .note, message: "no state is stored: a new model begins")
    }

    private func compare(_ outcome: inout Outcome) throws {
        let stored = try StoredPipeline(pipeline, log: log)
        let tasks = try stored.tasks(Array(0..<stored.layout.taskCount))
        for task in tasks {
            if let problem = task.problem {
                outcome.findings.append(
                    .init(severity: .problem, message: "task \(task.number): \(problem)"))
            }
        }
        let begun = tasks.filter { $0.last != nil }
        guard let first = begun.first, let state = try stored.recorded(first) else {
            if outcome.findings.isEmpty {
                outcome.findings.append(
                    try beginning(stored.layout, stored.admin, journalIs: "is empty"))
            }
            return
        }
        let report = ChangeReport(pipeline, stored: state)
        outcome.report = report
        for change in report.changes {
            outcome.findings.append(
                .init(severity: .note, message: "\(change.text) (\(change.consequence))"))
        }
        let lost = report.verdict == .keeps ? try unrestorable(begun, stored) : []
        outcome.findings += lost.isEmpty ? [conclusion(report)] : lost
        // Tasks that are not as the first one are told of themselves.
        for task in begun.dropFirst() {
            guard let entry = task.last?.entry,
                entry.version != state.version || entry.fingerprint != state.fingerprint
            else { continue }
            let other = ChangeReport.Stored(
                version: entry.version, fingerprint: entry.fingerprint,
                numericsVersion: entry.numericsVersion, settings: nil)
            if case .refused(let why) = ChangeReport(pipeline, stored: other).verdict {
                outcome.findings.append(
                    .init(severity: .problem, message: "task \(task.number): \(why)"))
            }
        }
    }

    /// What stands against a restore of tasks whose state the file keeps.
    private func unrestorable(
        _ tasks: [StoredTask], _ stored: StoredPipeline
    ) throws -> [ConnectionCheck.Finding] {
        try tasks.compactMap { task in
            try stored.restoreProblem(task).map {
                .init(severity: .problem, message: "task \(task.number): \($0.message)")
            }
        }
    }

    private func conclusion(_ report: ChangeReport) -> ConnectionCheck.Finding {
        switch report.verdict {
        case .keeps:
            .init(
                severity: .good,
                message: "the stored state (version \(report.stored.version)) is kept")
        case .begins:
            .init(
                severity: .note,
                message: "version \(pipeline.state.version) of the state begins, with a new model, "
                    + "where version \(report.stored.version) ends; each record keeps its one "
                    + "prediction")
        case .refused(let why): .init(severity: .problem, message: why)
        }
    }
}

extension StoredPipeline {
    /// What is recorded of the file under which a task's state stands; `nil` if there is none.
    func recorded(_ task: StoredTask) throws -> ChangeReport.Stored? {
        guard let last = task.last?.entry else { return nil }
        let snapshot = task.live?.reference.sequence
        var told: (settings: [TextPair], sequence: UInt64)?
        try entries(of: task.number) { found in
            if found.entry.sequence == 0 { told = nil }
            if let settings = found.entry.settings { told = (settings, found.entry.sequence) }
        }
        var settings = told?.settings
        if case .success(let index)? = task.live?.index, !index.settings.isEmpty,
            (told?.sequence ?? 0) <= (snapshot ?? 0)
        {
            settings = index.settings
        }
        return ChangeReport.Stored(
            version: last.version, fingerprint: last.fingerprint,
            numericsVersion: last.numericsVersion, settings: settings)
    }
}
