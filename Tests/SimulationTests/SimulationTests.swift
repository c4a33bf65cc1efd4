// Method: each seed is a world of faults; in the end the committed outputs must be those of a plain
// replay of the committed journal, every input record taken once, nothing left open.
import Simulation
import TestSupport
import Testing

@Suite("Simulation")
struct SimulationTests {
    @Test("no seed loses, doubles or changes anything", arguments: 0..<8)
    func seeds(block: UInt64) {
        let count: UInt64 = TestEnvironment.isRelease ? 250 : 25
        var snapshotRestores = 0
        var resumed = 0
        for seed in (1 + block * count)...((block + 1) * count) {
            let verdict = Simulation.run(seed: seed)
            #expect(verdict.violation == nil, "\(verdict.description)")
            snapshotRestores += verdict.snapshotRestores
            resumed += verdict.resumed
        }
        #expect(snapshotRestores > 0, "snapshots are restored from")
        #expect(resumed > 0, "tasks are kept across rebalances")
    }

    @Test("a seed replays exactly", arguments: UInt64(1)...5)
    func replay(seed: UInt64) {
        let first = Simulation.run(seed: seed)
        let second = Simulation.run(seed: seed, keepsTrace: true)
        #expect(first.traceHash == second.traceHash)
        #expect(first.events == second.events)
        #expect(!second.trace.isEmpty)
    }
}
