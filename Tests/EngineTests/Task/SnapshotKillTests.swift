// Method: a processor whose output is a running hash, on logs and a chunk store in memory; commits,
// snapshot steps, store failures and deaths are drawn from a seed, and the committed outputs must be
// those of one pass over the journal's order by the simplest code that can.
import Core
import Engine
import State
import TestSupport
import Testing

@Suite("Kills with snapshots")
struct SnapshotKillTests {
    @Test("kills at random moments lose, double and change nothing", arguments: UInt64(1)...60)
    func randomKills(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let world = DurableWorld(
            records: randomRecords(
                partitions: 1 + random.next(below: 4), count: 200, seed: seed &* 31))
        var draws = SplitMix64(seed: seed &+ 1000)
        var failures = 0
        world.output.failure = { call in
            guard failures < 40, draws.next(below: 20) == 0 else { return nil }
            failures += 1
            switch draws.next(below: 3) {
            case 0: return .abortable("drawn")
            case 1 where call == .commit || call == .abort: return .uncertain("drawn")
            default: return .fenced("drawn")
            }
        }
        world.store.failure = { call in
            // A store that cannot be read is tried again until it can.
            guard call != .read, draws.next(below: 15) == 0 else { return nil }
            return .failed("drawn")
        }
        let recordsBetween = 10 + random.next(below: 60)
        func begin() throws -> SnapshotRun {
            try SnapshotRun(
                world, processor: RunningHash(paddingBytes: seed % 7 == 0 ? 600_000 : 0),
                recordsBetween: recordsBetween)
        }
        var run = try begin()
        var visible = world.records.map { _ in 0 }
        let total = world.records.map(\.count).reduce(0, +)
        while world.output.committed(.predictions).count < total {
            for input in visible.indices {
                visible[input] = min(
                    world.records[input].count, visible[input] + random.next(below: 20))
            }
            run.log.visible = visible
            var isDropped = false
            for _ in 0..<random.next(below: 6) where !isDropped {
                _ = try run.task.step(now: 0)
                if random.next(below: 2) == 0 { isDropped = !run.commit() }
                for _ in 0..<random.next(below: 3) where !isDropped { _ = run.stepSnapshot() }
            }
            if isDropped || random.next(below: 8) == 0 {
                run = try begin()
                #expect(run.start.notes.isEmpty, "seed \(seed)")
                run.log.visible = visible
            }
        }
        #expect(world.output.committed(.predictions).count == total, "seed \(seed)")
        world.output.failure = { _ in nil }
        world.store.failure = { _ in nil }
        run = try begin()
        run.makeSnapshot()
        let last = try begin()
        #expect(last.start.live != nil, "seed \(seed)")
        #expect(last.task.processor.stateHash() == run.task.processor.stateHash(), "seed \(seed)")
        let lines = world.output.committed(.predictions).map {
            String(decoding: $0.value, as: UTF8.self)
        }
        #expect(try lines == plainReplay(world), "seed \(seed)")
    }

    /// Replays the committed journal from its first entry: each round sorted, one record at a time.
    private func plainReplay(_ world: DurableWorld) throws -> [String] {
        var hash: UInt64 = 1
        var lines: [String] = []
        var next = world.records.map { _ in 0 }
        for round in try world.entries.flatMap(\.rounds) {
            var members: [(time: Int64, input: Int, record: MemoryLog.Record)] = []
            while true {
                var best: Int?
                for input in next.indices where next[input] < world.records[input].count {
                    let record = world.records[input][next[input]]
                    guard record.offset < round[input] else { continue }
                    if let other = best,
                        world.records[other][next[other]].timestamp <= record.timestamp
                    {
                        continue
                    }
                    best = input
                }
                guard let input = best else { break }
                let record = world.records[input][next[input]]
                members.append((record.timestamp, input, record))
                next[input] += 1
            }
            for member in members {
                var step = ContentHash(seed: hash)
                step.combine(member.record.value.span)
                step.combine(UInt64(member.input))
                hash = step.value
                lines.append("\(member.record.offset):\(hash)")
            }
        }
        return lines
    }
}
