import KafkaIO
import State
import Synchronization

/// Watches over what should move and does not: partitions that give nothing in spite of their lag,
/// lanes that do not come back from a step, and committers that do not from a call.
///
/// The first are assigned anew, where they stand; the second can only be told; the third end the
/// process, since nothing else frees a task whose producer hangs.
struct Watchdog {
    /// How long a step of a lane may take until it is told, in milliseconds.
    private static let laneLimit: Int64 = 30_000

    private let reader: KafkaReader
    private let lanes: [Lane]
    private let log: ProcessLog
    private let limit: Int64
    private let callLimit: Int64
    private var fetches: FetchWatchdog
    private var stuckLanes: Set<Int> = []
    private var calls: CallWatch
    /// How often a partition was assigned anew.
    private(set) var refetches = 0

    /// - Parameters:
    ///   - limit: how long a partition may give nothing, in milliseconds.
    ///   - callLimit: how long a call of a committer may take, in milliseconds.
    init(
        reader: KafkaReader, lanes: [Lane], log: ProcessLog, limit: Int64, callLimit: Int64
    ) {
        self.reader = reader
        self.lanes = lanes
        self.log = log
        self.limit = limit
        self.callLimit = callLimit
        calls = CallWatch(looksMax: Int(callLimit / Self.interval))
        fetches = FetchWatchdog(limit: limit)
    }

    /// How often to look, in milliseconds.
    static let interval: Int64 = 1000

    /// Looks at everything; call it once in each ``interval``.
    ///
    /// - Parameter committers: the calls of each task's committer.
    /// - Returns: Why the process has to end, if it has to.
    mutating func check(now: Int64, committers: [Int: CallGauge]) -> String? {
        checkPartitions(now: now)
        checkLanes(now: now)
        return checkCommitters(committers)
    }

    private mutating func checkPartitions(now: Int64) {
        for stalled in fetches.stalled(reader.progress(), now: now) {
            refetches += 1
            reader.refetch(stalled.partition)
            log.say(
                .warning,
                "\(stalled.partition.topic)[\(stalled.partition.partition)] has records to read, "
                    + "but none has come for \(limit / 1000) s; reading it anew",
                [
                    ("offset", "\(stalled.fetchedOffset)"), ("lag", "\(stalled.lag ?? 0)"),
                    ("refetches", "\(refetches)"),
                ])
        }
    }

    private mutating func checkLanes(now: Int64) {
        for (index, lane) in lanes.enumerated() {
            let time = now - lane.turnBegan.load(ordering: .relaxed)
            if time < Self.laneLimit {
                if stuckLanes.remove(index) != nil {
                    log.say(.info, "lane goes on", [("lane", "\(index)")])
                }
            } else if stuckLanes.insert(index).inserted {
                log.say(
                    .warning,
                    "a step of a lane has taken \(time / 1000) s; its tasks stand still until it is "
                        + "done, nothing is lost", [("lane", "\(index)")])
            }
        }
    }

    private mutating func checkCommitters(_ committers: [Int: CallGauge]) -> String? {
        guard let task = calls.look(committers.compactMapValues(\.current)) else { return nil }
        return "task \(task)'s producer has not come back from a call for "
            + "\(callLimit / 1000) s, although each is bounded by seconds: the client library "
            + "(librdkafka \(KafkaLibrary.version)) hangs, and only the end of this process frees the task; "
            + "nothing is lost: start it again"
    }
}
