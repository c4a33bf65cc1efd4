import State

/// Commits a task's offsets behind its outputs, in transactions that hold nothing else, as the
/// product's thread for that.
final class SimulatedRecorder {
    private let process: SimulatedProcess
    private let output: SimulatedOutput
    private var positions: [InputPosition]
    private var sequence: UInt64 = 0
    private var isPending = false
    private var isEnding = false
    /// Whether a commit is under way; if a call comes meanwhile, it stands on top of that commit, which
    /// cannot go on before the call returns.
    private(set) var isRunning = false
    /// Commits that have begun, and the number of the last one of them that succeeded.
    private var begunCount = 0
    private var lastSuccess = 0
    private var isEnded = false
    /// Whether the output has an epoch that no uncertain call has spoilt.
    private var isFresh = true
    private var failure: OutputFailure?
    /// When the last commit that succeeded began.
    private var confirmedAt: Int64

    init(process: SimulatedProcess, output: SimulatedOutput, positions: [InputPosition]) {
        self.process = process
        self.output = output
        self.positions = positions
        confirmedAt = process.world.now
    }

    /// Has these offsets committed soon.
    func note(_ positions: [InputPosition], sequence: UInt64) {
        self.positions = positions
        self.sequence = sequence
        isPending = true
        wake(after: process.world.draw(0...10))
    }

    /// Makes sure that the task was ours at most this long ago; false if nobody answers in time.
    func confirm(within age: Int64) throws(OutputFailure) -> Bool {
        let began = process.world.now
        return try commit { began - confirmedAt <= age }
    }

    /// Makes sure that the task is ours now, by a commit that begins after this call; false if nobody
    /// answers in time.
    func confirmNow() throws(OutputFailure) -> Bool {
        let before = begunCount
        return try commit { lastSuccess > before }
    }

    /// Has offsets committed until a condition holds; false if that takes too long.
    private func commit(until isConfirmed: () -> Bool) throws(OutputFailure) -> Bool {
        let world = process.world
        let began = world.now
        for _ in 0..<100 {
            if let failure { throw failure }
            if isConfirmed() { return true }
            guard world.now - began < 200, process.isAlive else { return false }
            isPending = true
            wake(after: 0)
            process.block(5)
        }
        return false
    }

    /// Commits what is pending and lets go of the output; false if that does not end in time.
    func end() -> Bool {
        isEnding = true
        let began = process.world.now
        for _ in 0..<100 where isRunning || (isPending && failure == nil) {
            guard process.isAlive, process.world.now - began < 300 else { return false }
            wake(after: 0)
            process.block(3)
        }
        isEnded = true
        return !isRunning
    }

    private func wake(after milliseconds: Int) {
        process.schedule(milliseconds) { [self] in
            guard !isRunning, !isEnded, isPending, failure == nil else { return }
            isRunning = true
            commit()
            isRunning = false
            if isPending { wake(after: process.world.draw(1...20)) }
        }
    }

    /// Commits once; what is not certain is done again, offsets may be committed twice.
    private func commit() {
        isPending = false
        begunCount += 1
        let number = begunCount
        let began = process.world.now
        do throws(OutputFailure) {
            if !isFresh { try output.recreate() }
            isFresh = true
            try output.begin()
            try output.sendOffsets(positions, sequence: sequence)
            try output.commit()
            confirmedAt = began
            lastSuccess = number
        } catch {
            guard process.isAlive else { return }
            isFresh = false
            switch error {
            case .fenced, .instanceFenced, .broken, .fatal: failure = error
            case .uncertain, .abortable:
                if isEnding { failure = error } else { isPending = true }
            }
        }
    }
}
