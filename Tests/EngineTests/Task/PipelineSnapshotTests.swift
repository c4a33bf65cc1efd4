// Method: real pipelines on a log and a chunk store in memory, killed at moments drawn from a seed
// while snapshots are written step by step and learning goes on; committed predictions and the last
// state must be those of one pass over the same records.
import Core
import Engine
import Formats
import State
import TestSupport
import Testing

@Suite("Real pipelines with snapshots")
struct PipelineSnapshotTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let learning: FieldModelTests.Learning
        let scope: String
        let seed: UInt64
        var testDescription: String { "\(learning), one_model_per: \(scope), seed \(seed)" }
    }

    static let cases: [Case] = {
        let scopes = ["pipeline", "{ field: d, limit: 5 }"]
        let seeds: ClosedRange<UInt64> = TestEnvironment.isRelease ? 1...40 : 1...4
        return FieldModelTests.learnings.flatMap { learning in
            scopes.flatMap { scope in
                seeds.map { Case(learning: learning, scope: scope, seed: $0) }
            }
        }
    }()

    private static func processor(_ item: Case) throws -> PipelineProcessor {
        try FieldModelTests.processor(item.learning, scope: item.scope)
    }

    /// Records of seven devices whose concepts change.
    private static func records(seed: UInt64) -> [MemoryLog.Record] {
        var random = SplitMix64(seed: seed)
        return (0..<600).map { index in
            let device = random.next(below: 7)
            let a = random.nextUnit()
            let b = random.nextUnit()
            let y = (index / 150 % 2 == 0 ? 1.0 : -1.0) * a * Double(device + 1) + b
            let label = random.next(below: 20) == 0 ? "" : #","y":\#(y),"class":\#(y > 1 ? 1 : 0)"#
            return MemoryLog.Record(
                offset: Int64(index), timestamp: Int64(index), key: "\(index)",
                value: #"{"id":"\#(index)","d":"\#(device)","a":\#(a),"b":\#(b)\#(label)}"#)
        }
    }

    /// Predictions and last state of one pass.
    private static func plain(
        _ item: Case, _ records: [MemoryLog.Record]
    ) throws -> (lines: [String], state: UInt64) {
        let processor = try processor(item)
        let log = MemoryLog(topic: "in", [records])
        var output = OutputBuffer()
        try log.poll(0, upTo: .max)
        try log.withQueued(0) { span in
            Result { try processor.process(span, headers: { _ in [] }, into: &output) }
        }.get()
        var lines: [String] = []
        for entry in output.entries where entry.stream == .predictions {
            let value = [UInt8](copying: output.value(of: entry))
            lines.append(String(decoding: value, as: UTF8.self))
        }
        return (lines, processor.stateHash())
    }

    @Test("kill and restore through snapshots equal one pass", arguments: cases)
    func kills(_ item: Case) throws {
        var random = SplitMix64(seed: item.seed &* 977)
        let world = DurableWorld(records: [Self.records(seed: item.seed)])
        let expected = try Self.plain(item, world.records[0])
        let recordsBetween = 20 + random.next(below: 60)
        func begin() throws -> SnapshotRun {
            try SnapshotRun(
                world, processor: try Self.processor(item), recordsBetween: recordsBetween)
        }
        var run = try begin()
        var visible = 0
        var loaded = 0
        while world.output.committed(.predictions).count < expected.lines.count {
            visible = min(world.records[0].count, visible + random.next(below: 25))
            run.log.visible = [visible]
            for _ in 0..<1 + random.next(below: 5) {
                _ = try run.task.step(now: 0)
                if random.next(below: 2) == 0 { #expect(run.commit()) }
                for _ in 0..<random.next(below: 3) { _ = run.stepSnapshot() }
            }
            if random.next(below: 6) == 0 {
                run = try begin()
                if run.start.live != nil { loaded += 1 }
                run.log.visible = [visible]
            }
        }
        #expect(loaded > 0, "snapshots were restored from")
        run = try begin()
        run.makeSnapshot()
        let last = try begin()
        #expect(last.start.live != nil)
        #expect(last.task.processor.stateHash() == expected.state)
        let isEqual = world.predictions == expected.lines
        #expect(isEqual, "predictions are those of one pass")
    }
}
