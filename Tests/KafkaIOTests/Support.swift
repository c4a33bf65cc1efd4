// Method: what the tests of Kafka share: a broker, clients on it, and waiting for conditions.
import CPlatform
import Core
import KafkaIO
import State
import Synchronization
import TestSupport
import Testing

/// The lines that a log received.
final class LogLines: Sendable {
    private let lines = Mutex<[KafkaLogLine]>([])

    func add(_ line: KafkaLogLine) { lines.withLock { $0.append(line) } }
    var all: [KafkaLogLine] { lines.withLock { $0 } }
    func contains(_ text: String) -> Bool { all.contains { $0.message.contains(text) } }
    func count(of text: String) -> Int { all.filter { $0.message.contains(text) }.count }
}

/// One pipeline's names and clients on a cluster.
struct TestPipeline {
    let settings: KafkaSettings
    let log: KafkaLog
    let lines: LogLines
    let admin: KafkaAdmin
    let name: String

    var input: String { "\(name).input" }
    var output: String { "\(name).predictions" }
    var journal: String { "\(name).journal" }
    var state: String { "\(name).state" }

    init(bootstrap: String, extra: [TextPair] = []) throws {
        let lines = LogLines()
        self.lines = lines
        settings = KafkaSettings(common: [TextPair("bootstrap.servers", bootstrap)] + extra)
        log = KafkaLog { lines.add($0) }
        name = "t\(UInt64.random(in: 0...UInt64.max))"
        admin = try KafkaAdmin(settings: settings, groupID: name, log: log)
    }

    /// A pipeline on the cluster that all tests share, with its topics.
    static func shared(partitions: Int = 1) throws -> TestPipeline {
        let pipeline = try TestPipeline(bootstrap: try KafkaCluster.shared().bootstrap)
        try pipeline.createTopics(partitions: partitions)
        return pipeline
    }

    func createTopics(partitions: Int) throws {
        for topic in [input, output] {
            try admin.create(TopicSpecification(name: topic, partitionCount: partitions))
        }
        try admin.create(.journal(journal, partitionCount: partitions))
    }

    func feed(_ values: [String], partition: Int32 = 0, topic: String? = nil) throws {
        let feeder = try KafkaFeeder(settings: settings, topic: topic ?? input, log: log)
        for value in values {
            try feeder.send(key: Array(value.utf8), value: Array(value.utf8), partition: partition)
        }
        try feeder.flush()
    }

    func member(_ instance: String, session: Int = 6000) throws -> KafkaMember {
        try KafkaMember(
            settings: settings, groupID: name, instanceID: instance, topics: [input],
            journalTopic: journal, sessionMilliseconds: session, log: log)
    }

    func reader() throws -> KafkaReader {
        try KafkaReader(settings: settings, groupID: name, partitionCount: 4, log: log)
    }

    /// - Parameter milliseconds: how long one call may block.
    func output(
        _ token: GroupToken? = nil, task: Int = 0, milliseconds: Int32 = 30_000
    ) -> KafkaTransactionalOutput {
        KafkaTransactionalOutput(
            settings: settings, transactionalID: "\(name)-\(task)",
            topics: [.predictions: output, .journal: journal],
            token: token ?? GroupToken(groupID: name), callMilliseconds: milliseconds, log: log)
    }

    /// The committed values of a topic, in order of partition and offset.
    ///
    /// Commit markers are written a little after the commit is acknowledged: waits for `count`.
    func committed(_ topic: String, count: Int = 0) throws -> [String] {
        var records: [KafkaRecord] = []
        _ = try wait(seconds: 120) {
            records = []
            let tail = try KafkaTail(
                settings: settings, topic: topic, from: KafkaOffset.beginning, log: log)
            #expect(try tail.readToEnd { records.append($0) })
            return records.count >= count
        }
        return records.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
            .map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }
}

