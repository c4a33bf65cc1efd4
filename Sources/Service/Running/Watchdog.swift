import KafkaIO
import State
import Synchronization

/// Watches over what should move and does not: partitions that give nothing in spite of their lag,
/// and lanes that do not come back from a step.
///
/// The first are assigned anew, where they stand; the second can only be told.
struct Watchdog {
    /// How long a step of a lane may take until it is told, in milliseconds.
    private static let laneLimit: Int64 = 30_000

    private let reader: KafkaReader
    private let lanes: [Lane]
    private let log: ProcessLog
    private let limit: Int64
    private var fetches: FetchWatchdog
    private var stuckLanes: Set<Int> = []
    /// How often a partition was assigned anew.
    private(set) var refetches = 0

    /// - Parameter limit: how long a partition may give nothing, in milliseconds.
    init(reader: KafkaReader, lanes: [Lane], log: ProcessLog, limit: Int64) {
        self.reader = reader
        self.lanes = lanes
        self.log = log
        self.limit = limit
        fetches = FetchWatchdog(limit: limit)
    }

    /// Looks at everything; call it every second or so.
    mutating func check(now: Int64) {
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
}
