import Core
import Engine
import KafkaIO
import State

/// Asks the brokers whether a pipeline could run, without writing anything.
struct ConnectionCheck {
    enum Severity: String, Sendable {
        case good
        /// Worth knowing; the pipeline runs.
        case note
        /// The pipeline would not run.
        case problem
    }

    struct Finding: Sendable, Equatable {
        let severity: Severity
        let message: String

        func line(style: TextStyle) -> String {
            switch severity {
            case .good: "  \(style.color("ok", .green))         \(message)"
            case .note: "  \(style.color("note", .yellow))       \(message)"
            case .problem: "  \(style.color("problem", .red))    \(message)"
            }
        }
    }

    private let pipeline: Pipeline
    private let log: KafkaLog

    init(_ pipeline: Pipeline, log: KafkaLog) {
        self.pipeline = pipeline
        self.log = log
    }

    /// What was found, in the order of asking; ends with the first problem that hides the rest.
    func findings() -> [Finding] {
        var findings: [Finding] = []
        do throws(KafkaError) {
            let settings = pipeline.kafkaSettings
            let admin = try KafkaAdmin(
                settings: settings, groupID: pipeline.groupID, log: log)
            defer { admin.close() }
            try admin.connect()
            findings.append(
                Finding(
                    severity: .good, message: "brokers answer at \(settings.bootstrapServers)"))
            let partitions = checkInput(admin, settings, &findings)
            checkOutputs(admin, partitions, &findings)
            checkJournal(admin, partitions, &findings)
            checkState(admin, partitions, &findings)
            check(&findings) { () throws(KafkaError) in
                _ = try admin.committedOffsets(
                    of: pipeline.groupID, inputs(partitions ?? 1))
                return Finding(severity: .good, message: "group \(pipeline.groupID) may be read")
            }
        } catch {
            findings.append(Finding(severity: .problem, message: "\(error)"))
        }
        return findings
    }

    private func inputs(_ count: Int) -> [TopicPartition] {
        (0..<Int32(count)).map {
            TopicPartition(topic: pipeline.input.topic ?? "", partition: $0)
        }
    }

    private func check(
        _ findings: inout [Finding], _ body: () throws(KafkaError) -> Finding
    ) {
        do throws(KafkaError) {
            findings.append(try body())
        } catch {
            findings.append(Finding(severity: .problem, message: "\(error)"))
        }
    }

    /// The partitions of the input, if it is there.
    private func checkInput(
        _ admin: KafkaAdmin, _ settings: KafkaSettings, _ findings: inout [Finding]
    ) -> Int? {
        guard let topic = pipeline.input.topic else { return nil }
        var partitions: Int?
        check(&findings) { () throws(KafkaError) in
            guard let count = try admin.partitionCount(of: topic, for: .read) else {
                return Finding(
                    severity: .problem,
                    message: "input \(topic) does not exist; create it, or let its producer do so")
            }
            partitions = count
            // The first fetch tells whether reading is allowed.
            let tail = try KafkaTail(settings: settings, topic: topic, log: log)
            defer { tail.close() }
            _ = try tail.readToEnd(milliseconds: 5000) { _ in }
            return Finding(
                severity: .good, message: "input \(topic) may be read (\(Self.text(count)))")
        }
        if partitions != nil { checkCompaction(of: topic, admin, &findings) }
        return partitions
    }

    /// Tells of an input that may lose what a restart reads again.
    private func checkCompaction(
        of topic: String, _ admin: KafkaAdmin, _ findings: inout [Finding]
    ) {
        do throws(KafkaError) {
            guard try admin.isCompacted(topic) else { return }
            findings.append(
                Finding(severity: .note, message: PipelineTopics.compactionWarning(topic)))
        } catch {
            // The pipeline runs without knowing.
            findings.append(
                Finding(
                    severity: .note,
                    message: "whether input \(topic) is compacted is not known: \(error)"))
        }
    }

