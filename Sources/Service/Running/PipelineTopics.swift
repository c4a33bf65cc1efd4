import CPlatform
import Core
import Engine
import KafkaIO
import State

/// What a pipeline's topics look like, and so how many tasks there are.
struct TopicLayout: Sendable, Equatable {
    let inputTopic: String
    let inputPartitions: Int
    let taskCount: Int

    /// The input partitions of a task: partition *p* belongs to task *p* mod *tasks*.
    func inputs(ofTask task: Int) -> [TopicPartition] {
        stride(from: task, to: inputPartitions, by: taskCount).map {
            TopicPartition(topic: inputTopic, partition: Int32($0))
        }
    }
}

/// Finds or creates the topics of a pipeline and checks that they fit each other.
struct PipelineTopics: Sendable {
    private let pipeline: Pipeline
    private let admin: KafkaAdmin
    private let isEmbedded: Bool
    private let log: ProcessLog

    init(_ pipeline: Pipeline, admin: KafkaAdmin, isEmbedded: Bool, log: ProcessLog) {
        self.pipeline = pipeline
        self.admin = admin
        self.isEmbedded = isEmbedded
        self.log = log
    }

    /// Waits for the broker and the input topic, then makes the rest; `nil` when asked to stop.
    func prepare(isStopping: () -> Bool) throws(KafkaError) -> TopicLayout? {
        guard let topic = pipeline.input.topic else {
            throw KafkaError(
                kind: .configuration, problem: "\(pipeline.file): input.topic is missing",
                remedy: "name the topic to read")
        }
        var hasSaid = false
        let pause = Wakeup()
        while let partitions = try waitForInput(topic, isStopping: isStopping) {
            do throws(KafkaError) {
                return try prepare(besides: topic, partitions)
            } catch {
                // The broker that knows the input is one of several: another may be away.
                guard error.kind == .unreachable else { throw error }
                if !hasSaid { log.say(.warning, "not started yet: \(error); trying again") }
                hasSaid = true
            }
            pause.wait(milliseconds: 500)
        }
        return nil
    }

    /// Finds or makes the topics that belong to this input.
    private func prepare(besides topic: String, _ partitions: Int) throws(KafkaError) -> TopicLayout
    {
        let output = pipeline.output
        let replication = output.replication ?? -1
        let existing = try admin.partitionCount(of: output.journalTopic, for: .write)
        let wantedTasks = pipeline.scope.taskCount(
            inputPartitions: partitions, existing: existing)
        let tasks = try ensure(
            TopicSpecification(
                name: output.journalTopic, partitionCount: wantedTasks,
                replicationFactor: replication,
                properties: TopicSpecification.journalProperties), grows: false)
        guard tasks == wantedTasks else {
            throw KafkaError(
                kind: .refused,
                problem: "the journal \(output.journalTopic) has \(tasks) partitions, but "
                    + "one_model_per: \(pipeline.scope.text) over \(partitions) input "
                    + "partitions needs \(wantedTasks): the number of models is fixed when a "
                    + "pipeline first runs",
                remedy: pipeline.scope.remedy(inputPartitions: partitions, existing: tasks))
        }
        // The embedded cluster lives as long as the process, and has no properties to ask for.
        if !isEmbedded, let problem = try admin.journalProblem(of: output.journalTopic) {
            throw problem
        }
        try ensureState(tasks: tasks)
        if !isEmbedded,
            let problem = try admin.journalProblem(of: output.stateTopic, losing: "snapshots")
        {
            throw problem
        }
        try growOutputs(to: partitions)
        _ = try ensure(
            TopicSpecification(
                name: output.metricsTopic, partitionCount: tasks, replicationFactor: replication,
                properties: []), grows: true, atLeast: tasks)
        try warnOfCompaction(topic)
        return TopicLayout(inputTopic: topic, inputPartitions: partitions, taskCount: tasks)
    }

    /// Says if the input may lose what a restart reads again; it may also never come to that.
    private func warnOfCompaction(_ topic: String) throws(KafkaError) {
        guard !isEmbedded else { return }
        do throws(KafkaError) {
            guard try admin.isCompacted(topic) else { return }
            log.say(.warning, Self.compactionWarning(topic))
        } catch {
            // The right to ask is not among those that a pipeline needs.
            guard error.kind != .unreachable else { throw error }
        }
    }

