// Method: the built program at least once on a real broker, killed at random moments; what readers saw,
// copies left out, is compared with one uninterrupted pass in memory (one input) and with a plain
// walk along the journal (several inputs); copies must be equal to the byte.
import Core
import Engine
import Foundation
import KafkaIO
import State
import TestSupport
import Testing

@Suite(
    "At least once, processes",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct AtLeastOnceProcessTests {
    /// Kills of each run; more of them where the environment asks for it.
    private static let kills =
        Int(ProcessInfo.processInfo.environment["TIDEWHEEL_KILLS"] ?? "") ?? 5
    private static let mode = "delivery: { guarantee: at_least_once }"

    /// Runs the program on a load, killing and restarting it at drawn moments; stops it in order.
    private func runWithKills(_ fixture: PipelineFixture, kills: Int, seed: UInt64) throws -> Int {
        var random = SplitMix64(seed: seed)
        let instance = ["--instance-id", "one"]
        var process = try ProgramProcess(fixture, instance)
        try process.wait(for: "task started")
        var produced = 50
        try fixture.produce(0..<produced)
        try fixture.wait("the journal has an entry") { try positions(fixture) > 0 }
        for _ in 0..<kills {
            let pieces = 1 + random.next(below: 5)
            for _ in 0..<pieces {
                try fixture.produce(produced..<produced + 150)
                produced += 150
                usleep(UInt32(random.next(below: 60_000)))
            }
            process.kill()
            try fixture.produce(produced..<produced + 50)
            produced += 50
            process = try ProgramProcess(fixture, instance)
            if random.next(below: 3) > 0 { try process.wait(for: "task restored") }
        }
        try process.wait(for: "task restored")
        try fixture.produce(produced..<produced + 300)
        produced += 300
        try fixture.wait("every record has its prediction", seconds: 180) {
            try positions(fixture) == produced
        }
        #expect(process.stop() == 0, "\(process.said)")
        return produced
    }

    /// The records that have a prediction.
    private func positions(_ fixture: PipelineFixture) throws -> Int {
        Set(try fixture.committed(.predictions).joined().map(\.text)).count
    }

    /// The predictions of each partition by offset, without copies; copies must be equal.
    private func withoutCopies(
        _ fixture: PipelineFixture
    ) throws -> (predictions: [[Int64: String]], copies: Int) {
        var copies = 0
        let predictions = try fixture.committed(.predictions).map { records in
            var found: [Int64: String] = [:]
            for record in records {
                let offset = try #require(Self.offset(record.text), "\(record.text)")
                if let known = found[offset] {
                    copies += 1
                    #expect(known == record.text, "a copy differs")
                }
                found[offset] = record.text
            }
            return found
        }
        return (predictions, copies)
    }

    private static func offset(_ prediction: String) -> Int64? {
        guard let range = prediction.range(of: "\"offset\":") else { return nil }
        return Int64(prediction[range.upperBound...].prefix { $0.isNumber })
    }

    @Test("one input: killed at random, nothing is lost or changed, copies are equal")
    func oneInput() throws {
        let fixture = try PipelineFixture(
            "least-one", partitions: 2, scope: "partition", kafka: "session.timeout.ms: 6000",
            more: Self.mode)
        let produced = try runWithKills(fixture, kills: Self.kills, seed: 11)
        let (predictions, copies) = try withoutCopies(fixture)
        #expect(predictions.map(\.count).reduce(0, +) == produced)
        let inputs = try fixture.read(fixture.name)
        let expected = try fixture.oracle(inputs)
        for partition in inputs.indices {
            let found = inputs[partition].map { predictions[partition][$0.offset] ?? "none" }
            #expect(found == expected[partition], "partition \(partition), \(copies) copies")
        }
    }

    @Test("several inputs: killed at random, the outputs are those of the journal's order")
    func severalInputs() throws {
        let fixture = try PipelineFixture(
            "least-many", partitions: 3, kafka: "session.timeout.ms: 6000", more: Self.mode)
        let produced = try runWithKills(fixture, kills: Self.kills, seed: 12)
        let (predictions, copies) = try withoutCopies(fixture)
        #expect(predictions.map(\.count).reduce(0, +) == produced)
        let expected = try journalWalk(fixture)
        #expect(expected.count == produced)
        for prediction in expected {
            #expect(
                predictions[prediction.partition][prediction.offset] == prediction.text,
                "\(copies) copies")
        }
    }

    @Test("the guarantee may change between two runs: the model goes on, its journal stays one")
    func switching() throws {
        let fixture = try PipelineFixture("least-switch", partitions: 3)
        let other = fixture.text + "\n" + Self.mode
        var produced = 0
        for (run, text) in [other, fixture.text, other, other, fixture.text].enumerated() {
            let process = try ProgramProcess(fixture, text: text)
            try process.wait(for: run == 0 ? "task started" : "task restored")
            try fixture.produce(produced..<produced + 300)
            produced += 300
            try fixture.wait("read") { try positions(fixture) == produced }
            // Killed but for the last: at least once the last outputs are written again.
            if run == 2 { process.kill() } else { #expect(process.stop() == 0, "\(process.said)") }
        }
        let (predictions, _) = try withoutCopies(fixture)
        let expected = try journalWalk(fixture)
        #expect(expected.count == produced)
        for prediction in expected {
            #expect(predictions[prediction.partition][prediction.offset] == prediction.text)
        }
    }

    @Test("a process that sleeps past its session is heeded by nobody when it wakes up")
    func zombie() throws {
        let fixture = try PipelineFixture(
            "least-zombie", partitions: 3, kafka: "session.timeout.ms: 6000", more: Self.mode)
        let first = try ProgramProcess(fixture)
        try first.wait(for: "task started")
        let second = try ProgramProcess(fixture)
        try second.wait(for: "standing by")
        try fixture.produce(0..<600)
        try fixture.wait("read") { try positions(fixture) == 600 }
        first.child.signal(SIGSTOP)
        try fixture.produce(600..<900)
        try second.wait(for: "task restored")
        try fixture.wait("read on") { try positions(fixture) >= 900 }
        first.child.signal(SIGCONT)
        try fixture.produce(900..<1500)
        try fixture.wait("read by one of them") {
            try withoutCopies(fixture).predictions.map(\.count).reduce(0, +) == 1500
        }
        #expect(second.stop() == 0, "\(second.said)")
        #expect(first.stop() == 0, "\(first.said)")
        let expected = try journalWalk(fixture)
        #expect(expected.count == 1500)
        // It asked before it wrote, so that not even a copy differs.
        let (predictions, _) = try withoutCopies(fixture)
        for prediction in expected {
            #expect(predictions[prediction.partition][prediction.offset] == prediction.text)
        }
    }

    /// What the pipeline predicts along its journal: rounds put in order by the simplest code that can.
    private func journalWalk(
        _ fixture: PipelineFixture
    ) throws -> [(partition: Int, offset: Int64, text: String)] {
        let inputs = try fixture.read(fixture.name)
        let log = MemoryLog(topic: fixture.name, read: inputs)
        for input in inputs.indices { try log.poll(input, upTo: .max) }
        var filter = JournalFilter()
        var next = inputs.map { _ in 0 }
        var order: [RawRecord] = []
        for record in try fixture.committed(.journal).joined() {
            guard let entry = try filter.entry(in: record.value ?? []) else { continue }
            for round in entry.rounds {
                var taken: [(time: Int64, input: Int)] = []
                for input in inputs.indices {
                    while next[input] < inputs[input].count,
                        inputs[input][next[input]].offset < round[input]
                    {
                        taken.append((inputs[input][next[input]].timestamp, input))
                        next[input] += 1
                    }
                }
                // Heads by time, then by input: what a merge of queues gives.
                var heads = inputs.indices.map { input in
                    next[input] - taken.count { $0.input == input }
                }
                for _ in taken {
                    let open = inputs.indices.filter { heads[$0] < next[$0] }
                    let best = open.min {
                        (inputs[$0][heads[$0]].timestamp, $0)
                            < (inputs[$1][heads[$1]].timestamp, $1)
                    }
                    let input = try #require(best)
                    order.append(log.withQueued(input) { $0[heads[input]] })
                    heads[input] += 1
                }
            }
        }
        let processor = try PipelineProcessor(
            pipeline: fixture.pipeline, taskIndex: 0, format: fixture.pipeline.input.format)
        var output = OutputBuffer()
        try processor.process(order.span, headers: { _ in [] }, into: &output)
        return output.entries.filter { $0.stream == .predictions }.map { entry in
            let value = [UInt8](copying: output.value(of: entry))
            let text = String(decoding: value, as: UTF8.self)
            return (Int(entry.partition), Self.offset(text) ?? -1, text)
        }
    }
}
