import Core
import Engine
import KafkaIO
import State
import Synchronization

/// One task on this process, from the assignment that gave it to the last call of its committer.
///
/// Its committer thread starts it in the order that restoring needs: first the producer, which
/// fences and settles the predecessor, then the journal's end, then the logs. The lane restores and
/// runs it. The control thread ends it.
final class TaskRunner: Sendable {
    /// What a runner needs of its process.
    struct Surroundings: Sendable {
        let pipeline: Pipeline
        let settings: KafkaSettings
        let admin: KafkaAdmin
        let reader: KafkaReader
        let log: KafkaLog
        let policy: CommitPolicy
        let giveUpAfter: Int64
        let trustsJournal: Bool
        let instrument: any TaskInstrument
        let onStartFailure: @Sendable (Int, StartFailure) -> Void
        let onCommitterNews: @Sendable (Int, CommitterNews) -> Void
    }

    /// Why a task could not be started.
    enum StartFailure: Error, Sendable {
        /// Another process was faster, or Kafka does not answer: try again if it is still ours.
        case again(String)
        /// The process must end, and say this.
        case fatal(String)
        case instanceFenced(String)
    }

    private struct Handles {
        var logs: [KafkaInputLog] = []
        var output: KafkaTransactionalOutput?
        var committer: Committer?
        var isHandedOver = false
        var isCancelled = false
        var isThreadDone = false
        var isLaneDone = false
    }

    let index: Int
    let token: GroupToken
    private let inputs: [TopicPartition]
    private let lane: Lane
    private let surroundings: Surroundings
    private let handles = Mutex(Handles())

    init(
        index: Int, inputs: [TopicPartition], token: GroupToken, lane: Lane,
        surroundings: Surroundings
    ) {
        self.index = index
        self.inputs = inputs
        self.token = token
        self.lane = lane
        self.surroundings = surroundings
    }

    /// Starts the committer's thread, which starts the task.
    func start() {
        let thread = WorkerThread(name: "commit-\(index)") { self.run() }
        thread.detach()
    }

    /// Takes the task away: nothing of it is computed or committed any more after its current call.
    func cancel() {
        let (wasHandedOver, committer) = handles.withLock { handles in
            handles.isCancelled = true
            return (handles.isHandedOver, handles.committer)
        }
        committer?.cancel()
        if wasHandedOver { lane.revoke(index) }
    }

    /// The lane has let go of the task.
    func laneReleased() {
        handles.withLock { $0.isLaneDone = true }
    }

    /// Whether no thread touches the task any more, so that ``close()`` may be called.
    var isFinished: Bool {
        handles.withLock { $0.isThreadDone && ($0.isLaneDone || !$0.isHandedOver) }
    }

    /// Frees the producer and stops reading; the control thread calls it once the task is finished.
    func close() {
        let (logs, output) = handles.withLock { handles in
            defer {
                handles.logs = []
                handles.output = nil
                handles.committer = nil
            }
            return (handles.logs, handles.output)
        }
        output?.close()
        for log in logs {
            do throws(KafkaError) {
                try surroundings.reader.close(log)
            } catch {
                surroundings.log.say(.warning, topic: "close", "\(error)")
            }
        }
    }

    private var isCancelled: Bool { handles.withLock { $0.isCancelled } }

    // MARK: The committer's thread

    private func run() {
        do throws(StartFailure) {
            let committer = try prepare()
            committer?.run()
        } catch {
            surroundings.onStartFailure(index, error)
        }
        handles.withLock { $0.isThreadDone = true }
        lane.wakeup.signal()
    }