    /// What may happen to a pipeline with a compacted input, and what to do.
    static func compactionWarning(_ topic: String) -> String {
        "input \(topic) is compacted: a restart reads the records after the last snapshot again, and "
            + "stops if some of them are gone by then; set cleanup.policy=delete on it with "
            + "kafka-configs, or a min.compaction.lag.ms that is longer than the time from one "
            + "snapshot to the next and the longest stop"
    }

    /// Whether the tasks can take in partitions that are added to the input: how many there are is
    /// fixed.
    func canGrow(_ layout: TopicLayout, to count: Int) -> Bool {
        pipeline.scope.taskCount(inputPartitions: count, existing: layout.taskCount)
            == layout.taskCount
    }

    /// What to do about partitions that cannot be taken in.
    func remedy(_ layout: TopicLayout, for count: Int) -> String {
        pipeline.scope.remedy(inputPartitions: count, existing: layout.taskCount)
    }

    /// Makes sure that there is a topic for the snapshots of this many tasks.
    func ensureState(tasks: Int) throws(KafkaError) {
        let output = pipeline.output
        _ = try ensure(
            TopicSpecification(
                name: output.stateTopic, partitionCount: tasks,
                replicationFactor: output.replication ?? -1,
                properties: TopicSpecification.stateProperties), grows: true, atLeast: tasks)
    }

    /// Makes sure that the outputs that mirror the input's partitions have at least this many.
    func growOutputs(to partitions: Int) throws(KafkaError) {
        let output = pipeline.output
        for name in [output.predictionsTopic, output.deadLettersTopic] {
            _ = try ensure(
                TopicSpecification(
                    name: name, partitionCount: max(partitions, output.partitions ?? 0),
                    replicationFactor: output.replication ?? -1, properties: []),
                grows: true, atLeast: partitions)
        }
    }

    private func waitForInput(
        _ topic: String, isStopping: () -> Bool
    ) throws(KafkaError) -> Int? {
        var hasSaid = false
        let pause = Wakeup()
        while !isStopping() {
            do throws(KafkaError) {
                if let count = try admin.partitionCount(
                    of: topic, for: .read, milliseconds: 3000)
                {
                    return count
                }
                if !hasSaid {
                    log.say(
                        .warning,
                        "topic \(topic) does not exist; waiting until it is created (by a "
                            + "producer, or with kafka-topics --create)")
                    hasSaid = true
                }
            } catch {
                // The admin's log has said that no broker answers.
                guard error.kind == .unreachable else { throw error }
            }
            pause.wait(milliseconds: 500)
        }
        return nil
    }

    private func ensure(
        _ specification: TopicSpecification, grows: Bool, atLeast wanted: Int = 0
    ) throws(KafkaError) -> Int {
        if !pipeline.output.createsTopics {
            guard let count = try admin.partitionCount(of: specification.name, for: .write)
            else {
                throw KafkaError(
                    kind: .unknownTopic,
                    problem: "topic \(specification.name) does not exist, and "
                        + "output.create_topics is false",
                    remedy: "create it with \(specification.partitionCount) partitions, or set "
                        + "output.create_topics: true")
            }
            return try checked(count, specification, wanted)
        }
        let count = try admin.ensure(specification)
        if grows, count < wanted {
            try admin.grow(specification.name, to: wanted)
            log.say(
                .info, "topic grown",
                [("topic", specification.name), ("partitions", "\(wanted)")])
            return wanted
        }
        return count
    }

    private func checked(
        _ count: Int, _ specification: TopicSpecification, _ wanted: Int
    ) throws(KafkaError) -> Int {
        guard count >= wanted else {
            throw KafkaError(
                kind: .refused,
                problem: "topic \(specification.name) has \(count) partitions, but \(wanted) are "
                    + "needed to keep keys and order",
                remedy: "add partitions, or set output.create_topics: true")
        }
        return count
    }
}
