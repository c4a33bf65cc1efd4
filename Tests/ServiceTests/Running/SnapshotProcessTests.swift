// Method: pipelines on a real broker that take snapshots every thousand records or so, stopped,
// killed, and started on topics that were damaged; committed predictions and the last state are
// compared with those of one plain pass.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Snapshots of a process",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct SnapshotProcessTests {
    /// Runs until as many snapshots were written, with new records as they are wanted.
    private func run(
        _ fixture: PipelineFixture, from start: Int, snapshots: Int,
        probe: StateProbe = StateProbe()
    ) throws -> Int {
        let running = fixture.start {
            $0.instrument = probe
            $0.snapshotRecordsMax = 1000
        }
        var produced = start
        try fixture.wait("\(snapshots) snapshots", seconds: 180) {
            if running.process.status.snapshots >= snapshots { return true }
            if running.process.status.records + 2000 > produced - start {
                try fixture.produce(produced..<produced + 2000)
                produced += 2000
            }
            return false
        }
        try fixture.wait("everything is committed", seconds: 180) {
            running.process.status.records == produced - start
        }
        #expect(running.process.status.estimatedRestoreMilliseconds ?? 0 > 0)
        #expect(running.stop() == .stopped)
        return produced
    }

    /// Starts once more, which must begin with a snapshot, and compares with one plain pass.
    private func goOn(_ fixture: PipelineFixture, from produced: Int) throws {
        _ = try run(fixture, from: produced, snapshots: 1)
        let line = try #require(fixture.said.last { $0.contains("task restored") })
        #expect(line.contains(" snapshot="), "\(line)")
        try fixture.expectPlainPass()
    }

    private func starts(of topic: String, _ fixture: PipelineFixture) throws -> Int64 {
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        return try admin.watermarks(of: TopicPartition(topic: topic, partition: 0)).low
    }

    @Test("a start loads the newest snapshot; journal and chunks before the older one are deleted")
    func restart() throws {
        let fixture = try PipelineFixture("snapshots", partitions: 1, state: "restore_within: 1 ms")
        var produced = try run(fixture, from: 0, snapshots: 4)
        #expect(try starts(of: fixture.pipeline.output.journalTopic, fixture) > 0)
        #expect(try starts(of: fixture.pipeline.output.stateTopic, fixture) > 0)
        #expect(try fixture.journal().first?.sequence ?? 0 > 0, "the journal begins later")
        let probe = StateProbe()
        produced = try run(fixture, from: produced, snapshots: 1, probe: probe)
        let line = try #require(fixture.said.last { $0.contains("task restored") })
        #expect(line.contains(" snapshot="))
        #expect(probe.stateHash() == (try fixture.plainState()))
        try fixture.expectPlainPass()
    }

    @Test("killed again and again, a process goes on from its snapshots, and nothing is changed")
    func killed() throws {
        let fixture = try PipelineFixture("killed", partitions: 1, state: "restore_within: 1 ms")
        var produced = 0
        for round in 0..<4 {
            let program = try ProgramProcess(fixture)
            for _ in 0..<5 {
                try fixture.produce(produced..<produced + 1000)
                produced += 1000
                usleep(50_000)
            }
            try fixture.waitForPredictions(produced - 700 * round)
            // The faster the machine, the more records lie before the first snapshot.
            while round == 0, try fixture.journal().last?.live == nil {
                try #require(produced < 500_000, "no snapshot is written")
                try fixture.produce(produced..<produced + 5000)
                produced += 5000
                try fixture.waitForPredictions(produced)
            }
            program.kill()
        }
        let program = try ProgramProcess(fixture)
        try program.wait(for: "task restored")
        #expect(program.said.contains(" snapshot="), "\(program.said)")
        try fixture.waitForPredictions(produced)
        #expect(program.stop() == 0)
        try fixture.expectPlainPass()
    }

    @Test("a damaged snapshot is passed over for the one before it, and that is said")
    func damaged() throws {
        let fixture = try PipelineFixture("damaged", partitions: 1, state: "restore_within: 1 ms")
        let produced = try run(fixture, from: 0, snapshots: 3)
        let probe = StateProbe(.flippedIndex)
        _ = try run(fixture, from: produced, snapshots: 1, probe: probe)
        let note = try #require(fixture.said.first { $0.contains("cannot be loaded") })
        #expect(note.contains("damaged"))
        #expect(probe.stateHash() == (try fixture.plainState()))
        try fixture.expectPlainPass()
    }

    @Test(
        "without its state topic a pipeline says what to do, or replays what the journal still has")
    func deleted() throws {
        let fixture = try PipelineFixture("deleted", partitions: 1, state: "restore_within: 1 ms")
        let kept = try PipelineFixture(
            "kept", partitions: 1, state: "restore_within: 1 ms, history: 1 day")
        for one in [fixture, kept] {
            let produced = try run(one, from: 0, snapshots: 3)
            let admin = try KafkaAdmin(settings: one.settings, log: one.log)
            defer { admin.close() }
            try admin.delete(one.pipeline.output.stateTopic)
            try one.wait("the topic is gone") {
                try admin.partitionCount(of: one.pipeline.output.stateTopic) == nil
            }
            guard one === fixture else {
                #expect(try starts(of: one.pipeline.output.journalTopic, one) == 0)
                _ = try run(one, from: produced, snapshots: 1)
                #expect(one.said.contains { $0.contains("the whole journal is replayed instead") })
                try one.expectPlainPass()
                continue
            }
            let folder = try TestFolder()
            let check = ProgramRun("check", try folder.file("it.yaml", one.text), "--connect")
            #expect(check.code == .failure)
            #expect(check.output.contains("restore the state topic"), "\(check.output)")
            guard case .failed(let reason)? = one.start().wait(seconds: 180) else {
                Issue.record("it did not stop; \(one.said)")
                continue
            }
            #expect(reason.contains("the state topic was deleted or emptied"), "\(reason)")
            #expect(reason.contains("restore the state topic"), "\(reason)")
        }
    }

    @Test("a running process whose state topic is deleted makes it anew and stores its model")
    func deletedWhileRunning() throws {
        let fixture = try PipelineFixture("emptied", partitions: 1, state: "restore_within: 1 ms")
        let topic = fixture.pipeline.output.stateTopic
        let produced = try run(fixture, from: 0, snapshots: 3)
        let running = fixture.start { $0.metadataInterval = 200 }
        try fixture.wait("it is live") { running.process.status.liveTasks == [0] }
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.delete(topic)
        // Nothing is produced meanwhile: no snapshot would be due.
        try fixture.wait("the model is stored again", seconds: 180) {
            fixture.said.contains { $0.contains("the model is stored again") }
        }
        #expect(fixture.said.contains { $0.contains("topic \(topic) was deleted or emptied") })
        #expect(running.stop() == .stopped)
        #expect(try starts(of: fixture.pipeline.output.journalTopic, fixture) > 0)
        try goOn(fixture, from: produced)
    }

    @Test("a process that stops when its state topic was deleted stores its model first")
    func deletedBeforeStop() throws {
        let fixture = try PipelineFixture("emptied", partitions: 1, state: "restore_within: 1 ms")
        let topic = fixture.pipeline.output.stateTopic
        let produced = try run(fixture, from: 0, snapshots: 3)
        let running = fixture.start { $0.metadataInterval = 3_600_000 }
        try fixture.wait("it is live") { running.process.status.liveTasks == [0] }
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.delete(topic)
        try fixture.wait("the topic is gone") { try admin.partitionCount(of: topic) == nil }
        #expect(running.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("topic \(topic) was deleted or emptied") })
        #expect(running.process.status.snapshots >= 1)
        try goOn(fixture, from: produced)
    }

    @Test("a store that refuses is told once, and the pipeline goes on", arguments: [0, 1])
    func refused(_ kind: Int) throws {
        let fixture = try PipelineFixture("refused", partitions: 1, state: "restore_within: 1 ms")
        let words = kind == 0 ? "cannot be deleted" : "could not be written"
        let probe = StateProbe(kind == 0 ? .refusedTrims : .refusedWrites)
        let running = fixture.start {
            $0.instrument = probe
            $0.snapshotRecordsMax = 1000
        }
        var produced = 0
        try fixture.wait("it is said", seconds: 180) {
            if fixture.said.contains(where: { $0.contains(words) }) { return true }
            if running.process.status.records + 2000 > produced {
                try fixture.produce(produced..<produced + 2000)
                produced += 2000
            }
            return false
        }
        try fixture.produce(produced..<produced + 4000)
        try fixture.waitForPredictions(produced + 4000, seconds: 180)
        #expect(running.stop() == .stopped)
        #expect(fixture.said.count { $0.contains(words) } == 1)
        try fixture.expectPlainPass()
    }

    @Test("a planned stop writes a snapshot where that spares a long replay")
    func plannedStop() throws {
        // Long enough that no other snapshot is due, and that the stop waits for this one.
        let fixture = try PipelineFixture(
            "planned", partitions: 1, state: "restore_within: 1 min")
        try fixture.produce(0..<1500)
        let first = fixture.start { $0.instrument = StateProbe(microsecondsPerRecord: 4000) }
        try fixture.waitForPredictions(1500)
        #expect(first.stop() == .stopped)
        #expect(first.process.status.snapshots == 1)
        let second = fixture.start()
        try fixture.wait("it is live") { second.process.status.liveTasks == [0] }
        #expect(second.stop() == .stopped)
        #expect(second.process.status.snapshots == 0, "nothing new to keep")
        let line = try #require(fixture.said.last { $0.contains("task restored") })
        #expect(line.contains(" snapshot=") && line.contains("replayed_records=0"), "\(line)")
    }

    @Test("tasks that share a lane share the time for a restore")
    func sharedLane() throws {
        // Alone, a task would need 4,900 records of half a millisecond for half of the time.
        let fixture = try PipelineFixture(
            "shared", partitions: 4, scope: "partition", state: "restore_within: 6 s")
        let running = fixture.start {
            $0.instrument = StateProbe(microsecondsPerRecord: 500)
            $0.laneCount = 1
        }
        try fixture.produce(0..<8000)
        try fixture.wait("a snapshot of each", seconds: 180) {
            running.process.status.snapshots >= 4
        }
        try fixture.waitForPredictions(8000, seconds: 180)
        #expect(running.stop() == .stopped)
        try fixture.expectPlainPass()
    }

    @Test("it is said when the tasks of a lane together would take too long, not one of them")
    func slowLane() throws {
        let fixture = try PipelineFixture(
            "slow", partitions: 4, scope: "partition", state: "restore_within: 100 ms")
        let running = fixture.start {
            $0.instrument = StateProbe(.refusedWrites, microsecondsPerRecord: 700)
            $0.laneCount = 1
        }
        try fixture.produce(0..<4400)
        try fixture.wait("it is said", seconds: 180) {
            fixture.said.contains { $0.contains("a restart would take about") }
        }
        #expect(running.process.status.estimatedRestoreMilliseconds ?? 0 > 2000)
        let line = try #require(fixture.said.first { $0.contains("a restart would take about") })
        #expect(line.contains("tasks=0,1,2,3"), "\(line)")
        #expect(running.stop() == .stopped)
    }

    @Test("a task that is kept across a rebalance goes on with its snapshots")
    func rebalanced() throws {
        let fixture = try PipelineFixture(
            "moved", partitions: 2, scope: "partition", state: "restore_within: 1 ms")
        let first = fixture.start(instanceID: "a")
        try fixture.produce(0..<6000)
        try fixture.waitForPredictions(6000)
        let second = fixture.start(instanceID: "b")
        try fixture.wait("both have tasks") {
            first.process.status.liveTasks.count == 1 && second.process.status.liveTasks.count == 1
        }
        try fixture.produce(6000..<12000)
        try fixture.waitForPredictions(12000, seconds: 180)
        #expect(second.stop() == .stopped)
        try fixture.produce(12000..<13000)
        try fixture.waitForPredictions(13000, seconds: 180)
        #expect(first.stop() == .stopped)
        try fixture.expectPlainPass()
    }
}
