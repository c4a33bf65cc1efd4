// Method: a task on logs in memory is started again under other versions and settings; what is
// committed is compared with the hashes that a model which began at the right record would give.
import Core
import Engine
import State
import TestSupport
import Testing

@Suite("Versions of a state")
struct StateVersionTests {
    /// Runs to the end of the world's records.
    @discardableResult
    private func run(
        _ world: DurableWorld, version: UInt32 = 1, fingerprint: UInt64 = 42,
        settings: [TextPair] = [], recordsBetween: Int = 50
    ) throws -> SnapshotRun {
        let run = try SnapshotRun(
            world,
            processor: RunningHash(
                fingerprint: fingerprint, version: version, settings: settings),
            recordsBetween: recordsBetween)
        try run.runToEnd()
        return run
    }

    /// A world that shows its first records only.
    private func worlds(_ count: Int, shown: Int) -> (DurableWorld, [MemoryLog.Record]) {
        let all = randomRecords(partitions: 1, count: count, seed: 8)[0]
        return (DurableWorld(records: [Array(all[..<shown])]), all)
    }

    @Test(
        "a higher version begins a new model where the last one ended, with snapshots and without",
        arguments: [50, 1_000_000])
    func higher(recordsBetween: Int) throws {
        let (world, all) = worlds(300, shown: 100)
        try run(world, recordsBetween: recordsBetween)
        world.records[0] = Array(all[..<180])
        let second = try run(
            world, version: 2, fingerprint: 43, recordsBetween: recordsBetween)
        #expect(second.start.beginsVersion)
        #expect(second.start.notes.count == 1)
        world.records[0] = all
        let third = try run(
            world, version: 2, fingerprint: 43, recordsBetween: recordsBetween)
        #expect(!third.start.beginsVersion)
        #expect(third.replayedRecords <= 80)
        #expect(
            world.predictions == RunningHash.predictions(all[..<100])
                + RunningHash.predictions(all[100...]))
        let entries = try world.entries
        let beginning = try #require(entries.lastIndex { $0.sequence == 0 })
        #expect(beginning > 0)
        #expect(entries[beginning].version == 2)
        #expect(entries[beginning].rounds.isEmpty)
        #expect(entries[beginning].live == nil)
        #expect(entries[beginning].nextOffsets == [all[99].offset + 1])
    }

    @Test("a lower version, and another pipeline of the same version, are refused with the remedy")
    func refused() throws {
        let (world, _) = worlds(100, shown: 100)
        try run(world, version: 3)
        let before = world.output.committed(.journal).count
        #expect(throws: TaskFailure.olderVersion(found: 3, expected: 2)) {
            try run(world, version: 2)
        }
        #expect(throws: TaskFailure.otherPipeline(found: 42, expected: 7)) {
            try run(world, version: 3, fingerprint: 7)
        }
        #expect(world.output.committed(.journal).count == before, "nothing is written")
        let other = TaskFailure.otherPipeline(found: 42, expected: 7).message
        #expect(other.contains("check FILE --connect") && other.contains("state.version"))
        #expect(TaskFailure.olderVersion(found: 3, expected: 2).message.contains("to 4"))
    }

    @Test(
        "another file is refused by its keys, known from the journal or from a snapshot",
        arguments: [50, 1_000_000])
    func changedKeys(recordsBetween: Int) throws {
        let (world, _) = worlds(300, shown: 300)
        try run(
            world, settings: [TextPair("model.rate", "1"), TextPair("metrics.every", "5")],
            recordsBetween: recordsBetween)
        #expect(
            throws: TaskFailure.changedPipeline(keys: ["model.rate: 1 → 2"], version: 1)
        ) {
            try run(
                world, fingerprint: 7,
                settings: [TextPair("model.rate", "2"), TextPair("metrics.every", "6")])
        }
    }

    @Test("keys are compared with those of the version that stands, not of an earlier one")
    func changedSinceVersion() throws {
        let (world, all) = worlds(300, shown: 200)
        try run(world, settings: [TextPair("model.rate", "1")], recordsBetween: 1_000_000)
        world.records[0] = all
        try run(
            world, version: 2, fingerprint: 43, settings: [TextPair("model.rate", "2")],
            recordsBetween: 1_000_000)
        #expect(
            throws: TaskFailure.changedPipeline(keys: ["model.rate: 2 → 3"], version: 2)
        ) {
            try run(
                world, version: 2, fingerprint: 44, settings: [TextPair("model.rate", "3")])
        }
    }

    @Test("damaged snapshots of a later version fall back to that version's beginning")
    func fallsBack() throws {
        let (world, all) = worlds(300, shown: 100)
        try run(world, recordsBetween: 1_000_000)
        world.records[0] = Array(all[..<160])
        let second = try run(world, version: 2, recordsBetween: 1_000_000)
        second.makeSnapshot()
        for offset in world.store.chunks.keys { world.store.chunks[offset]?.bytes[9] ^= 1 }
        world.records[0] = all
        let third = try run(world, version: 2, recordsBetween: 1_000_000)
        #expect(third.start.live == nil)
        #expect(third.replayedRecords == 60)
        #expect(
            world.predictions == RunningHash.predictions(all[..<100])
                + RunningHash.predictions(all[100...]))
    }

    @Test("a new version whose next records are gone stops, or says what gets no predictions")
    func lostInput() throws {
        let (world, all) = worlds(200, shown: 100)
        try run(world)
        world.records[0] = Array(all[120...])
        #expect(throws: TaskFailure.self) { try run(world, version: 2) }
        let next = try SnapshotRun(
            world, processor: RunningHash(version: 2), onLostInput: .continueFromSnapshot)
        #expect(next.start.notes.contains { $0.contains("get no predictions") })
        try next.runToEnd()
        #expect(
            world.predictions == RunningHash.predictions(all[..<100])
                + RunningHash.predictions(all[120...]))
    }

    @Test("the first entry after each start, and each snapshot, say the settings")
    func settings() throws {
        let (world, all) = worlds(300, shown: 150)
        let first = [TextPair("model", "one")]
        try run(world, settings: first)
        world.records[0] = all
        let second = [TextPair("model", "two")]
        try run(world, settings: second)
        let told = try world.entries.compactMap(\.settings)
        #expect(told == [first, second])
        let live = try #require(try world.entries.last?.live)
        let chunk = try #require(world.store.chunks[live.indexOffset])
        #expect(try SnapshotIndex(decoding: chunk.bytes).settings == second)
    }
}
