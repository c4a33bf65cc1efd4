/// When a task commits; `commit_every` and its bounds.
package struct CommitPolicy: Sendable, Equatable {
    /// The shortest time from the start of one commit to that of the next, in milliseconds, while
    /// the inputs are read to their ends.
    package let idleInterval: Int64
    /// The same while there is more to read.
    package let busyInterval: Int64
    /// Output bytes that trigger a commit.
    package let byteLimit: Int
    /// Merge rounds times inputs that trigger a commit: the bound on a journal entry.
    package let roundLimit: Int

    /// Output bytes that trigger a commit unless told otherwise.
    package static let usualByteLimit: Int = 4 << 20

    /// `auto`: as soon as the last commit is done but not under 15 ms at low load; every 100 ms at
    /// full speed.
    package static func auto(byteLimit: Int = usualByteLimit) -> CommitPolicy {
        CommitPolicy(idleInterval: 15, busyInterval: 100, byteLimit: byteLimit)
    }

    /// A fixed time between commits, in milliseconds.
    package static func every(
        _ milliseconds: Int64, byteLimit: Int = usualByteLimit
    ) -> CommitPolicy {
        CommitPolicy(idleInterval: milliseconds, busyInterval: milliseconds, byteLimit: byteLimit)
    }

    package init(
        idleInterval: Int64, busyInterval: Int64, byteLimit: Int = usualByteLimit,
        roundLimit: Int = 1 << 15
    ) {
        self.idleInterval = idleInterval
        self.busyInterval = busyInterval
        self.byteLimit = byteLimit
        self.roundLimit = roundLimit
    }
}
