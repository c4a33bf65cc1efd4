// Method: pipelines on a real broker while the input grows, the group is rebalanced, a partition
// gives nothing, and processes die before their first records; each input record must have exactly
// one committed prediction, and a later start must replay the journal to the same hashes.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Ownership of tasks",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct OwnershipTests {
    private func grow(_ fixture: PipelineFixture, to count: Int) throws {
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.grow(fixture.name, to: count)
    }

    @Test("one model per pipeline takes in partitions that are added while it runs")
    func growth() throws {
        let fixture = try PipelineFixture("growth", partitions: 2)
        try fixture.produce(0..<400)
        let running = fixture.start { $0.metadataInterval = 200 }
        try fixture.waitForPredictions(400)
        try grow(fixture, to: 4)
        try fixture.produce(400..<500, to: 3)
        try fixture.produce(500..<600, to: 2)
        try fixture.produce(600..<700)
        try fixture.waitForPredictions(700)
        #expect(running.stop() == .stopped)
        #expect(try fixture.coverageProblem() == nil)
        let entries = try fixture.journal()
        let first = try #require(entries.first { $0.inputs.count == 4 })
        #expect(first.rounds.isEmpty)
        #expect(Array(first.nextOffsets.suffix(2)) == [0, 0], "from the beginning")
        #expect(fixture.said.count { $0.contains("input grown") } == 1)

        let again = fixture.start()
        try fixture.produce(700..<720, to: 2)
        try fixture.waitForPredictions(720)
        #expect(again.stop() == .stopped)
        #expect(try fixture.coverageProblem() == nil)
    }

    @Test("one model per partition goes on with what it has, and does not start again")
    func refusedGrowth() throws {
        let fixture = try PipelineFixture("fixed", partitions: 2, scope: "partition")
        try fixture.produce(0..<200)
        let running = fixture.start { $0.metadataInterval = 200 }
        try fixture.waitForPredictions(200)
        try grow(fixture, to: 3)
        try fixture.wait("the growth is told") {
            fixture.said.contains { $0.contains("has 3 partitions now") }
        }
        try fixture.produce(200..<400)
        try fixture.waitForPredictions(400)
        #expect(running.stop() == .stopped)
        #expect(try fixture.coverageProblem() == nil)
        #expect(fixture.said.count { $0.contains("has 3 partitions now") } == 1, "said once")
        let refused = fixture.start().wait(seconds: 180)
        guard case .failed(let reason)? = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(reason.contains("give the pipeline a new name"), "\(reason)")
    }

    @Test("tasks that stay with their process across a rebalance go on where they stood")
    func keptWarm() throws {
        let fixture = try PipelineFixture("warm", partitions: 4, scope: "partition")
        try fixture.produce(0..<400)
        let first = fixture.start(instanceID: "a")
        try fixture.waitForPredictions(400)
        let second = fixture.start(instanceID: "b")
        try fixture.wait("both have tasks") {
            first.process.status.liveTasks.count == 2 && second.process.status.liveTasks.count == 2
        }
        // Which two are said once for each rebalance, of which a slow machine may have several.
        let kept = Set(
            fixture.said.filter { $0.contains("task goes on where it stood") }
                .compactMap { $0.split(separator: " ").first { $0.hasPrefix("task=") } })
        #expect(kept.count == 2, "\(fixture.said)")
        try fixture.produce(400..<1200)
        try fixture.waitForPredictions(1200)
        #expect(second.stop() == .stopped)
        try fixture.produce(1200..<1600)
        try fixture.waitForPredictions(1600)
        #expect(first.stop() == .stopped)
        try fixture.expectPlainPass()
        let generations = Set(try fixture.journal(0).map(\.generation))
        #expect(generations.count > 1, "a kept task commits under the later assignment")
    }

    @Test("a task that another process had meanwhile is restored, not kept")
    func notKept() throws {
        let fixture = try PipelineFixture("returned", partitions: 1)
        try fixture.produce(0..<300)
        // The lowest instance id owns the only task.
        let first = fixture.start(instanceID: "b")
        try fixture.waitForPredictions(300)
        let second = fixture.start(instanceID: "a")
        try fixture.wait("the task has moved") { second.process.status.liveTasks == [0] }
        try fixture.produce(300..<600)
        try fixture.waitForPredictions(600)
        #expect(second.stop() == .stopped)
        try fixture.wait("the task has come back") { first.process.status.liveTasks == [0] }
        try fixture.produce(600..<700)
        try fixture.waitForPredictions(700)
        #expect(first.stop() == .stopped)
        try fixture.expectPlainPass()
    }

    @Test("rebalances under load lose, double and change nothing")
    func rebalances() throws {
        let fixture = try PipelineFixture("storm", partitions: 4, scope: "partition")
        let first = fixture.start(instanceID: "b")
        var produced = 0
        for round in 0..<3 {
            let other = fixture.start(instanceID: round % 2 == 0 ? "a" : "c")
            for _ in 0..<8 {
                try fixture.produce(produced..<produced + 200)
                produced += 200
            }
            try fixture.waitForPredictions(produced - 400)
            #expect(other.stop() == .stopped)
        }
        try fixture.waitForPredictions(produced)
        #expect(first.stop() == .stopped)
        try fixture.expectPlainPass()
    }

    @Test("start: latest holds from the first entry on, whatever comes before the first records")
    func latest() throws {
        let fixture = try PipelineFixture("latest", partitions: 2, input: "start: latest")
        try fixture.produce(0..<100)
        let first = fixture.start()
        try fixture.wait("the first entry is committed") {
            (try? fixture.journal().isEmpty) == false
        }
        #expect(first.stop() == .stopped)
        let entry = try #require(try fixture.journal().first)
        #expect(entry.sequence == 0)
        #expect(entry.nextOffsets == [50, 50])
        // Written while nothing runs: a start that asked for the end again would skip them.
        try fixture.produce(100..<200)
        let second = fixture.start()
        try fixture.waitForPredictions(100)
        #expect(second.stop() == .stopped)
        let keys = try fixture.committed(.predictions).joined().map {
            String(decoding: $0.key ?? [], as: UTF8.self)
        }
        #expect(Set(keys) == Set((100..<200).map { "k\($0)" }))
        #expect(keys.count == 100)
    }

    @Test("lag is counted, and is 0 once everything is read")
    func lag() throws {
        let fixture = try PipelineFixture("lag", partitions: 2)
        try fixture.produce(0..<500)
        let running = fixture.start()
        try fixture.waitForPredictions(500)
        try fixture.wait("no lag") { running.process.status.lag == 0 }
        #expect(running.stop() == .stopped)
    }
}
