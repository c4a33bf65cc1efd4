import Core
package import Engine
import Formats
package import KafkaIO
import State
import Synchronization

/// How a running pipeline ended.
package enum PipelineOutcome: Sendable, Equatable {
    /// Stopped as asked, everything computed committed.
    case stopped
    /// Stopped as asked, but not within `shutdown_within`: the rest is computed again at the next
    /// start.
    case stoppedLate
    case failed(String)
    /// Another process uses this one's group instance id.
    case instanceFenced(String)
}

/// How far the restore of a task is.
package struct RestoringTask: Sendable, Equatable {
    package let task: Int
    /// The part of what is to be replayed that is done, from 0 to 1; 0 while a snapshot is loaded.
    package let share: Double
    /// Once a hundredth is done: what is left will take as long as what is done has taken.
    package let millisecondsLeft: Int64?

    package init(task: Int, share: Double, milliseconds elapsed: Int64) {
        self.task = task
        self.share = share
        millisecondsLeft =
            share > 0.01 ? Int64(Double(elapsed) * (1 - share) / share) : nil
    }
}

/// What a running pipeline has done, for live views; counted by this process since its start.
package struct PipelineStatus: Sendable, Equatable {
    /// Records whose predictions are committed.
    package var records = 0
    package var commits = 0
    /// The tasks that this process owns and that are live.
    package var liveTasks: [Int] = []
    package var restoringTasks: [RestoringTask] = []
    /// Records between the tasks' positions and the inputs' last stable offsets, where known.
    package var lag: Int64?
    /// Partitions that gave nothing in spite of their lag and were assigned anew.
    package var refetches = 0
    /// How long restoring this process's tasks would take now, from what was measured.
    package var estimatedRestoreMilliseconds: Int64?
    /// Snapshots that this process's tasks have made.
    package var snapshots = 0

    package init() {}
}

/// Settings of a process that are not the pipeline's.
package struct ProcessOptions: Sendable {
    /// Threads that own tasks; 0: one for each core.
    package var laneCount = 0
    /// Names this process among those of the group; `nil`: pipeline, host and slot.
    package var instanceID: String?
    /// Whether this pipeline decides first which of two processes with one instance id ends: the first
    /// one by name of those that run in a process.
    package var decidesReplacement = true
    /// Keeps the membership at the end, for a quick restart.
    package var keepsMembership = false
    /// What to go by where the journal and the group's offsets differ; `nil`: stop and say so.
    package var trust: OffsetTrust?
    /// How long failing commits are retried, in milliseconds.
    package var giveUpAfter: Int64 = 300_000
    /// Whether the brokers are the embedded cluster, which knows no properties of topics.
    package var isEmbedded = false
    /// The most records between a task's snapshots, whatever `state.restore_within` allows.
    package var snapshotRecordsMax: Int = .max
    /// Stands between the tasks and what they work on.
    package var instrument: any TaskInstrument = NoInstrument()
    /// How often the input is looked at for new partitions, in milliseconds.
    package var metadataInterval: Int64 = 10_000
    /// How long a partition with lag may give nothing until it is assigned anew, in milliseconds.
    package var stallLimit: Int64 = 30_000
    /// How long a call of a task's producer may take until the process ends, in milliseconds: the
    /// calls themselves are bounded, so that only a library that hangs gets there.
    package var callLimit: Int64 = 120_000

    package init() {}
}

