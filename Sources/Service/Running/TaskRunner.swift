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
        let options: ProcessOptions
        let watch: InputWatch
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

        /// A question that was refused needs a person; any other is asked again.
        init(_ error: KafkaError) {
            switch error.kind {
            case .refused, .unauthorised, .unauthenticated, .configuration:
                self = .fatal("\(error)")
            case .unreachable, .alreadyExists, .unknownTopic, .other: self = .again("\(error)")
            }
        }
    }

    private struct Handles {
        var logs: [KafkaInputLog] = []
        var inputs: [TopicPartition] = []
        var output: KafkaTransactionalOutput?
        var committer: Committer?
        var isHandedOver = false
        var isCancelled = false
        var isThreadDone = false
        var isLaneDone = false
    }

    let index: Int
    private let token: GroupToken
    private let lane: Lane
    private let surroundings: Surroundings
    private let handles = Mutex(Handles())

    init(
        index: Int, token: GroupToken, lane: Lane, surroundings: Surroundings
    ) {
        self.index = index
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

    /// Stops intake and commits what is computed; the lane lets go of the task then.
    func retire() {
        lane.finish(index, keepsTask: false)
    }

    /// As ``retire()``, but the lane keeps the task, which may come back: see ``reclaim(_:)``.
    func park() {
        lane.finish(index, keepsTask: true)
    }

    /// The inputs that the task reads; empty before it has found them.
    var inputs: [TopicPartition] { handles.withLock { $0.inputs } }

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

    /// The parked task came back to this process: it goes on if nobody has committed since.
    ///
    /// A new epoch of the producer ends whatever another owner has under way; then the journal's
    /// last entry tells whether the state that was kept is still the newest.
    func reclaim(_ newToken: GroupToken, sequence: UInt64) {
        let (committer, kafka) = handles.withLock { ($0.committer, $0.output) }
        guard let committer, let kafka else { return }
        committer.perform { output in
            kafka.adopt(newToken)
            do throws(StartFailure) {
                try self.settle(output.recreate)
                if self.isCancelled { return }
                let last = try self.lastSequence()
                guard last.map({ $0 + 1 }) ?? 0 == sequence else {
                    throw .again("another process has had it meanwhile")
                }
                self.lane.resume(self.index, generation: newToken.generation)
            } catch {
                self.lane.revoke(self.index)
                self.surroundings.onStartFailure(self.index, error)
            }
        }
    }

    private func lastSequence() throws(StartFailure) -> UInt64? {
        do throws(KafkaError) {
            return try JournalTail(
                settings: surroundings.settings, admin: surroundings.admin, log: surroundings.log
            ).lastSequence(of: journal)
        } catch {
            throw StartFailure(error)
        }
    }

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
        let instrument = surroundings.options.instrument
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
        try settle(output.initialize)
        if isCancelled { return nil }
        let positions: TaskPositions
        let logs: (input: KafkaInputLog, journal: KafkaInputLog)
        do throws(KafkaError) {
            positions = try TaskPositions(
                task: index, journal: journal, pipeline: pipeline, options: surroundings.options,
                watch: surroundings.watch, admin: surroundings.admin)
            let journalLog = try surroundings.reader.openLog(
                [(journal, KafkaOffset.beginning)], wake: lane.wakeup.descriptor)
            handles.withLock { $0.logs.append(journalLog) }
            let inputLog = try surroundings.reader.openLog(
                Array(zip(positions.inputs, positions.starts)).map { ($0, $1) },
                wake: lane.wakeup.descriptor)
            handles.withLock { handles in
                handles.logs.append(inputLog)
                handles.inputs = positions.inputs
            }
            logs = (inputLog, journalLog)
        } catch {
            throw StartFailure(error)
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
            log: instrument.input(logs.input, task: index, of: pipeline),
            startOffsets: positions.starts,
            journal: instrument.journal(logs.journal, task: index, of: pipeline),
            journalEnd: positions.journalEnd, generation: token.generation,
            policy: surroundings.policy)
        let report = surroundings.onCommitterNews
        let number = index
        let committer = Committer(
            output: output, laneWakeup: lane.wakeup, giveUpAfter: surroundings.options.giveUpAfter
        ) { report(number, $0) }
        handles.withLock { $0.committer = committer }
        lane.add(LaneTask(task: task, committer: committer, review: positions.review))
        // A cancellation before this line has not told the lane.
        let isCancelled = handles.withLock { handles in
            handles.isHandedOver = true
            return handles.isCancelled
        }
        if isCancelled {
            committer.cancel()
            lane.revoke(index)
        }
        return committer
    }

    private var journal: TopicPartition {
        TopicPartition(
            topic: surroundings.pipeline.output.journalTopic, partition: Int32(index))
    }

    /// Makes a call until its outcome is definite or the task is taken away.
    private func settle(
        _ call: () throws(OutputFailure) -> Void
    ) throws(StartFailure) {
        let began = monotonicMilliseconds()
        while !isCancelled {
            do throws(OutputFailure) {
                return try call()
            } catch {
                switch error {
                case .uncertain(let reason), .abortable(let reason):
                    guard monotonicMilliseconds() - began < surroundings.options.giveUpAfter else {
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

    private func pause(milliseconds: Int64) {
        Wakeup().wait(milliseconds: milliseconds)
    }
}
