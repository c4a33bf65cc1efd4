import CPlatform
import State
import Synchronization

/// Commits a task's offsets behind its outputs, in transactions that hold nothing else, on a thread
/// of its own.
///
/// A transaction for offsets alone is what the broker refuses a zombie: the assignment's generation
/// and the producer's epoch are checked. Outputs do not wait for it; how long ago it last succeeded
/// tells how sure the task's ownership is.
final class OffsetRecorder: Sendable {
    private struct Content {
        var positions: [InputPosition]
        var sequence: UInt64 = 0
        /// Whether something is to be committed.
        var isPending = false
        var isEnding = false
        var isDone = false
        var failure: OutputFailure?
        /// When the last commit that succeeded began, in monotonic milliseconds.
        var confirmedAt: Int64
    }

    /// The shortest time between two commits, in milliseconds.
    private static let interval: Int64 = 100

    private let output: KafkaTransactionalOutput
    private let content: Mutex<Content>
    private let wakeup = Wakeup()

    /// - Parameters:
    ///   - output: initialised, without topics; the recorder's thread alone uses it until ``end()``.
    ///   - positions: what is committed already.
    init(output: KafkaTransactionalOutput, positions: [InputPosition]) {
        self.output = output
        content = Mutex(Content(positions: positions, confirmedAt: monotonicMilliseconds()))
        WorkerThread.start(name: "offsets") { self.run() }
    }

    /// Has these offsets committed soon.
    func note(_ positions: [InputPosition], sequence: UInt64) {
        content.withLock {
            $0.positions = positions
            $0.sequence = sequence
            $0.isPending = true
        }
        wakeup.signal()
    }

    /// Makes sure that the task was ours at most this long ago, in milliseconds; -1 for later than this
    /// call. False if nobody answers in time.
    func confirm(within age: Int64, milliseconds: Int64) throws(OutputFailure) -> Bool {
        let began = monotonicMilliseconds()
        while true {
            let (failure, confirmedAt) = content.withLock { content in
                let isOld = began - content.confirmedAt > age
                if isOld, !content.isPending { content.isPending = true }
                return (content.failure, content.confirmedAt)
            }
            if let failure { throw failure }
            if began - confirmedAt <= age { return true }
            guard monotonicMilliseconds() - began < milliseconds else { return false }
            wakeup.signal()
            _ = tw_wait_readable(-1, 1)
        }
    }

    /// Commits what is pending and lets go of the output; false if that does not end in time.
    func end(milliseconds: Int64) -> Bool {
        content.withLock { $0.isEnding = true }
        wakeup.signal()
        let limit = monotonicMilliseconds() + milliseconds
        while !content.withLock({ $0.isDone }) {
            guard monotonicMilliseconds() < limit else { return false }
            _ = tw_wait_readable(-1, 1)
        }
        return true
    }

    // MARK: The thread

    private func run() {
        while true {
            wakeup.wait(milliseconds: 1000)
            let (work, isEnding) = content.withLock { content in
                defer { content.isPending = false }
                let work = content.isPending ? (content.positions, content.sequence) : nil
                return (work, content.isEnding)
            }
            if let (positions, sequence) = work {
                let began = monotonicMilliseconds()
                let failure = commit(positions, sequence)
                content.withLock {
                    $0.failure = failure
                    if failure == nil { $0.confirmedAt = began }
                }
                if failure != nil { break }
                let rest = began + Self.interval - monotonicMilliseconds()
                if rest > 0, !isEnding { _ = tw_wait_readable(-1, Int32(rest)) }
            }
            if isEnding { break }
        }
        content.withLock { $0.isDone = true }
    }

    /// Commits until it is certain, or until it cannot be: offsets may be committed twice.
    private func commit(_ positions: [InputPosition], _ sequence: UInt64) -> OutputFailure? {
        var isFresh = true
        while true {
            do throws(OutputFailure) {
                if !isFresh { try output.recreate() }
                try output.begin()
                try output.sendOffsets(positions, sequence: sequence)
                try output.commit()
                return nil
            } catch {
                isFresh = false
                switch error {
                case .fenced, .instanceFenced, .broken, .fatal: return error
                case .uncertain(let reason), .abortable(let reason):
                    if content.withLock({ $0.isEnding }) { return .uncertain(reason) }
                    _ = tw_wait_readable(-1, 100)
                }
            }
        }
    }
}
