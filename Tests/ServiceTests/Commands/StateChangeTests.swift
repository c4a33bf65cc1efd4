// Method: a pipeline on a real broker is stopped, its file is changed, and what `check --connect` says
// is compared with what starting it does; resets and new versions must keep one prediction for each
// record, with the old model's before and the new model's after.
import Core
import Engine
import Formats
import Foundation
import KafkaIO
import Service
import State
import Synchronization
import TestSupport
import Testing

@Suite(
    "Changes of a running pipeline",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct StateChangeTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// A pipeline that has taken its records and has stopped.
    private func stopped(_ prefix: String, records: Int = 400) throws -> PipelineFixture {
        let fixture = try PipelineFixture(prefix, partitions: 1)
        try fixture.produce(0..<records)
        let running = fixture.start()
        try fixture.waitForPredictions(records)
        #expect(running.stop() == .stopped)
        return fixture
    }

    private func changed(_ fixture: PipelineFixture, _ old: String, _ new: String) throws -> String
    {
        let text = fixture.text.replacing(old, with: new)
        #expect(text != fixture.text)
        return try folder.file("changed.yaml", text)
    }

    /// Runs a pipeline file until so many predictions are committed, or until it fails.
    private func run(_ file: String, of fixture: PipelineFixture, until count: Int?) throws
        -> String
    {
        let pipeline = try PipelineReader.read(path: file).pipeline
        let process = RunningProcess(
            PipelineProcess(pipeline: pipeline, log: ProcessLog { _, _ in }))
        if let count { try fixture.waitForPredictions(count) }
        guard case .failed(let reason)? = count == nil ? process.wait(seconds: 180) : process.stop()
        else { return "" }
        return reason
    }

    /// The predictions of a model that begins with a record.
    private func plain(_ fixture: PipelineFixture, from offset: Int) throws -> [String] {
        try fixture.oracle([fixture.read(fixture.name)[0].filter { $0.offset >= offset }])[0]
    }

    @Test("changed metrics and detectors are told and taken, and the model goes on")
    func kept() throws {
        let fixture = try stopped("kept")
        let file = try changed(
            fixture, "windows: [200 records]", "windows: [50 records, 100 records]")
        let check = ProgramRun("check", file, "--connect")
        #expect(check.code == .success, "\(check.messages)\(check.output)")
        #expect(check.output.contains("metrics.windows: [200 records] → [50 records, 100 records]"))
        #expect(check.output.contains("metrics begin anew"))
        #expect(check.output.contains("is kept"))
        try fixture.produce(400..<500)
        #expect(try run(file, of: fixture, until: 500) == "")
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }

    @Test("input that a restart needs and that retention has deleted is told by the check")
    func lostInput() throws {
        let fixture = try stopped("lost")
        let file = try folder.file("it.yaml", fixture.text)
        #expect(ProgramRun("check", file, "--connect").code == .success)
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.deleteRecords(
            of: TopicPartition(topic: fixture.name, partition: 0), before: 100)
        let check = ProgramRun("check", file, "--connect")
        #expect(check.code == .failure)
        let words = "\(fixture.name)[0]: the records from offset 0 on are gone"
        #expect(check.output.contains(words), "\(check.output)")
        #expect(try run(file, of: fixture, until: nil).contains(words))
    }

    @Test("a journal that was cut, and for which no snapshot stands, is told by the check")
    func cutJournal() throws {
        let fixture = try stopped("cut")
        let file = try folder.file("it.yaml", fixture.text)
        try fixture.produce(400..<500)
        #expect(try run(file, of: fixture, until: 500) == "")
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        let journal = TopicPartition(topic: fixture.pipeline.output.journalTopic, partition: 0)
        try admin.deleteRecords(of: journal, before: 2)
        let words = "no snapshot stands for what came before"
        let check = ProgramRun("check", file, "--connect")
        #expect(check.code == .failure)
        #expect(check.output.contains(words), "\(check.output)")
        #expect(try run(file, of: fixture, until: nil).contains(words))
    }

    @Test("a process that stands by with a file that would be refused says so")
    func unfitStandby() throws {
        let fixture = try PipelineFixture("unfit", partitions: 1)
        try fixture.produce(0..<100)
        let running = fixture.start()
        try fixture.waitForPredictions(100)
        let other = try PipelineReader.read(path: try changed(fixture, "0.05", "0.1")).pipeline
        let said = Said()
        var options = ProcessOptions()
        options.metadataInterval = 200
        let standby = RunningProcess(
            PipelineProcess(pipeline: other, options: options, log: ProcessLog { said.add($1) }))
        try fixture.wait("it is said") { said.contains("could not take over") }
        #expect(said.contains("standing by"))
        #expect(standby.stop() == .stopped)
        #expect(running.stop() == .stopped)
    }

    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func contains(_ words: String) -> Bool {
            lines.withLock { $0.contains { $0.contains(words) } }
        }
    }

    @Test("a model setting is refused with its key, and a raised version begins a new model")
    func newVersion() throws {
        let fixture = try stopped("version")
        let other = try changed(fixture, "0.05", "0.1")
        let refused = ProgramRun("check", other, "--connect")
        #expect(refused.code == .failure)
        #expect(refused.output.contains("model.learning_rate: 0.05 → 0.1"), "\(refused.output)")
        #expect(refused.output.contains("state.version: 2"), "\(refused.output)")
        let reason = try run(other, of: fixture, until: nil)
        #expect(reason.contains("model.learning_rate: 0.05 → 0.1"), "\(reason)")
        #expect(reason.contains("set state.version: 2"), "\(reason)")
        // A file whose version has not begun proves nothing about what is stored.
        let early = try changed(fixture, "state: {", "state: { version: 2,")
        #expect(ProgramRun("state", "verify", early).code == .failure)
        #expect(ProgramRun("replay", early, "--until", "5").messages.contains("has not begun"))
        #expect(try fixture.committed(.predictions)[0].count == 400)

        let raised = try changed(fixture, "state: {", "state: { version: 2,")
        let begins = ProgramRun("check", raised, "--connect", "--json")
        #expect(begins.code == .success, "\(begins.output)")
        let json = try #require(JSONValue(Array(begins.output.utf8)))
        #expect(json["state"]?["verdict"]?.text == "new_version")
        try fixture.produce(400..<500)
        #expect(try run(raised, of: fixture, until: 500) == "")
        try fixture.produce(500..<600)
        #expect(try run(raised, of: fixture, until: 600) == "")
        #expect(try fixture.coverageProblem() == nil)
        let predictions = try fixture.committed(.predictions)[0].map(\.text)
        #expect(Array(predictions[400...]) == (try plain(fixture, from: 400)))
        let original = try folder.file("original.yaml", fixture.text)
        let older = ProgramRun("check", original, "--connect")
        #expect(older.code == .failure)
        #expect(older.output.contains("at state.version 2"), "\(older.output)")
        #expect(ProgramRun("state", "verify", raised).code == .success)
    }

    @Test("reset begins a new model where the old one ended, and is refused while it runs")
    func reset() throws {
        let fixture = try PipelineFixture("reset", partitions: 1)
        let file = try folder.file("reset.yaml", fixture.text)
        try fixture.produce(0..<400)
        let running = fixture.start()
        try fixture.waitForPredictions(400)
        let refused = ProgramRun("state", "reset", file, "--yes")
        #expect(refused.code == .failure)
        #expect(refused.messages.contains("is running: group"), "\(refused.messages)")
        #expect(running.stop() == .stopped)
        let unasked = ProgramRun("state", "reset", file)
        #expect(unasked.code == .usage)
        #expect(unasked.messages.contains("add --yes"))
        #expect(unasked.messages.contains("the model after entry"))
        let last = try #require(try fixture.journal().last)
        let done = ProgramRun("state", "reset", file, "--yes")
        #expect(done.code == .success, "\(done.messages)")
        #expect(done.output.contains("a new model begins at \(fixture.name)[0]@400"))
        let entries = try fixture.journal()
        #expect(entries.count == 1)
        #expect(entries[0].sequence == 0)
        #expect(entries[0].nextOffsets == last.nextOffsets)
        #expect(ProgramRun("check", file, "--connect").code == .success)
        try fixture.produce(400..<500)
        #expect(try run(file, of: fixture, until: 500) == "")
        try fixture.produce(500..<550)
        #expect(try run(file, of: fixture, until: 550) == "")
        #expect(try fixture.coverageProblem() == nil)
        let predictions = try fixture.committed(.predictions)[0].map(\.text)
        #expect(Array(predictions[400...]) == (try plain(fixture, from: 400)))
        #expect(ProgramRun("state", "verify", file).code == .success)
    }

    @Test("a reset also helps a pipeline whose journal is gone, and fences whoever is left")
    func emptyJournal() throws {
        let fixture = try stopped("emptied")
        let file = try folder.file("emptied.yaml", fixture.text)
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        let journal = TopicPartition(
            topic: fixture.pipeline.output.journalTopic, partition: 0)
        try admin.deleteRecords(of: journal, before: try admin.watermarks(of: journal).high)
        let reason = try run(file, of: fixture, until: nil)
        #expect(reason.contains("state reset"), "\(reason)")
        let verify = ProgramRun("state", "verify", file)
        #expect(verify.code == .failure)
        #expect(verify.output.contains("broken"), "\(verify.output)")
        // A producer of the task that believes it is still the owner.
        let zombie = KafkaTransactionalOutput(
            settings: fixture.settings, transactionalID: "\(fixture.pipeline.groupID).0",
            topics: [.journal: fixture.pipeline.output.journalTopic],
            token: GroupToken(groupID: fixture.pipeline.groupID),
            callMilliseconds: PipelineFixture.patience, log: fixture.log)
        defer { zombie.close() }
        try zombie.initialize()
        try zombie.begin()
        #expect(ProgramRun("state", "reset", file, "--yes").code == .success)
        var buffer = OutputBuffer()
        let nothing: [UInt8] = [0]
        buffer.append(nothing.span, to: .journal, partition: 0)
        #expect(throws: OutputFailure.self) {
            try zombie.send(buffer)
            try zombie.commit()
        }
        try fixture.produce(400..<450)
        #expect(try run(file, of: fixture, until: 450) == "")
        #expect(try fixture.coverageProblem() == nil)
        let predictions = try fixture.committed(.predictions)[0].map(\.text)
        #expect(Array(predictions[400...]) == (try plain(fixture, from: 400)))
    }

    @Test("at least once, too, a version and a reset leave no record out and none twice")
    func atLeastOnce() throws {
        let fixture = try PipelineFixture(
            "claimed", partitions: 2, more: "delivery: { guarantee: at_least_once }")
        try fixture.produce(0..<400)
        let running = fixture.start()
        try fixture.waitForPredictions(400)
        #expect(running.stop() == .stopped)
        let raised = try changed(fixture, "state: {", "state: { version: 2,")
        try fixture.produce(400..<500)
        #expect(try run(raised, of: fixture, until: 500) == "")
        #expect(try fixture.coverageProblem() == nil)
        let verified = ProgramRun("state", "verify", raised)
        #expect(verified.code == .success, "\(verified.output)")
        let listed = ProgramRun("state", "list", raised, "--json")
        let task = JSONValue(Array(listed.output.utf8))?["tasks"]?.list?.first
        #expect(task?["version"]?.integer == 2)
        #expect(task?["lag"]?.integer == 0)
        let reset = ProgramRun("state", "reset", raised, "--yes")
        #expect(reset.code == .success, "\(reset.messages)")
        try fixture.produce(500..<600)
        #expect(try run(raised, of: fixture, until: 600) == "")
        #expect(try fixture.coverageProblem() == nil)
        #expect(ProgramRun("state", "verify", raised).code == .success)
    }

    @Test("another pipeline under the same name is told by its keys")
    func foreign() throws {
        let fixture = try stopped("foreign")
        let other = fixture.cluster.uniqueName("foreign-input")
        try fixture.cluster.createTopic(other, partitions: 1)
        let file = try changed(fixture, "topic: \(fixture.name),", "topic: \(other),")
        let check = ProgramRun("check", file, "--connect")
        #expect(check.code == .failure)
        #expect(check.output.contains("input.topic: \(fixture.name) → \(other)"))
        let reason = try run(file, of: fixture, until: nil)
        #expect(reason.contains("was written with other inputs"), "\(reason)")
        let moved = try changed(fixture, "state: {", "output: { journal: \(other) }\nstate: {")
        let lost = ProgramRun("check", moved, "--connect")
        #expect(lost.code == .failure)
        #expect(lost.output.contains("journal"), "\(lost.output)")
    }
}
