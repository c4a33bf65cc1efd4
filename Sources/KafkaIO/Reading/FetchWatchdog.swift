package import State

/// How far the reading of a partition is.
package struct FetchProgress: Sendable, Equatable {
    package let partition: TopicPartition
    /// The first offset that its owner has not taken.
    package let position: Int64
    /// One past the last record that was fetched and drained.
    package let fetchedOffset: Int64
    /// The polls of its owner that wanted records and got none, so far.
    package let emptyPolls: Int
    /// The last stable offset; nil before it was told.
    package let stableEnd: Int64?
    /// When it was told, in monotonic milliseconds.
    package let endToldAt: Int64?

    package init(
        partition: TopicPartition, position: Int64, fetchedOffset: Int64, emptyPolls: Int,
        stableEnd: Int64?, endToldAt: Int64?
    ) {
        self.partition = partition
        self.position = position
        self.fetchedOffset = fetchedOffset
        self.emptyPolls = emptyPolls
        self.stableEnd = stableEnd
        self.endToldAt = endToldAt
    }

    /// The offsets between the owner's position and the last stable one; nil while unknown.
    package var lag: Int64? { stableEnd.map { max(0, $0 - position) } }
}

/// Finds partitions that have records to read and an owner that asks for them, but give none.
///
/// Without threads and clocks: shown how far each partition is every second or so. Time counts only
/// while the leader answers and the owner polls in vain, so that neither an outage nor an owner that
/// waits for its commit is taken for a stall.
package struct FetchWatchdog {
    private struct Watched {
        var fetchedOffset: Int64
        var emptyPolls: Int
        var since: Int64
    }

    /// How old the word of a leader may be, in milliseconds.
    private static let freshMilliseconds: Int64 = 5000

    private let limit: Int64
    private var watched: [TopicPartition: Watched] = [:]

    /// - Parameter limit: how long a partition may give nothing, in milliseconds.
    package init(limit: Int64) {
        self.limit = limit
    }

    /// The partitions that have given nothing for too long, in the order shown.
    ///
    /// A partition that is returned is watched anew from now.
    package mutating func stalled(_ progress: [FetchProgress], now: Int64) -> [FetchProgress] {
        var found: [FetchProgress] = []
        var seen: [TopicPartition: Watched] = [:]
        for one in progress {
            let fresh = Watched(
                fetchedOffset: one.fetchedOffset, emptyPolls: one.emptyPolls, since: now)
            guard let end = one.stableEnd, let told = one.endToldAt,
                now - told <= Self.freshMilliseconds, end > one.fetchedOffset,
                let known = watched[one.partition], known.fetchedOffset == one.fetchedOffset,
                known.emptyPolls != one.emptyPolls
            else {
                seen[one.partition] = fresh
                continue
            }
            if now - known.since >= limit {
                found.append(one)
                seen[one.partition] = fresh
            } else {
                seen[one.partition] = Watched(
                    fetchedOffset: one.fetchedOffset, emptyPolls: one.emptyPolls,
                    since: known.since)
            }
        }
        watched = seen
        return found
    }
}
