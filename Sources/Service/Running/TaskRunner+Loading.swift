import CPlatform
import Core
import Engine
import KafkaIO
import State
import Synchronization

/// How the loading of a task goes, for the control thread.
enum LoadingNews: Sendable {
    case progress(bytes: Int, of: Int)
    /// The task begins with this snapshot or with none; the notes are what a person should know.
    case done(SnapshotReference?, notes: [String])
}

/// Makes the task, on the committer's thread.
extension TaskRunner {
    /// Fences the predecessor, finds the journal's end, loads the newest snapshot, opens the logs and
    /// hands the task over; `nil` if it was taken away meanwhile.
    func prepare() throws(StartFailure) -> Committer? {
        let pipeline = surroundings.pipeline
        let instrument = surroundings.options.instrument
        let kafka = makeOutput()
        handles.withLock { $0.output = kafka }
        let output = instrument.output(kafka, task: index, of: pipeline)
        try settle(output.initialize)
        if isCancelled { return nil }
        let positions = try findPositions(lastSequence: kafka.lastSequence)
        let journalLog = try openJournal(positions)
        let processor = instrument.processor(try makeProcessor(), task: index, of: pipeline)
        let began = tw_thread_cpu_nanoseconds()
        let store = chunkStore
        let loading = TaskLoading(
            task: index, processor: processor, journal: journalLog,
            journalStart: positions.journalStart, journalEnd: positions.journalEnd,
            confirmedEnd: kafka.confirmedEnd,
            store: instrument.store(store, task: index, of: pipeline), inputs: positions.inputs,
            startOffsets: positions.starts, onLostInput: pipeline.state.onLostInput,
            doubtsInput: positions.doubtsInput)
        guard let start = try load(loading, journalEnd: positions.journalEnd) else { return nil }
        var estimate = RestoreEstimate()
        estimate.recordsBetweenMax = surroundings.options.snapshotRecordsMax
        if let loaded = start.loaded {
            // Not the time that passed: the process loads all its tasks at once.
            estimate.noteWrite(
                byteCount: Int(clamping: loaded.byteCount),
                milliseconds: (tw_thread_cpu_nanoseconds() - began) / 1_000_000)
        }
        let inputLog = try openInputs(positions.inputs, at: start.offsets)
        let task = PipelineTask(
            index: index, processor: processor, log: inputLog, start: start,
            journal: start.needsReplay ? journalLog : nil, journalEnd: positions.journalEnd,
            generation: kafka.generation, policy: surroundings.policy,
            // The lane, which knows how many tasks it has, sets it before the task is live.
            snapshots: SnapshotPolicy(recordsBetween: surroundings.options.snapshotRecordsMax))
        let report = surroundings.onCommitterNews
        let number = index
        let committer = Committer(
            output: output, calls: calls, laneWakeup: lane.wakeup,
            giveUpAfter: surroundings.options.giveUpAfter
        ) { report(number, $0) }
        handles.withLock { $0.committer = committer }
        let errand = SnapshotErrand(
            store: instrument.store(chunkStore, task: index, of: pipeline),
            thread: surroundings.snapshots, laneWakeup: lane.wakeup)
        lane.add(
            LaneTask(
                task: task, committer: committer,
                review: start.hasLostInput ? positions.review.afterLostInput : positions.review,
                snapshots: LaneSnapshots(
                    errand: errand, gauge: gauge, restoreWithin: pipeline.state.restoreWithin,
                    estimate: estimate)))
        // A cancellation before this line has not told the lane.
        let isCancelled = handles.withLock { handles in
            handles.isHandedOver = true
            return handles.isCancelled
        }
        if isCancelled {
            committer.cancel()
            lane.revoke(index)
        }
        // Ending its client takes a while, and nobody waits for it any more.
        store.close()
        return committer
    }

    /// What the task writes through, as `delivery.guarantee` says.
    private func makeOutput() -> any KafkaTaskOutput {
        let pipeline = surroundings.pipeline
        let id = "\(pipeline.groupID).\(index)"
        let topics: [Core.OutputStream: String] = [
            .predictions: pipeline.output.predictionsTopic,
            .metrics: pipeline.output.metricsTopic,
            .deadLetters: pipeline.output.deadLettersTopic,
            .journal: pipeline.output.journalTopic,
        ]
        switch pipeline.delivery.guarantee {
        case .exactlyOnce:
            return KafkaTransactionalOutput(
                settings: surroundings.settings, transactionalID: id, topics: topics, token: token,
                log: surroundings.log)
        case .atLeastOnce:
            return KafkaAtLeastOnceOutput(
                settings: surroundings.settings, groupID: pipeline.groupID, transactionalID: id,
                topics: topics, journal: journal, token: token, admin: surroundings.admin,
                log: surroundings.log)
        }
    }

