// Method: a mistake is built into the simulated process; within the stated number of seeds one must
// break a promise, and the same seed without the mistake must keep them all.
import Simulation
import TestSupport
import Testing

@Suite("Planted bugs")
struct PlantedBugTests {
    /// Seeds within which each is found. The rare ones need the thousands that only an optimised
    /// build runs through in time.
    static let bounds: [(bug: PlantedBug, seeds: UInt64)] = [
        (.commitBeforeJournal, 10),
        (.offsetsOutside, 10),
        (.inputsAtGroupOffsets, 10),
        (.journalBeforeOutputs, 20),
        (.trimBeforeCommit, 20),
        (.trimToLive, 20),
        (.referenceBeforeChunks, 20),
        (.warmTaskKept, 60),
        (.zombieInitializes, 60),
        (.abortUnchecked, 600),
        (.endReadCommitted, 200),
        (.captureShared, 200),
        (.lateJournalEnd, 400),
        (.lateOffsetCommit, 600),
        (.entryUnacknowledged, 600),
        (.noRestoreAfterFenced, 600),
        (.noFenceFirst, 1000),
        (.chunksWithoutGeneration, 2000),
        (.reclaimUnchecked, 2000),
        (.metadataAtCommit, 2000),
        (.noClaim, 2000),
        (.trimUnconfirmed, 1),
    ]
    /// Where to begin for one that is found once in some ten thousand seeds.
    static let firsts: [PlantedBug: UInt64] = [.trimUnconfirmed: 726_395]

    @Test(
        "each is found", arguments: bounds.filter { TestEnvironment.isRelease || $0.seeds <= 60 })
    func found(bug: PlantedBug, seeds: UInt64) {
        let first = Self.firsts[bug] ?? 1
        let broken = (first..<(first + seeds)).first {
            Simulation.run(seed: $0, bug: bug).violation != nil
        }
        guard let broken else {
            Issue.record("\(bug) is not found within \(seeds) seeds")
            return
        }
        let sound = Simulation.run(seed: broken)
        #expect(sound.violation == nil, "\(sound.description)")
    }

    @Test("a mistake after which two wait for each other for ever ends, too")
    func ends() {
        let verdict = Simulation.run(seed: 219, bug: .zombieInitializes)
        #expect(verdict.violation?.contains("events and no end") == true)
    }

    @Test("every planted bug has a bound")
    func complete() {
        #expect(Set(Self.bounds.map(\.bug)) == Set(PlantedBug.allCases))
    }
}