    /// Fences the predecessor, finds the journal's end, opens the logs and hands the task over.
    private func prepare() throws(StartFailure) -> Committer? {
        let pipeline = surroundings.pipeline
        let instrument = surroundings.instrument
        let kafka = KafkaTransactionalOutput(
            settings: surroundings.settings,
            transactionalID: "\(pipeline.groupID).\(index)",
            topics: [
                .predictions: pipeline.output.predictionsTopic,
                .metrics: pipeline.output.metricsTopic,
                .deadLetters: pipeline.output.deadLettersTopic,
                .journal: pipeline.output.journalTopic,
            ], token: token, log: surroundings.log)
        handles.withLock { $0.output = kafka }
        let output = instrument.output(kafka, task: index, of: pipeline)
        try initialize(output)
        if isCancelled { return nil }
        let journal = TopicPartition(
            topic: pipeline.output.journalTopic, partition: Int32(index))
        let (starts, journalEnd): ([Int64], Int64)
        let logs: (input: KafkaInputLog, journal: KafkaInputLog)
        do throws(KafkaError) {
            journalEnd = try surroundings.admin.watermarks(of: journal).high
            starts = try startOffsets(journalIsEmpty: journalEnd == 0)
            try checkOffsets(journalIsEmpty: journalEnd == 0)
            let journalLog = try surroundings.reader.openLog(
                [(journal, KafkaOffset.beginning)], wake: lane.wakeup.descriptor)
            handles.withLock { $0.logs.append(journalLog) }
            let inputLog = try surroundings.reader.openLog(
                Array(zip(inputs, starts)).map { ($0, $1) }, wake: lane.wakeup.descriptor)
            handles.withLock { $0.logs.append(inputLog) }
            logs = (inputLog, journalLog)
        } catch {
            throw error.kind == .refused ? .fatal("\(error)") : .again("\(error)")
        }
        let processor: PipelineProcessor
        do throws(ProcessorError) {
            processor = try PipelineProcessor(
                pipeline: pipeline, taskIndex: index, format: pipeline.input.format)
        } catch {
            throw .fatal(pipeline.message(for: error))
        }
        let task = PipelineTask(
            index: index, processor: instrument.processor(processor, task: index, of: pipeline),
            log: instrument.input(logs.input, task: index, of: pipeline), startOffsets: starts,
            journal: instrument.journal(logs.journal, task: index, of: pipeline),
            journalEnd: journalEnd, generation: token.generation,
            policy: surroundings.policy)
        let report = surroundings.onCommitterNews
        let number = index
        let committer = Committer(
            output: output, laneWakeup: lane.wakeup, giveUpAfter: surroundings.giveUpAfter
        ) { report(number, $0) }
        let isCancelled = handles.withLock { handles in
            handles.committer = committer
            handles.isHandedOver = !handles.isCancelled
            return handles.isCancelled
        }
        if isCancelled { return nil }
        lane.add(LaneTask(task: task, committer: committer, journalLog: logs.journal))
        return committer
    }

    private func initialize(_ output: any TransactionalOutput) throws(StartFailure) {
        let began = monotonicMilliseconds()
        while !isCancelled {
            do throws(OutputFailure) {
                return try output.initialize()
            } catch {
                switch error {
                case .uncertain(let reason), .abortable(let reason):
                    guard monotonicMilliseconds() - began < surroundings.giveUpAfter else {
                        throw .fatal("task \(index) cannot start its producer: \(reason)")
                    }
                    pause(milliseconds: 100)
                case .fenced(let reason): throw .again(reason)
                case .instanceFenced(let reason): throw .instanceFenced(reason)
                case .fatal(let reason): throw .fatal(reason)
                }
            }
        }
    }

    /// Where each input begins if the journal says nothing of it.
    private func startOffsets(journalIsEmpty: Bool) throws(KafkaError) -> [Int64] {
        var starts: [Int64] = []
        for input in inputs {
            let ends = try surroundings.admin.watermarks(of: input)
            switch surroundings.pipeline.input.start {
            case .latest where journalIsEmpty: starts.append(ends.high)
            default: starts.append(ends.low)
            }
        }
        return starts
    }

    /// An empty journal with committed offsets means that the journal was deleted: going on would
    /// give an empty model in silence.
    private func checkOffsets(journalIsEmpty: Bool) throws(KafkaError) {
        guard journalIsEmpty, !surroundings.trustsJournal else { return }
        let committed = try surroundings.admin.committedOffsets(
            of: surroundings.pipeline.groupID, inputs)
        if let place = committed.firstIndex(where: { $0 > 0 }) {
            throw KafkaError(
                kind: .refused,
                problem: "the journal of task \(index) is empty, but the group "
                    + "\(surroundings.pipeline.groupID) has committed offset \(committed[place]) "
                    + "of \(inputs[place].topic)[\(inputs[place].partition)]: the journal topic "
                    + "was deleted or emptied",
                remedy: "restore the topic, or start anew: give the pipeline another name, or "
                    + "delete the group's offsets (kafka-consumer-groups --delete-offsets)")
        }
    }

    private func pause(milliseconds: Int64) {
        Wakeup().wait(milliseconds: milliseconds)
    }
}
