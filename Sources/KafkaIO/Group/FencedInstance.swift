/// What a process does that was fenced by its group instance id.
///
/// It may have fenced itself: where answers are lost or late, a process joins more often than it
/// knows, and Kafka tells neither the client nor the address of the later joining. Such a membership
/// sends no heartbeats and ends with its session; another process's goes on. So the one that was
/// fenced, which owns nothing any more, looks on: it joins anew as soon as nobody holds its id, and
/// is replaced if one and the same member holds it for longer than a session can last unattended.
///
/// Two processes with several pipelines may each have fenced the other in one of them. The pipeline
/// that decides tells first, so that one of the two ends and leaves all its groups to the other.
struct FencedInstance {
    /// Who is a member under the instance id, as far as can be seen.
    enum Holder: Equatable {
        case nobody
        case member(String)
        /// The brokers did not answer.
        case unknown
    }

    enum Verdict: Equatable {
        case joinAnew
        /// `isNews` with the first member that is seen under the id.
        case wait(isNews: Bool)
        case replaced
    }

    /// How long one member may hold the id before it is another process's, in nanoseconds.
    ///
    /// A joining that waits for a member which is gone is answered a session later, and lasts one
    /// session from then on; half a one is for looks and brokers that are late.
    let patience: Int64
    private var seen: (member: String, since: Int64)?
    private var hasSeenOne = false
    /// Monotonic nanoseconds.
    private var nextLook: Int64?
    private static let lookInterval: Int64 = 500_000_000

    init(sessionMilliseconds: Int, decides: Bool) {
        patience = Int64(sessionMilliseconds) * (decides ? 2_500_000 : 5_000_000)
    }

    /// Whether it is time for a look.
    func isDue(at now: Int64) -> Bool { nextLook.map { now >= $0 } ?? true }

    /// The verdict after a look; the next one is due half a second later.
    ///
    /// - Parameter now: monotonic nanoseconds. A look without an answer begins the wait again: a
    ///   coordinator that moves gives every member a new session.
    mutating func verdict(on holder: Holder, at now: Int64) -> Verdict {
        nextLook = now + Self.lookInterval
        switch holder {
        case .nobody:
            return .joinAnew
        case .unknown:
            seen = nil
            return .wait(isNews: false)
        case .member(let member):
            guard let seen, seen.member == member else {
                self.seen = (member, now)
                defer { hasSeenOne = true }
                return .wait(isNews: !hasSeenOne)
            }
            return now - seen.since > patience ? .replaced : .wait(isNews: false)
        }
    }
}
