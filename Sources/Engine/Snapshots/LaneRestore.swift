/// What restoring the tasks of one lane takes together, from what was measured of each.
///
/// A lane replays its tasks in turns, and loads share the cores that lanes run on, one for each: so
/// the times of a lane's tasks add up. What counts are the tasks that the lane has now. A process
/// that ends has the same ones back at its next start, and one that takes them over replays them on
/// as many lanes; planning for all tasks of the pipeline would have every process take snapshots for
/// the day on which it alone is left.
package struct LaneRestore: Sendable, Equatable {
    /// A process starts, joins its group and fences its predecessor: not counted, but a moment of
    /// opening logs and reading the index is, by all tasks at the same time.
    private static let openingMilliseconds = 100.0

    package private(set) var taskCount = 0
    private var loadMilliseconds = 0.0
    private var replayMilliseconds = 0.0

    package init() {}

    /// Adds a task, whose state has this size and is followed by these records.
    package mutating func add(_ estimate: RestoreEstimate, byteCount: Int, records: Int) {
        taskCount += 1
        loadMilliseconds += estimate.loadMilliseconds(byteCount: byteCount)
        replayMilliseconds += estimate.replayMilliseconds(records: records)
    }

    /// How long restoring all of them would take now; 0 without tasks.
    package var milliseconds: Int64 {
        taskCount == 0
            ? 0 : Int64(Self.openingMilliseconds + loadMilliseconds + replayMilliseconds)
    }

    /// How long the replay of each task may take, if all are to be restored within a time; negative
    /// if loading alone takes longer.
    ///
    /// The same for busy tasks and quiet ones: those that are back take turns with the others as
    /// soon as they catch up.
    package func replayMilliseconds(restoreWithin: Int64) -> Double {
        (Double(restoreWithin) - Self.openingMilliseconds - loadMilliseconds)
            / Double(max(1, taskCount))
    }
}
