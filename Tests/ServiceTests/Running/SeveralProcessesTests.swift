// Method: the built program in several processes on a real broker, under load, some of them killed,
// stopped in order, or put to sleep; the committed predictions of each partition must be those of
// one uninterrupted pass over its records.
import Core
import Foundation
import KafkaIO
import TestSupport
import Testing

@Suite(
    "Several processes",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct SeveralProcessesTests {
    /// Produces `count` pieces of 200 records; `between` is called after each with its number.
    private func load(
        _ fixture: PipelineFixture, from start: Int, pieces: Int,
        between: (Int) throws -> Void = { _ in }
    ) throws -> Int {
        for piece in 0..<pieces {
            try fixture.produce(start + 200 * piece..<start + 200 * (piece + 1))
            try between(piece)
            usleep(100_000)
        }
        return start + 200 * pieces
    }

    @Test("two share four models: one is killed and restarted, both are stopped in order")
    func killAndRestart() throws {
        let fixture = try PipelineFixture(
            "processes", partitions: 4, scope: "partition", kafka: "session.timeout.ms: 6000")
        let first = try ProgramProcess(fixture)
        try first.wait(for: "task started")
        try fixture.wait("each task has an entry") {
            try (0..<4).allSatisfy { try !fixture.journal($0).isEmpty }
        }
        let second = try ProgramProcess(fixture)
        try second.wait(for: "task restored")
        var restarted: ProgramProcess?
        var produced = try load(fixture, from: 0, pieces: 16) { piece in
            if piece == 4 { first.kill() }
            if piece == 7 { restarted = try ProgramProcess(fixture) }
        }
        let third = try #require(restarted)
        try fixture.waitForPredictions(produced)
        #expect(second.stop() == 0, "\(second.said)")
        produced = try load(fixture, from: produced, pieces: 4)
        try fixture.waitForPredictions(produced)
        #expect(third.stop() == 0, "\(third.said)")
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }

    @Test("a standby takes over from a dead process, with the same model")
    func takeover() throws {
        let fixture = try PipelineFixture(
            "takeover", partitions: 1, kafka: "session.timeout.ms: 6000")
        let first = try ProgramProcess(fixture)
        try first.wait(for: "task started")
        let second = try ProgramProcess(fixture)
        try second.wait(for: "standing by")
        let produced = try load(fixture, from: 0, pieces: 12) { piece in
            if piece == 5 { first.kill() }
        }
        try fixture.waitForPredictions(produced)
        #expect(second.said.contains("task restored"))
        #expect(second.stop() == 0, "\(second.said)")
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }

    @Test("a process that sleeps past its session commits nothing when it wakes up")
    func zombie() throws {
        let fixture = try PipelineFixture(
            "zombie", partitions: 1, kafka: "session.timeout.ms: 6000")
        let first = try ProgramProcess(fixture)
        try first.wait(for: "task started")
        let second = try ProgramProcess(fixture)
        try second.wait(for: "standing by")
        var produced = try load(fixture, from: 0, pieces: 6) { piece in
            if piece == 3 { first.child.signal(SIGSTOP) }
        }
        try second.wait(for: "task restored")
        produced = try load(fixture, from: produced, pieces: 2)
        try fixture.waitForPredictions(produced)
        first.child.signal(SIGCONT)
        produced = try load(fixture, from: produced, pieces: 4)
        // It takes part again: the other one's end leaves the task to it.
        try fixture.waitForPredictions(produced)
        #expect(second.stop() == 0, "\(second.said)")
        produced = try load(fixture, from: produced, pieces: 2)
        try fixture.waitForPredictions(produced)
        #expect(first.stop() == 0, "\(first.said)")
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }

    @Test("a second process with the same instance id ends the first with a code of its own")
    func sameInstance() throws {
        let fixture = try PipelineFixture("twins", partitions: 1)
        try fixture.produce(0..<300)
        let first = try ProgramProcess(fixture, ["--instance-id", "twin"])
        try first.wait(for: "task started")
        try fixture.waitForPredictions(300)
        let second = try ProgramProcess(fixture, ["--instance-id", "twin"])
        try first.wait(for: "another member has this process's group instance id")
        try fixture.produce(300..<600)
        try fixture.waitForPredictions(600)
        #expect(first.child.wait(seconds: 180) == 3, "\(first.said)")
        #expect(first.said.contains("another process uses this"))
        #expect(second.stop() == 0, "\(second.said)")
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }
}
