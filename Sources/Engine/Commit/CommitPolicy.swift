/// When a task commits, and what a commit promises: `commit_every`, its bounds, and `guarantee`.
package struct CommitPolicy: Sendable, Equatable {
    /// The shortest time from the start of one commit to that of the next, in milliseconds, while
    /// the inputs are read to their ends, or little comes.
    package let idleInterval: Int64
    /// The same while there is more to read.
    package let busyInterval: Int64
    /// Output bytes that trigger a commit.
    package let byteLimit: Int
    /// Merge rounds times inputs that trigger a commit: the bound on a journal entry.
    package let roundLimit: Int
    package let guarantee: Pipeline.Delivery.Guarantee

    /// Up to so many records in a commit, little comes: a partition that is written to all the time
    /// never says that its end is reached.
    package static let fewRecords: Int = 256

    /// Output bytes that trigger a commit unless told otherwise.
    package static let usualByteLimit: Int = 4 << 20

    /// `auto`: exactly once as soon as the last commit is done but not under 15 ms at low load, and
    /// every 100 ms at full speed.
    ///
    /// At least once, an entry of several inputs is written as soon as the last one is done, because
    /// outputs wait for it; with one input outputs do not wait, and an entry follows every 100 ms.
    package static func auto(
        _ guarantee: Pipeline.Delivery.Guarantee = .exactlyOnce, inputCount: Int = 1,
        byteLimit: Int = usualByteLimit
    ) -> CommitPolicy {
        let (idle, busy): (Int64, Int64) =
            switch guarantee {
            case .exactlyOnce: (15, 100)
            case .atLeastOnce: inputCount > 1 ? (0, 0) : (100, 100)
            }
        return CommitPolicy(
            idleInterval: idle, busyInterval: busy, byteLimit: byteLimit, guarantee: guarantee)
    }

    /// A fixed time between commits, in milliseconds.
    package static func every(
        _ milliseconds: Int64, _ guarantee: Pipeline.Delivery.Guarantee = .exactlyOnce,
        byteLimit: Int = usualByteLimit
    ) -> CommitPolicy {
        CommitPolicy(
            idleInterval: milliseconds, busyInterval: milliseconds, byteLimit: byteLimit,
            guarantee: guarantee)
    }

    package init(
        idleInterval: Int64, busyInterval: Int64, byteLimit: Int = usualByteLimit,
        roundLimit: Int = 1 << 15, guarantee: Pipeline.Delivery.Guarantee = .exactlyOnce
    ) {
        self.idleInterval = idleInterval
        self.busyInterval = busyInterval
        self.byteLimit = byteLimit
        self.roundLimit = roundLimit
        self.guarantee = guarantee
    }
}