/// A pipeline running on Kafka in this process: its group membership, its reader, its lanes and the
/// tasks that it owns.
///
/// One control thread (the one that calls ``run()``) handles the group, starts and ends tasks and
/// keeps the fetcher awake; lanes compute; a committer for each task talks to the coordinator.
package final class PipelineProcess: Sendable {
    package let pipeline: Pipeline
    private let options: ProcessOptions
    private let log: ProcessLog
    private let kafkaLog: KafkaLog
    private let isStopping = Atomic<Bool>(false)
    private let published = Mutex(PipelineStatus())

    package init(pipeline: Pipeline, options: ProcessOptions = ProcessOptions(), log: ProcessLog) {
        self.pipeline = pipeline
        self.options = options
        self.log = log
        kafkaLog = KafkaLog { line in
            switch line.severity {
            case .info: log.say(.info, line.message)
            case .warning: log.say(.warning, line.message)
            case .error: log.say(.error, line.message)
            }
        }
    }

    /// What was done so far; any thread.
    package var status: PipelineStatus { published.withLock { $0 } }

    /// Asks the process to stop intake, commit and leave the group; any thread.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
    }

    /// Runs until stopped or until it cannot go on; blocks the calling thread, the control thread.
    package func run() -> PipelineOutcome {
        do throws(KafkaError) {
            let settings = pipeline.kafkaSettings
            let admin = try KafkaAdmin(
                settings: settings, groupID: pipeline.groupID, log: kafkaLog)
            let topics = PipelineTopics(
                pipeline, admin: admin, isEmbedded: options.isEmbedded, log: log)
            guard let layout = try topics.prepare(isStopping: { self.isAskedToStop }) else {
                admin.close()
                return .stopped
            }
            // Held to the end: the slot is this process's name in the group.
            let slot = ProcessSlot.claim(
                pipeline: pipeline, instanceID: options.instanceID, log: log)
            let reader = try KafkaReader(
                settings: settings, groupID: pipeline.groupID,
                partitionCount: layout.inputPartitions, log: kafkaLog)
            let member = try KafkaMember(
                settings: settings, groupID: pipeline.groupID, instanceID: slot.instanceID,
                topics: [layout.inputTopic], journalTopic: pipeline.output.journalTopic,
                decidesReplacement: options.decidesReplacement, log: kafkaLog)
            let watch = InputWatch(
                topics: topics, layout: layout, admin: admin, log: log,
                interval: options.metadataInterval)
            let snapshotWatch = SnapshotWatch(
                topics: topics, topic: pipeline.output.stateTopic, taskCount: layout.taskCount,
                admin: admin, log: log)
            let standbyCheck = StandbyCheck(
                pipeline, tail: JournalTail(settings: settings, admin: admin, log: kafkaLog),
                log: log)
            // The embedded cluster's topics cannot be deleted, and nobody stands by.
            let looks = !options.isEmbedded
            WorkerThread.start(name: "metadata") {
                watch.run {
                    guard looks else { return }
                    snapshotWatch.look()
                    standbyCheck.look()
                }
            }
            let snapshots = SnapshotThread()
            WorkerThread.start(name: "snapshots") { snapshots.run() }
            let chunks = KafkaChunkWriter(
                settings: settings, topic: pipeline.output.stateTopic, log: kafkaLog)
            var control = ControlLoop(
                ControlLoop.Parts(
                    pipeline: pipeline, options: options, settings: settings, watch: watch,
                    snapshotWatch: snapshotWatch, standbyCheck: standbyCheck,
                    admin: admin, reader: reader, member: member, snapshots: snapshots,
                    chunks: chunks,
                    log: log, kafkaLog: kafkaLog))
            let outcome = control.run(
                isStopping: { self.isAskedToStop },
                publish: { status in self.published.withLock { $0 = status } })
            // A task that did not end in time still uses the clients; the process ends with it.
            let isEnded = snapshots.end(milliseconds: 4000)
            if watch.end(milliseconds: 4000), isEnded, control.isQuiet {
                chunks.close()
                reader.close()
                admin.close()
            }
            return withExtendedLifetime(slot) { outcome }
        } catch {
            return .failed("\(error)")
        }
    }

    private var isAskedToStop: Bool { isStopping.load(ordering: .acquiring) }
}

extension Pipeline {
    /// The client properties of the pipeline file.
    package var kafkaSettings: KafkaSettings {
        func pairs(_ properties: [ClientProperty]) -> [TextPair] {
            properties.map { TextPair($0.name, $0.value) }
        }
        return KafkaSettings(
            common: pairs(kafka.common), consumer: pairs(kafka.consumer),
            producer: pairs(kafka.producer))
    }

    /// What a processor that cannot be built says, placed in the file.
    func message(for error: ProcessorError) -> String {
        switch error {
        case .settings(let section, let settings): "\(mistake(section, settings))"
        case .format(.missingColumn(let name)):
            "\(mistake("features", "there is no column \(name)", "name a column of the input"))"
        case .format(.repeatedColumn(let name)):
            "\(mistake("features", "column \(name) occurs twice", "rename one of the columns"))"
        }
    }
}
