// Method: a pipeline runs on a real broker; what the commands say of its state is compared with what
// is stored, and a state that is computed again with that of a plain run over the same records.
import Core
import Engine
import Formats
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite(
    "Stored state",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct StateCommandTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// A pipeline that has taken all of its records and has stopped.
    private func stopped(
        _ prefix: String, partitions: Int, scope: String = "pipeline", records: Int = 600
    ) throws -> (fixture: PipelineFixture, file: String) {
        let fixture = try PipelineFixture(prefix, partitions: partitions, scope: scope)
        let file = try folder.file("\(fixture.name).yaml", fixture.text)
        try fixture.produce(0..<records)
        let running = fixture.start()
        try fixture.waitForPredictions(records)
        #expect(running.stop() == .stopped)
        return (fixture, file)
    }

    private func json(_ words: String...) throws -> JSONValue {
        let run = ProgramRun(words + ["--json"])
        #expect(run.code == .success, "\(words): \(run.messages)\(run.output)")
        return try #require(JSONValue(Array(run.output.utf8)), "\(run.output)")
    }

    /// The hash of header and state after the records of one partition before an offset.
    private func plainHash(
        _ fixture: PipelineFixture, task: Int, before offset: Int, sequence: Int
    ) throws -> String {
        let processor = try PipelineProcessor(
            pipeline: fixture.pipeline, taskIndex: task, format: .json)
        let records = try fixture.read(fixture.name)[task].filter { $0.offset < offset }
        var output = OutputBuffer()
        try processor.pass(records, ofPartition: task, into: &output)
        var encoder = StateEncoder()
        SnapshotHeader(
            fingerprint: processor.fingerprint, task: Int32(task), sequence: UInt64(sequence)
        ).encode(to: &encoder)
        processor.encodeState(to: &encoder)
        let digits = String(contentHash(of: encoder.finish()), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test("list says how far each task is and what is kept")
    func list() throws {
        let (fixture, file) = try stopped("list", partitions: 2, scope: "partition")
        let result = try json("state", "list", file)
        let tasks = try #require(result["tasks"]?.list)
        #expect(tasks.count == 2)
        for (index, task) in tasks.enumerated() {
            let last = try #require(try fixture.journal(index).last)
            #expect(task["sequence"]?.integer == Int(last.sequence))
            #expect(task["generation"]?.integer == Int(last.generation))
            #expect(task["lag"]?.integer == 0)
            #expect(task["inputs"]?.list?.count == 1)
            #expect(task["inputs"]?.list?[0]["next_offset"]?.integer == 300)
            #expect(task["remarks"]?.list?.isEmpty == true)
            #expect(task["fingerprint"]?.text == result["fingerprint"]?.text)
        }
        let text = ProgramRun("state", "list", file)
        #expect(text.code == .success)
        #expect(text.output.contains("\(fixture.name): 2 tasks, one model per partition"))
        #expect(text.output.contains("\(fixture.name)[1]@300"))
        try fixture.produce(600..<650, to: 1)
        let behind = try json("state", "list", file, "--task", "1")
        #expect(behind["tasks"]?.list?.count == 1)
        #expect(behind["tasks"]?.list?[0]["lag"]?.integer == 50)
    }

    @Test("show tells what the model has become")
    func show() throws {
        let (_, file) = try stopped("show", partitions: 1)
        let result = try json("state", "show", file)
        #expect(result["model"]?["name"]?.text == "logistic_regression")
        #expect(result["model"]?["records"]?.integer == 600)
        #expect(result["model"]?["evaluated"]?.integer == 600)
        #expect(result["model"]?["parameters"]?.integer == 3)
        #expect(result["model"]?["classes"]?.list?.map(\.text) == ["0", "1"])
        #expect(result["restore"]?["replayed_records"]?.integer == 600)
        let text = ProgramRun("state", "show", file).output
        #expect(text.contains("logistic_regression, parameters 3"), "\(text)")
        #expect(text.contains("s here, from the journal's beginning, with 600"), "\(text)")
    }

    @Test("verify proves every task, and finds a changed input")
    func verify() throws {
        let (fixture, file) = try stopped("verify", partitions: 2, scope: "partition")
        let good = try json("state", "verify", file)
        #expect(good["ok"] == .boolean(true))
        #expect(good["tasks"]?.list?.map { $0["verdict"]?.text } == ["ok", "ok"])
        // Records that the journal's entries took are deleted from one partition.
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.deleteRecords(
            of: TopicPartition(topic: fixture.name, partition: 1), before: 100)
        let bad = ProgramRun("state", "verify", file)
        #expect(bad.code == .failure)
        #expect(bad.output.contains("task 0: ok"), "\(bad.output)")
        #expect(bad.output.contains("are gone"), "\(bad.output)")
    }

    @Test("replay gives the state that a plain run has at that moment")
    func replay() throws {
        let (fixture, file) = try stopped("replay", partitions: 2, scope: "partition")
        let state = folder.path("state")
        for (task, offset) in [(0, 17), (1, 150), (1, 299)] {
            let result = try json(
                "replay", file, "--until", "\(fixture.name):\(task):\(offset)", "--state", state)
            let next = try #require(result["inputs"]?.list?[0]["next_offset"]?.integer)
            let sequence = try #require(result["sequence"]?.integer)
            #expect(next > offset)
            #expect(result["task"]?.integer == task)
            #expect(result["model"]?["records"]?.integer == next)
            #expect(result["proved_entries"]?.integer == sequence + 1)
            #expect(
                try result["state_hash"]?.text
                    == plainHash(fixture, task: task, before: next, sequence: sequence))
            let bytes = try Data(contentsOf: URL(filePath: state))
            #expect(bytes.count == result["state_bytes"]?.integer)
        }
        let times = try fixture.committed(.journal)[0].map(\.timestamp)
        let middle = times[times.count / 2]
        let moment = TimeText.utc(milliseconds: middle)
        let result = try json("replay", file, "--until", moment, "--task", "0")
        let last = try #require(times.lastIndex { $0 <= middle })
        #expect(result["sequence"]?.integer == last)
        #expect(result["committed"]?.text == moment)
    }

    @Test("moments that cannot be had are refused in words")
    func refusals() throws {
        let (fixture, file) = try stopped("refused", partitions: 2, scope: "partition")
        func refusal(_ code: ExitCode, _ words: String...) -> String {
            let run = ProgramRun(["replay", file] + words)
            #expect(run.code == code, "\(words)")
            return run.messages
        }
        #expect(refusal(.failure, "--until", "0:300").contains("is not committed: task 0 stands"))
        #expect(refusal(.usage, "--until", "17").contains("names none; write PARTITION:OFFSET"))
        #expect(refusal(.usage, "--until", "2:1").contains("there is no partition 2"))
        #expect(refusal(.usage, "--until", "other:1:1").contains("does not read other"))
        #expect(refusal(.usage, "--until", "yesterday").contains("neither an offset nor a time"))
        #expect(refusal(.usage, "--until", "1:5", "--task", "0").contains("belongs to task 1"))
        #expect(
            refusal(.failure, "--until", "2001-01-01T00:00:00Z").contains("the earliest commit"))
        #expect(
            refusal(.usage, "--until", "2001-01-01T00:00:00Z", "--state", "x").contains("--task"))
        let action = ProgramRun("state", "verfy", file)
        #expect(action.code == .usage)
        #expect(action.messages.contains("did you mean 'verify'?"))
        #expect(ProgramRun("state", "list", file, "--task", "2").code == .usage)
        let other = try folder.file(
            "other.yaml", fixture.text.replacing("pipeline: ", with: "pipeline: never-"))
        let never = ProgramRun("state", "list", other)
        #expect(never.code == .failure)
        #expect(never.messages.contains("has no state here"), "\(never.messages)")
    }
}