    private func checkOutputs(
        _ admin: KafkaAdmin, _ partitions: Int?, _ findings: inout [Finding]
    ) {
        let output = pipeline.output
        let tasks = taskCount(admin, partitions)
        let topics = [
            (output.predictionsTopic, partitions), (output.deadLettersTopic, partitions),
            (output.metricsTopic, tasks),
        ]
        for (topic, needed) in topics {
            check(&findings) { () throws(KafkaError) in
                let count = try admin.partitionCount(of: topic, for: .write)
                return try presence(
                    of: topic, count: count, needed: needed, properties: [], admin)
            }
        }
    }

    /// Asks the brokers whether they would create or grow a topic that needs it.
    private func presence(
        of topic: String, count: Int?, needed: Int?, properties: [TextPair], _ admin: KafkaAdmin
    ) throws(KafkaError) -> Finding {
        let mayCreate = pipeline.output.createsTopics
        guard let count else {
            guard mayCreate else {
                return Finding(
                    severity: .problem,
                    message: "topic \(topic) does not exist, and output.create_topics is false; "
                        + "create it" + (needed.map { " with \(Self.text($0))" } ?? ""))
            }
            let wanted = TopicSpecification(
                name: topic, partitionCount: needed ?? 1,
                replicationFactor: pipeline.output.replication ?? -1, properties: properties)
            try admin.create(wanted, isTrial: true)
            return Finding(severity: .note, message: "topic \(topic) will be created")
        }
        guard let needed, count < needed else {
            return Finding(
                severity: .good, message: "topic \(topic) is there (\(Self.text(count)))")
        }
        guard mayCreate else {
            return Finding(
                severity: .problem,
                message: "topic \(topic) has \(Self.text(count)), but \(needed) are needed; add "
                    + "them, or set output.create_topics: true")
        }
        try admin.grow(topic, to: needed, isTrial: true)
        return Finding(
            severity: .note,
            message: "topic \(topic) has \(Self.text(count)) and will get \(needed)")
    }

    private func checkJournal(
        _ admin: KafkaAdmin, _ partitions: Int?, _ findings: inout [Finding]
    ) {
        let topic = pipeline.output.journalTopic
        let tasks = taskCount(admin, partitions)
        check(&findings) { () throws(KafkaError) in
            guard let count = try admin.partitionCount(of: topic, for: .write) else {
                return try presence(
                    of: topic, count: nil, needed: tasks,
                    properties: TopicSpecification.journalProperties, admin)
            }
            // The first fetch tells whether reading is allowed.
            let tail = try KafkaTail(settings: pipeline.kafkaSettings, topic: topic, log: log)
            defer { tail.close() }
            _ = try tail.readToEnd(milliseconds: 5000) { _ in }
            if let tasks, count != tasks {
                return Finding(
                    severity: .problem,
                    message: "journal \(topic) has \(Self.text(count)), but one_model_per: "
                        + "\(pipeline.scope.text) needs \(tasks); "
                        + pipeline.scope.remedy(
                            inputPartitions: partitions ?? tasks, existing: count))
            }
            if let problem = try admin.journalProblem(of: topic) { throw problem }
            return Finding(
                severity: .good,
                message: "journal \(topic) is kept for ever (\(Self.text(count)))")
        }
    }

    private func checkState(
        _ admin: KafkaAdmin, _ partitions: Int?, _ findings: inout [Finding]
    ) {
        let topic = pipeline.output.stateTopic
        let tasks = taskCount(admin, partitions)
        check(&findings) { () throws(KafkaError) in
            let count = try admin.partitionCount(of: topic, for: .write)
            if count != nil, let problem = try admin.journalProblem(of: topic, losing: "snapshots")
            {
                throw problem
            }
            return try presence(
                of: topic, count: count, needed: tasks,
                properties: TopicSpecification.stateProperties, admin)
        }
    }

    /// The tasks that the pipeline has or will have; `nil` where the input's partitions are unknown.
    private func taskCount(_ admin: KafkaAdmin, _ partitions: Int?) -> Int? {
        guard let partitions else { return nil }
        // Brokers that cannot be asked are told of where the journal is checked.
        let existing = try? admin.partitionCount(of: pipeline.output.journalTopic)
        return pipeline.scope.taskCount(inputPartitions: partitions, existing: existing ?? nil)
    }

    private static func text(_ partitions: Int) -> String {
        "\(partitions) partition\(partitions == 1 ? "" : "s")"
    }
}
