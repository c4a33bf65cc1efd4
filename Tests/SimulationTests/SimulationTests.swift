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

    /// At least once: an owner that was overtaken trims by an entry that does not count.
    @Test("only what counts allows a trim", arguments: [UInt64(721_056), 726_395])
    func overtakenTrim(seed: UInt64) {
        let verdict = Simulation.run(seed: seed)
        #expect(verdict.violation == nil, "\(verdict.description)")
        let careless = Simulation.run(seed: seed, bug: .trimUnconfirmed)
        #expect(careless.violation?.contains("are trimmed") == true)
    }

    /// At least once, one input: predictions of a killed owner are there without their entry, then the
    /// input is lost, and the next owner goes on with another state.
    @Test("lost input leaves predictions of the state that was given up")
    func abandonedPredictions() {
        let verdict = Simulation.run(seed: 727_649)
        #expect(verdict.violation == nil, "\(verdict.description)")
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