    private func findPositions(
        lastSequence: UInt64?
    ) throws(StartFailure) -> TaskPositions {
        do throws(KafkaError) {
            let positions = try TaskPositions(
                task: index, journal: journal, lastSequence: lastSequence, wasRefused: wasRefused,
                pipeline: surroundings.pipeline, options: surroundings.options,
                watch: surroundings.watch, admin: surroundings.admin, log: surroundings.log)
            handles.withLock { $0.inputs = positions.inputs }
            return positions
        } catch {
            throw StartFailure(error)
        }
    }

    private func openJournal(_ positions: TaskPositions) throws(StartFailure) -> any InputLog {
        let first = TaskLoading.journalOffset(
            start: positions.journalStart, end: positions.journalEnd)
        let log = try open([(journal, first)])
        handles.withLock { $0.journalLog = log }
        return surroundings.options.instrument.journal(
            log, task: index, of: surroundings.pipeline)
    }

    private func openInputs(
        _ inputs: [TopicPartition], at offsets: [Int64]
    ) throws(StartFailure) -> any InputLog {
        let log = try open(zip(inputs, offsets).map { ($0, $1) })
        handles.withLock { $0.inputLog = log }
        return surroundings.options.instrument.input(
            log, task: index, of: surroundings.pipeline)
    }

    private func open(
        _ starts: [(partition: TopicPartition, offset: Int64)]
    ) throws(StartFailure) -> KafkaInputLog {
        do throws(KafkaError) {
            return try surroundings.reader.openLog(starts, wake: lane.wakeup.descriptor)
        } catch {
            throw StartFailure(error)
        }
    }

    private func makeProcessor() throws(StartFailure) -> PipelineProcessor {
        let pipeline = surroundings.pipeline
        do throws(ProcessorError) {
            return try PipelineProcessor(
                pipeline: pipeline, taskIndex: index, format: pipeline.input.format)
        } catch {
            throw .fatal(pipeline.message(for: error))
        }
    }

    /// The task's snapshots; one for each thread that uses them.
    private var chunkStore: KafkaChunkStore {
        let pipeline = surroundings.pipeline
        return KafkaChunkStore(
            settings: surroundings.settings, topic: pipeline.output.stateTopic, journal: journal,
            admin: surroundings.admin, writer: surroundings.chunks,
            history: pipeline.state.history, trims: !surroundings.options.isEmbedded,
            confirmsEntries: { [weak self] in
                let output = self?.handles.withLock { $0.output }
                return output?.confirmsEntries() ?? false
            },
            log: surroundings.log)
    }

    /// How long a loading waits for the journal before it says so.
    private static let journalPatienceMilliseconds: Int64 = 15_000

    /// Steps the loading to its end; `nil` if the task was taken away meanwhile.
    private func load(
        _ loading: consuming TaskLoading, journalEnd: Int64
    ) throws(StartFailure) -> TaskStart? {
        var loading = loading
        let pause = Wakeup()
        var waitingSince: Int64?
        var hasSaid = false
        while !isCancelled {
            surroundings.options.instrument.willLoad(task: index, of: surroundings.pipeline)
            let progress: TaskLoading.Progress
            do throws(TaskFailure) {
                progress = try loading.step()
            } catch {
                throw .task(error)
            }
            switch progress {
            case .working(let bytes, let total):
                waitingSince = nil
                if total > 0 { surroundings.onLoading(index, .progress(bytes: bytes, of: total)) }
            case .waiting:
                let now = monotonicMilliseconds()
                let since = waitingSince ?? now
                waitingSince = since
                if !hasSaid, now - since > Self.journalPatienceMilliseconds {
                    hasSaid = true
                    surroundings.log.say(
                        .warning, topic: "journal \(index)",
                        "task \(index) waits for the end of its journal "
                            + "\(journal.topic)[\(journal.partition)] at offset \(journalEnd): Kafka does "
                            + "not hand it out, because it does not answer or a transaction there is "
                            + "open; one that Kafka itself does not end within its time-out is found "
                            + "by kafka-transactions find-hanging")
                }
                pause.wait(milliseconds: 1)
            case .done(let start):
                surroundings.onLoading(index, .done(start.loaded, notes: start.notes))
                return start
            }
        }
        return nil
    }
}
