import Core
import Engine

/// What one simulation is about: sizes, speeds, faults; all of it drawn from the seed.
package struct Scenario: Sendable {
    package let seed: UInt64
    /// The mistake that is built in, if any.
    package let bug: PlantedBug?
    /// What the tasks compute.
    let learning: Learning
    /// Whether outputs are written without transactions.
    let isAtLeastOnce: Bool
    /// Inputs at the start.
    let inputCount: Int
    let taskCount: Int
    let processCount: Int
    let recordsPerInput: Int
    /// Whether all records are there before the first process starts.
    let isPreloaded: Bool
    /// Whether the inputs are written in transactions, some of which are aborted.
    let hasInputTransactions: Bool
    /// How long faults happen, in ms.
    let faultyMilliseconds: Int
    /// How many faults happen in that time.
    let faultCount: Int
    let batchLimit: Int
    let idleInterval: Int64
    let busyInterval: Int64
    let roundLimit: Int
    /// The group's session, in ms; a rebalance waits as long.
    let session: Int
    let requestTimeout: Int
    /// How long a task waits for an input that has not said how far it goes, in ms.
    let waitLimit: Int64
    /// Faults of requests and fetches, in so many of a thousand.
    let lostRequests: Int
    let lateRequests: Int
    let lostAnswers: Int
    /// Requests that take longer than a rebalance.
    let slowRequests: Int
    let lateMarkers: Int
    let slowFetches: Int
    /// Calls of a producer in which the process is killed or stands still, in so many of a thousand.
    let troubledCalls: Int
    /// Whether the journal's end is asked while the predecessor's transaction is being settled.
    let asksEndWhileSettling: Bool
    /// Whether input partitions may be added.
    let mayGrow: Bool
    /// Whether needed input may be deleted.
    let losesInput: Bool
    /// Whether tasks go on from their snapshots then.
    let skipsLostInput: Bool
    /// When snapshots are due; `nil` for never.
    let snapshots: SnapshotPolicy?
    /// Bytes of the state in a chunk.
    let pieceBytes: Int
    /// Whether a planned stop makes a snapshot first.
    let snapshotsAtStop: Bool
    /// Whether bits of chunks may flip.
    let damagesChunks: Bool
    /// Whether the state topic may be lost.
    let losesChunks: Bool
    /// Whether a part of the journal may be lost.
    let losesJournal: Bool

    /// Draws the scenario of a seed; the same with and without a planted mistake.
    package init(seed: UInt64, bug: PlantedBug? = nil) {
        var random = SplitMix64(seed: SplitMix64.derived(seed, "scenario"))
        func draw(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + random.next(below: range.count)
        }
        func chance(_ perMille: Int) -> Bool { random.next(below: 1000) < perMille }
        self.seed = seed
        self.bug = bug
        inputCount = draw(1...4)
        taskCount = chance(500) ? 1 : inputCount
        processCount = draw(1...4)
        recordsPerInput = draw(10...200)
        isPreloaded = chance(200)
        hasInputTransactions = chance(300)
        faultyMilliseconds = draw(600...5000)
        faultCount = chance(50) ? 0 : draw(1...faultyMilliseconds / 200)
        batchLimit = [1, 3, 7, 16, 64][draw(0...4)]
        idleInterval = Int64(draw(1...15))
        busyInterval = Int64(draw(5...100))
        roundLimit = chance(200) ? draw(2...16) : 1 << 15
        session = draw(150...400)
        requestTimeout = draw(10...60)
        waitLimit = Int64(draw(5...80))
        let isRough = chance(600)
        lostRequests = isRough ? draw(0...20) : 0
        lateRequests = isRough ? draw(0...30) : 0
        lostAnswers = isRough ? draw(0...30) : 0
        slowRequests = [0, 0, 2, 5, 10, 20, 60][draw(0...6)]
        troubledCalls = [0, 0, 2, 5, 10, 20][draw(0...5)]
        lateMarkers = [0, 0, 30, 150, 400, 700][draw(0...5)]
        slowFetches = chance(500) ? draw(50...600) : 0
        let asksEarly = chance(300)
        mayGrow = taskCount == 1 && chance(200)
        losesInput = chance(50)
        skipsLostInput = chance(500)
        snapshots =
            chance(150)
            ? nil
            : SnapshotPolicy(
                recordsBetween: draw(1...60), ageMilliseconds: Int64(draw(50...2000)),
                retryMilliseconds: Int64(draw(1...50)))
        pieceBytes = [40, 64, 100, 1 << 12][draw(0...3)]
        snapshotsAtStop = chance(500)
        damagesChunks = chance(100)
        losesChunks = chance(30)
        losesJournal = chance(15)
        isAtLeastOnce = chance(150)
        // Without transactions a predecessor writes on until the claim.
        asksEndWhileSettling = asksEarly && !isAtLeastOnce
        let chosen: Learning = chance(700) ? .canary : [.logistic, .tree, .fields][draw(0...2)]
        learning = chosen == .fields && taskCount != inputCount ? .tree : chosen
    }
}
