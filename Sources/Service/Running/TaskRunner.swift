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
        let snapshots: SnapshotThread
        let chunks: KafkaChunkWriter
        let onLoading: @Sendable (Int, LoadingNews) -> Void
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
        /// The task's producer failed for a reason that the next need not meet.
        case broken(String)
        /// What the task stands on cannot be loaded.
        case task(TaskFailure)

        /// A question that was refused needs a person; any other is asked again.
        init(_ error: KafkaError) {
            switch error.kind {
            case .refused, .unauthorised, .unauthenticated, .configuration, .unsupported:
                self = .fatal("\(error)")
            case .unreachable, .alreadyExists, .unknownTopic, .unsettled, .other:
                self = .again("\(error)")
            }
        }
    }

    struct Handles {
        var inputLog: KafkaInputLog?
        /// Open until the restore is over.
        var journalLog: KafkaInputLog?
        var inputs: [TopicPartition] = []
        var output: (any KafkaTaskOutput)?
        var committer: Committer?
        var isHandedOver = false
        var isCancelled = false
        var isThreadDone = false
        var isLaneDone = false
    }

    let index: Int
    let token: GroupToken
    /// Whether the task's last start found that journal and offsets do not fit.
    let wasRefused: Bool
    let lane: Lane
    let surroundings: Surroundings
    let handles = Mutex(Handles())
    /// What is known of the task's restore and snapshots; any thread.
    let gauge = TaskGauge()
    /// The calls of the committer's thread that wait for brokers.
    let calls = CallGauge()

    init(
        index: Int, token: GroupToken, wasRefused: Bool, lane: Lane, surroundings: Surroundings
    ) {
        self.index = index
        self.token = token
        self.wasRefused = wasRefused
        self.lane = lane
        self.surroundings = surroundings
    }

    /// Starts the committer's thread, which starts the task.
    func start() {
        WorkerThread.start(name: "commit-\(index)") { self.run() }
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
        let limit = surroundings.pipeline.state.restoreWithin
        lane.finish(index, .released(deadline: monotonicMilliseconds() + limit))
    }

    /// As ``retire()``, but the lane keeps the task, which may come back: see ``reclaim(_:)``.
    func park() {
        lane.finish(index, .kept)
    }

    /// Has the task write a snapshot, if it is live.
    func storeState() { lane.store(index) }

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
        let (log, output) = handles.withLock { handles in
            defer {
                handles.output = nil
                handles.committer = nil
            }
            return (handles.inputLog.take(), handles.output)
        }
        output?.close()
        if let log { close(log) }
        closeJournal()
    }

    /// Stops reading the journal: the restore is over.
    func closeJournal() {
        if let log = handles.withLock({ $0.journalLog.take() }) { close(log) }
    }

    private func close(_ log: KafkaInputLog) {
        do throws(KafkaError) {
            try surroundings.reader.close(log)
        } catch {
            surroundings.log.say(.warning, topic: "close", "\(error)")
        }
    }

    var isCancelled: Bool { handles.withLock { $0.isCancelled } }

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
                var last = kafka.lastSequence
                if last == nil { last = try self.lastSequence() }
                guard last.map({ $0 + 1 }) ?? 0 == sequence else {
                    throw .again("another process has had it meanwhile")
                }
                self.lane.resume(self.index, generation: kafka.generation)
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

    var journal: TopicPartition {
        TopicPartition(
            topic: surroundings.pipeline.output.journalTopic, partition: Int32(index))
    }

    /// Makes a call until its outcome is definite or the task is taken away.
    func settle(
        _ call: () throws(OutputFailure) -> Void
    ) throws(StartFailure) {
        let began = monotonicMilliseconds()
        while !isCancelled {
            do throws(OutputFailure) {
                calls.enter()
                defer { calls.leave() }
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
                case .broken(let reason): throw .broken(reason)
                case .fatal(let reason): throw .fatal(reason)
                }
            }
        }
    }

    private func pause(milliseconds: Int64) {
        Wakeup().wait(milliseconds: milliseconds)
    }
}
