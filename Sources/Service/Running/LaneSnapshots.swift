import Engine
import State
import Synchronization

/// What other threads may know of a task's restore.
final class TaskGauge: Sendable {
    private let newest = Mutex<SnapshotReference?>(nil)

    /// The snapshot that the journal's last entry refers to.
    var live: SnapshotReference? { newest.withLock { $0 } }

    func note(_ live: SnapshotReference?) { newest.withLock { $0 = live } }
}

/// What came of a task's snapshots, for the control thread.
enum SnapshotNews: Sendable {
    /// Stored; the next commit refers to it.
    case written(SnapshotReference, milliseconds: Int64)
    /// What no snapshot needs any more is deleted.
    case trimmed
    /// Not stored; it is tried again.
    case failed(ChunkError)
    /// Not deleted; the next snapshot tries again.
    case trimFailed(ChunkError)
}

/// A task's snapshots as its lane looks after them: takes jobs to the snapshot thread and outcomes
/// back, and sets how often snapshots are due by how fast the task computes.
///
/// Measured times decide where snapshots stand, never what they hold.
struct LaneSnapshots: ~Copyable {
    /// A replay that takes no longer, in milliseconds, is not worth a snapshot when a task stops.
    private static let moment: Int64 = 500

    let gauge: TaskGauge
    private let errand: SnapshotErrand
    private let restoreWithin: Int64
    private var estimate: RestoreEstimate
    /// How many tasks the lane has, this one included.
    private var laneTaskCount = 1
    /// When the job under way was handed over, and whether it is a trim.
    private var job: (began: Int64, isTrim: Bool)?
    /// Whether a snapshot was asked for that the task must not end without.
    private var isNeeded = false
    /// What a task that stops waits for.
    private var farewell: (until: Int64, installed: Int, failures: Int)?

    /// - Parameters:
    ///   - restoreWithin: `state.restore_within`, in milliseconds.
    ///   - estimate: what loading has shown.
    init(
        errand: SnapshotErrand, gauge: TaskGauge, restoreWithin: Int64, estimate: RestoreEstimate
    ) {
        self.errand = errand
        self.gauge = gauge
        self.restoreWithin = restoreWithin
        self.estimate = estimate
    }

    /// Notes the time that the lane was busy with the task and the records that it took.
    mutating func note(busyNanoseconds: Int64, records: Int) {
        estimate.note(busyNanoseconds: busyNanoseconds, records: records)
    }

    /// Adds what restoring the task would take now to that of the lane's others.
    func add(_ task: PipelineTask, to lane: inout LaneRestore) {
        lane.add(
            estimate, byteCount: Int(clamping: task.snapshots.live?.byteCount ?? 0),
            records: task.snapshots.recordsSinceLive)
    }

    /// Follows the measurements of all tasks of the lane: when the next snapshot is due.
    mutating func update(_ task: PipelineTask, on lane: LaneRestore) {
        laneTaskCount = lane.taskCount
        task.snapshotPolicy?.recordsBetween = estimate.recordsBetween(
            replayWithin: lane.replayMilliseconds(restoreWithin: restoreWithin))
        gauge.note(task.snapshots.live)
    }

    /// Gives the task the outcome of its job, if there is one, and says what came of it.
    mutating func takeOutcome(_ task: PipelineTask, now: Int64) -> SnapshotNews? {
        guard let job, let (outcome, worked) = errand.takeOutcome() else { return nil }
        self.job = nil
        task.snapshotJobDone(outcome, now: now)
        switch outcome {
        case .journalEnd: return nil
        case .trimmed: return .trimmed
        case .failed(let error): return job.isTrim ? .trimFailed(error) : .failed(error)
        case .written(let reference):
            estimate.noteWrite(byteCount: Int(clamping: reference.byteCount), milliseconds: worked)
            return .written(reference, milliseconds: now - job.began)
        }
    }

    /// Hands over the task's next job, if there is one.
    mutating func submitJob(_ task: PipelineTask, now: Int64) {
        guard job == nil, let next = task.takeSnapshotJob(now: now) else { return }
        if case .trim = next { job = (now, true) } else { job = (now, false) }
        errand.submit(next, stateBytes: task.stateBytes)
    }

    /// Makes a snapshot due without which the model would be lost with this process.
    mutating func need(of task: PipelineTask) {
        isNeeded = true
        task.requestSnapshot()
    }

    /// Whether the snapshot that the task must not end without is not there.
    func lacksNeeded(_ task: PipelineTask) -> Bool { isNeeded && task.snapshots.hasOpenRequest }

    /// Whether a task that stops, all of it committed, waits for a snapshot: for one that is needed
    /// until the deadline, failures or not; for another if replaying the task in turns with the lane's
    /// others would take more than a moment, and no longer than replaying would take.
    mutating func delaysEnd(of task: PipelineTask, now: Int64, until deadline: Int64) -> Bool {
        if farewell == nil {
            isNeeded = lacksNeeded(task)
            let alone = estimate.replayMilliseconds(records: task.snapshots.recordsSinceLive)
            let replay = Int64(alone * Double(laneTaskCount))
            let isWorthIt = replay > Self.moment
            farewell = (
                isWorthIt ? min(deadline, now + replay) : now, task.snapshots.installedCount,
                task.snapshots.failureCount
            )
            if isWorthIt { task.requestSnapshot() }
        }
        if lacksNeeded(task), now < deadline { return true }
        guard let farewell, now < farewell.until,
            task.snapshots.installedCount == farewell.installed,
            task.snapshots.failureCount == farewell.failures
        else { return false }
        return true
    }

    /// The lane lets go of the task.
    func cancel() { errand.cancel() }
}
