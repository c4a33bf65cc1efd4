import Engine
import KafkaIO
import State
import Synchronization

/// Talks to the transaction coordinator for one task, on a thread of its own, because a commit
/// blocks for milliseconds while the lane goes on computing.
///
/// The lane submits a request and later takes the result; the thread makes the steps of the
/// ``CommitCycle`` and does its waiting.
final class Committer: Sendable {
    /// How a submitted commit ended.
    enum Result: ~Copyable {
        case committed(CommitRequest)
        case dropped(OutputFailure)
    }

    private struct Box: ~Copyable {
        var request: CommitRequest?
        var result: Result?
        var job: (@Sendable (any TransactionalOutput) -> Void)?
        var isCancelled = false
    }

    private let box = Mutex(Box())
    private let requestWakeup = Wakeup()
    private let laneWakeup: Wakeup
    private let output: any TransactionalOutput
    private let calls: CallGauge
    private let giveUpAfter: Int64
    /// Told once when commits begin to fail and are retried, and once when they go on.
    private let report: @Sendable (CommitterNews) -> Void

    init(
        output: any TransactionalOutput, calls: CallGauge, laneWakeup: Wakeup, giveUpAfter: Int64,
        report: @escaping @Sendable (CommitterNews) -> Void
    ) {
        self.output = output
        self.calls = calls
        self.laneWakeup = laneWakeup
        self.giveUpAfter = giveUpAfter
        self.report = report
    }

    /// Hands over a commit; the one before must have been taken back.
    func submit(_ request: consuming CommitRequest) {
        var handed: CommitRequest? = consume request
        box.withLock { box in
            precondition(box.request == nil && box.result == nil, "a commit is under way")
            box.request = handed.take()
        }
        requestWakeup.signal()
    }

    /// The end of the submitted commit, once there is one.
    func takeResult() -> Result? {
        box.withLock { $0.result.take() }
    }

    /// Has the thread do something else with the output, between commits.
    func perform(_ job: @escaping @Sendable (any TransactionalOutput) -> Void) {
        box.withLock { box in
            precondition(box.request == nil && box.result == nil, "a commit is under way")
            box.job = job
        }
        requestWakeup.signal()
    }

    /// Makes the thread return after its current call, committed or not.
    func cancel() {
        box.withLock { $0.isCancelled = true }
        requestWakeup.signal()
    }

    private var isCancelled: Bool { box.withLock { $0.isCancelled } }

    /// The thread's body: commits until cancelled.
    func run() {
        var cycle = CommitCycle(giveUpAfter: giveUpAfter)
        while !isCancelled {
            requestWakeup.wait(milliseconds: 1000)
            if let job = box.withLock({ $0.job.take() }) { job(output) }
            while let request = box.withLock({ $0.request.take() }) {
                commit(request, &cycle)
            }
        }
        laneWakeup.signal()
    }

    private func commit(_ request: consuming CommitRequest, _ cycle: inout CommitCycle) {
        cycle.start()
        var isTroubled = false
        while true {
            calls.enter()
            let progress = cycle.step(request, on: output, now: monotonicMilliseconds())
            calls.leave()
            switch progress {
            case .again:
                continue
            case .wait(let milliseconds, let reason):
                if !isTroubled { report(.retrying(reason)) }
                isTroubled = true
                // A cancelled commit is left to whoever owns the task next: the journal's end says
                // whether it happened.
                if isCancelled {
                    close(keeping: request)
                    return finish(.dropped(.fenced("cancelled: \(reason)")))
                }
                requestWakeup.wait(milliseconds: milliseconds)
            case .committed:
                if isTroubled { report(.recovered) }
                return finish(.committed(request))
            case .dropped(let failure):
                close(keeping: request)
                return finish(.dropped(failure))
            }
        }
    }

    /// Gives the output up before the request's memory goes: the producer may still refer to it. Said
    /// to the compiler, too, which may end a value behind its last use.
    private func close(keeping request: borrowing CommitRequest) {
        output.close()
        withExtendedLifetime(request) {}
    }

    private func finish(_ result: consuming Result) {
        var handed: Result? = consume result
        box.withLock { $0.result = handed.take() }
        laneWakeup.signal()
    }
}

/// What a committer has to say, once for each outage.
enum CommitterNews: Sendable {
    case retrying(String)
    case recovered
}
