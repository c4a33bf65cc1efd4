// Method: measurements of round numbers, so that what a restore takes and how often snapshots are due
// can be computed by hand; and all shares of a lane together are compared with the time allowed.
import Engine
import TestSupport
import Testing

@Suite("Restoring the tasks of a lane")
struct LaneRestoreTests {
    /// A task whose records take 10 µs each and whose state is stored with 1 MB/ms.
    private static func estimate(writeMilliseconds: Int64 = 1) -> RestoreEstimate {
        var estimate = RestoreEstimate()
        estimate.note(busyNanoseconds: 100_000_000, records: 10_000)
        estimate.noteWrite(
            byteCount: Int(writeMilliseconds) * 1_000_000, milliseconds: writeMilliseconds)
        return estimate
    }

    /// A lane with so many such tasks, and the interval of each.
    private static func interval(
        tasks: Int, within: Int64, writeMilliseconds: Int64 = 1
    ) -> Int {
        let estimate = estimate(writeMilliseconds: writeMilliseconds)
        var lane = LaneRestore()
        for _ in 0..<tasks {
            lane.add(estimate, byteCount: Int(writeMilliseconds) * 1_000_000, records: 0)
        }
        return estimate.recordsBetween(
            replayWithin: lane.replayMilliseconds(restoreWithin: within))
    }

    @Test("nothing to restore takes no time")
    func empty() {
        #expect(LaneRestore().milliseconds == 0)
        #expect(LaneRestore().replayMilliseconds(restoreWithin: 1000) == 900)
    }

    @Test("loads and replays add up, the opening counts once")
    func sum() {
        var lane = LaneRestore()
        lane.add(Self.estimate(), byteCount: 50_000_000, records: 20_000)
        #expect(lane.milliseconds == 100 + 50 + 200)
        lane.add(Self.estimate(), byteCount: 0, records: 10_000)
        #expect(lane.milliseconds == 100 + 50 + 200 + 100)
        #expect(lane.taskCount == 2)
    }

    @Test("what all tasks replay at most fits into half of the time", arguments: [1, 2, 8, 64])
    func shares(tasks: Int) {
        let within: Int64 = 10_000
        let records = Self.interval(tasks: tasks, within: within)
        var lane = LaneRestore()
        for _ in 0..<tasks {
            lane.add(Self.estimate(), byteCount: 1_000_000, records: records)
        }
        let loads = Int64(tasks)
        #expect(lane.milliseconds <= 100 + loads + (within - 100 - loads) / 2)
        #expect(lane.milliseconds >= (within / 2) * 99 / 100, "no more snapshots than needed")
    }

    @Test("two tasks on a lane halve the interval", arguments: [Int64(1000), 10_000, 60_000])
    func two(within: Int64) {
        let one = Self.interval(tasks: 1, within: within)
        let two = Self.interval(tasks: 2, within: within)
        #expect(two < one && Double(two) > 0.49 * Double(one))
    }

    @Test("writing takes at most a fifth of the time, however many tasks", arguments: [1, 8, 64])
    func bound(tasks: Int) {
        let records = Self.interval(tasks: tasks, within: 1000, writeMilliseconds: 700)
        #expect(Double(records) * 10 / 1000 >= 4 * 700)
        var lane = LaneRestore()
        for _ in 0..<tasks {
            lane.add(
                Self.estimate(writeMilliseconds: 700), byteCount: 700_000_000, records: records)
        }
        #expect(lane.milliseconds > 2 * 1000, "and it shows that the time cannot be kept")
    }

    @Test("never every few records: not before a thousand, and not before 20 ms")
    func floor() {
        #expect(Self.interval(tasks: 1000, within: 1) == 2000)
        var slow = RestoreEstimate()
        slow.note(busyNanoseconds: 1_000_000_000_000, records: 10_000)
        #expect(slow.recordsBetween(replayWithin: -1) == 1000)
        slow.recordsBetweenMax = 10
        #expect(slow.recordsBetween(replayWithin: 1e9) == 10)
    }
}