/// Fills a buffer with one prediction for each value and one journal entry.
func fill(_ buffer: inout OutputBuffer, _ values: [String], journal: String = "entry") {
    buffer.clear()
    for value in values { add(&buffer, .predictions, value) }
    add(&buffer, .journal, journal)
}

func add(
    _ buffer: inout OutputBuffer, _ stream: OutputStream, _ value: String, partition: Int32 = 0,
    headers: [OutputHeader] = []
) {
    let bytes = Array(value.utf8)
    buffer.open(key: bytes.span, hasKey: true)
    buffer.content.append(bytes.span)
    buffer.close(stream, partition: partition, headers: headers)
}

/// Makes a call until its outcome is definite.
func definite(_ call: () throws(OutputFailure) -> Void) throws(OutputFailure) {
    for _ in 0..<60 {
        do throws(OutputFailure) {
            return try call()
        } catch {
            guard case .uncertain = error else { throw error }
        }
    }
    throw .uncertain("still uncertain after 60 calls")
}

/// Aborts as a commit cycle does: what is not open is left to a new epoch.
func abort(_ output: KafkaTransactionalOutput) throws(OutputFailure) {
    do throws(OutputFailure) {
        try definite(output.abort)
    } catch {
        guard case .abortable = error else { throw error }
        try definite(output.recreate)
    }
}

/// Waits until a condition holds; false when it does not within the time.
func wait(seconds: Double = 120, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = tw_monotonic_nanoseconds() + Int64(seconds * 1e9)
    while tw_monotonic_nanoseconds() < end {
        if try condition() { return true }
        _ = tw_wait_readable(-1, 2)
    }
    return false
}

/// Polls a log until its input has `count` records or has reached its end.
func read(_ log: KafkaInputLog, _ input: Int = 0, count: Int) throws -> [String] {
    let arrived = try wait {
        try log.poll(input, upTo: count)
        return log.queuedCount(input) >= count
    }
    #expect(arrived, "\(log.queuedCount(input)) of \(count) records came")
    return values(log, input)
}

func values(_ log: KafkaInputLog, _ input: Int = 0) -> [String] {
    log.withQueued(input) { records in
        var values: [String] = []
        for index in records.indices {
            let record = records[index]
            var bytes: [UInt8] = []
            let value = record.value
            for position in value.indices { bytes.append(value[position]) }
            values.append(String(decoding: bytes, as: UTF8.self))
        }
        return values
    }
}

/// Polls a member until it has been given an assignment.
func assignment(
    _ member: KafkaMember, where accepts: ([Int32]) -> Bool = { _ in true }
) -> (partitions: [Int32], token: GroupToken)? {
    var found: (partitions: [Int32], token: GroupToken)?
    _ = wait {
        member.poll(milliseconds: 20) { event in
            if case .assigned(let partitions, let token) = event, accepts(partitions) {
                found = (partitions, token)
            }
        }
        return found != nil
    }
    return found
}

/// The failure that a call ends with; nil when it succeeds.
func failure(of call: () throws(OutputFailure) -> Void) -> OutputFailure? {
    do throws(OutputFailure) {
        try definite(call)
        return nil
    } catch {
        return error
    }
}

extension OutputFailure {
    var isFenced: Bool { if case .fenced = self { true } else { false } }
    var isFatal: Bool { if case .fatal = self { true } else { false } }
}

extension KafkaReader {
    /// The last stable offset of each open partition that one was told of.
    var stableEnds: [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for state in progress() { ends[state.partition] = state.stableEnd }
        return ends
    }
}

/// The token of an assignment that has passed, and that of the member who has the task now.
func passedAssignment(
    of pipeline: TestPipeline
) throws -> (old: GroupToken, new: GroupToken, owner: KafkaMember) {
    let member = try pipeline.member("a")
    try member.subscribe()
    let old = try #require(assignment(member)).token
    member.leave { _ in }
    let successor = try pipeline.member("b")
    try successor.subscribe()
    let new = try #require(assignment(successor, where: { $0 == [0] })).token
    return (old, new, successor)
}
