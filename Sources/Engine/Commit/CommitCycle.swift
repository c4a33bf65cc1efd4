package import State

/// What to do after a step of a ``CommitCycle``.
package enum CommitProgress: Equatable, Sendable {
    /// Step again at once.
    case again
    /// Step again after this many milliseconds; `reason` is what to tell the user, once.
    case wait(milliseconds: Int64, reason: String)
    /// The commit happened.
    case committed
    /// The task must be dropped; whether the commit happened, the journal's end says.
    case dropped(OutputFailure)
}

/// One task's commits, call by call: begin, send, offsets, commit, and what follows a failure.
///
/// A state machine without threads or clocks: whoever owns it makes the steps (a committer thread,
/// because the calls block, or the simulation) and does the waiting. Nothing is ever recomputed:
/// after an abort the same bytes are sent again. A call whose outcome is uncertain is made again
/// until it is definite (sending is not: records handed over twice would be written twice, so an
/// abort comes first), and the producer is recreated before the next transaction, because a late
/// request of the same epoch could otherwise land in it.
package struct CommitCycle: Sendable {
    private enum Call: Sendable {
        case recreate
        case begin
        case send
        case sendOffsets
        case commit
        case abort
    }

    /// How long failures may go on before the task is given up, in milliseconds.
    private let giveUpAfter: Int64
    private var next: Call = .begin
    private var needsNewEpoch = false
    /// Whether the transaction under way was asked to commit, so that it may have.
    private var hasAskedForCommit = false
    private var consecutiveFailures = 0
    private var failingSince: Int64?
    private var lastReason = ""

    package init(giveUpAfter: Int64) {
        self.giveUpAfter = giveUpAfter
    }

    /// Starts the commit of a new request; the one before must be finished.
    package mutating func start() {
        next = needsNewEpoch ? .recreate : .begin
        consecutiveFailures = 0
        failingSince = nil
    }

    /// Makes one call.
    ///
    /// - Parameter now: A monotonic time in milliseconds, for the bound on retries only.
    package mutating func step(
        _ request: borrowing CommitRequest, on output: any TransactionalOutput, now: Int64
    ) -> CommitProgress {
        do throws(OutputFailure) {
            switch next {
            case .recreate:
                try output.recreate()
                needsNewEpoch = false
                next = .begin
            case .begin:
                hasAskedForCommit = false
                try output.begin()
                next = .send
            case .send:
                try output.send(request.buffer)
                next = .sendOffsets
            case .sendOffsets:
                if !request.isPart {
                    try output.sendOffsets(request.positions, sequence: request.sequence)
                }
                next = .commit
            case .commit:
                hasAskedForCommit = true
                try output.commit()
                return .committed
            case .abort:
                try output.abort()
                next = needsNewEpoch ? .recreate : .begin
                // Sending again at once would meet the same trouble.
                return .wait(milliseconds: backoff(), reason: lastReason)
            }
            return .again
        } catch {
            return failed(error, now: now)
        }
    }

    private mutating func failed(_ failure: OutputFailure, now: Int64) -> CommitProgress {
        let since = failingSince ?? now
        failingSince = since
        consecutiveFailures += 1
        switch failure {
        case .fenced, .instanceFenced, .broken, .fatal:
            return .dropped(failure)
        case .uncertain(let reason):
            needsNewEpoch = true
            lastReason = reason
            guard now - since < giveUpAfter else { return .dropped(.fatal(givenUp(reason))) }
            if next == .send { next = .abort }
            return .wait(milliseconds: backoff(), reason: reason)
        case .abortable(let reason):
            lastReason = reason
            guard now - since < giveUpAfter else { return .dropped(.fatal(givenUp(reason))) }
            // An abort that cannot be made leaves the transaction to the next epoch. Once a commit was
            // asked for, that is also how an abort of what is committed already is refused.
            if next == .abort {
                if hasAskedForCommit {
                    return .dropped(
                        .fenced("whether it is committed, the journal tells: \(reason)"))
                }
                needsNewEpoch = true
                next = .recreate
            } else {
                next = .abort
            }
            return .again
        }
    }

    private func givenUp(_ reason: String) -> String {
        "gave up after retrying for \(giveUpAfter / 1000) s: \(reason)"
    }

    /// Doubles from 20 ms to 5 s.
    private func backoff() -> Int64 {
        min(5000, 20 << Int64(min(8, max(0, consecutiveFailures - 1))))
    }
}
