import Core
import Engine
import KafkaIO
import State

/// Computes the state of a task as of one of its journal entries again, the way a restore does:
/// loads a snapshot, checks every hash of it, replays the journal's rounds from the input, and
/// compares the predictions of each entry with those that were committed.
///
/// Nothing is written, and no process of the pipeline is disturbed.
struct StateRebuild {
    /// A state that was computed again.
    struct Outcome {
        let processor: PipelineProcessor
        /// The entry after which the state stands; `nil` before the first.
        let sequence: UInt64?
        let nextOffsets: [Int64]
        let start: TaskStart
        let replayedRecords: Int
        let seconds: Double

        /// Header and state, as a snapshot of this moment holds them.
        func encoded(task: Int) -> [UInt8] {
            var encoder = StateEncoder(capacity: processor.stateBytes + (64 << 10))
            SnapshotHeader(
                fingerprint: processor.fingerprint, task: Int32(task), sequence: sequence ?? 0
            ).encode(to: &encoder)
            processor.encodeState(to: &encoder)
            return encoder.finish()
        }
    }

    /// How far it is.
    struct Progress {
        /// Bytes of the snapshot read so far, and all of them; 0 without a snapshot.
        var loadedBytes = 0
        var loadBytes = 0
        var records = 0
        /// The part of the journal that is replayed, in [0, 1].
        var share = 0.0
    }

    /// Nothing has come for so long that waiting on is of no use, in milliseconds.
    private static let patience: Int64 = 60_000

    private let stored: StoredPipeline
    private let task: Int
    private let bound: Int64
    private let references: [SnapshotReference]?
    private let wakeup = Wakeup()

    /// - Parameters:
    ///   - bound: The journal offset before which the last entry stands.
    ///   - references: The snapshots to begin with, the best first; `nil` for those that the last
    ///     entry refers to.
    init(
        _ stored: StoredPipeline, task: Int, before bound: Int64,
        references: [SnapshotReference]? = nil
    ) {
        self.stored = stored
        self.task = task
        self.bound = bound
        self.references = references
    }

    /// Does all of it; calls `report` now and then.
    ///
    /// - Throws: ``TaskFailure``, ``KafkaError``, or ``CommandFailure`` with a pipeline that cannot
    ///   be built.
    func run(_ report: (Progress) -> Void) throws -> Outcome {
        let began = monotonicMilliseconds()
        let pipeline = stored.pipeline
        let reader = stored.reader
        let inputs = stored.layout.inputs(ofTask: task)
        let processor: PipelineProcessor
        do throws(ProcessorError) {
            processor = try PipelineProcessor(
                pipeline: pipeline, taskIndex: task, format: pipeline.input.format)
        } catch {
            throw CommandFailure(pipeline.message(for: error), exitCode: .usage)
        }
        let journalEnds = try stored.ends(of: stored.journal(task))
        var lowest: [Int64] = []
        for input in inputs { lowest.append(try stored.ends(of: input).low) }
        let end = min(bound, journalEnds.high)
        let kafkaJournal = try reader.openLog(
            [
                (
                    stored.journal(task),
                    TaskLoading.journalOffset(start: journalEnds.low, end: end)
                )
            ], wake: wakeup.descriptor)
        defer { try? reader.close(kafkaJournal) }
        let journal = BoundedLog(kafkaJournal, before: end)
        let store = stored.chunks(task)
        defer { store.close() }
        let start = try load(
            TaskLoading(
                task: task, processor: processor, journal: journal, journalStart: journalEnds.low,
                journalEnd: end, store: store, inputs: inputs, startOffsets: lowest,
                references: references), report)
        guard !start.beginsVersion else {
            throw CommandFailure(
                "the state is of an earlier state.version than \(pipeline.state.version), which "
                    + "the file says and which has not begun there; use the file that wrote it")
        }
        let log = try reader.openLog(
            Array(zip(inputs, start.offsets)).map { ($0, $1) }, wake: wakeup.descriptor)
        defer { try? reader.close(log) }
        let replay = PipelineTask(
            index: task, processor: processor, log: log, start: start, journal: journal,
            journalEnd: end, generation: -1, policy: .every(1000))
        let records = try self.replay(replay, report)
        return Outcome(
            processor: processor, sequence: replay.sequence > 0 ? replay.sequence - 1 : nil,
            nextOffsets: replay.nextOffsets, start: start, replayedRecords: records,
            seconds: Double(monotonicMilliseconds() - began) / 1000)
    }

    private func load(_ first: TaskLoading, _ report: (Progress) -> Void) throws -> TaskStart {
        var loading = first
        var pulse = Pulse(stored.reader, wakeup, patience: Self.patience)
        while true {
            switch try loading.step() {
            case .working(let bytes, let total):
                report(Progress(loadedBytes: bytes, loadBytes: total))
                try pulse.beat(isWaiting: false)
            case .waiting: try pulse.beat(isWaiting: true)
            case .done(let start): return start
            }
        }
    }

    private func replay(_ task: PipelineTask, _ report: (Progress) -> Void) throws -> Int {
        var records = 0
        var pulse = Pulse(stored.reader, wakeup, patience: Self.patience)
        while !task.isLive {
            let progress = try task.restore(now: monotonicMilliseconds())
            records += progress.records
            if progress.isDone { break }
            report(Progress(records: records, share: progress.share))
            try pulse.beat(isWaiting: progress.isWaiting)
        }
        return records
    }
}

/// Keeps a reader fetching while one thread works through what it gives.
private struct Pulse {
    private let reader: KafkaReader
    private let wakeup: Wakeup
    private let patience: Int64
    private var wokenAt: Int64 = 0
    private var waitingSince: Int64?

    init(_ reader: KafkaReader, _ wakeup: Wakeup, patience: Int64) {
        self.reader = reader
        self.wakeup = wakeup
        self.patience = patience
    }

    mutating func beat(isWaiting: Bool) throws(CommandFailure) {
        let now = monotonicMilliseconds()
        if now - wokenAt >= 20 {
            wokenAt = now
            reader.serve()
            reader.wakeFetcher()
        }
        guard isWaiting else {
            waitingSince = nil
            return
        }
        let since = waitingSince ?? now
        waitingSince = since
        guard now - since < patience else {
            throw CommandFailure(
                "Kafka gave nothing for \(patience / 1000) s; check that the brokers run and that "
                    + "this user may READ input, journal and state topic")
        }
        wakeup.wait(milliseconds: 5)
    }
}
