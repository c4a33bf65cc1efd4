// Method: topics made and asked about on a real broker; chunks written and read back.
import Core
import Foundation
import KafkaIO
import State
import Synchronization
import TestSupport
import Testing

@Suite(
    "Admin and chunk store",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct AdminTests {
    @Test("what a task committed tells the number of its entry, other metadata does not")
    func sequences() {
        for metadata in ["", "seq=", "seq=x", "seq=-1", "seq=18446744073709551616", "7"] {
            #expect(CommittedOffset(offset: 5, metadata: metadata).sequence == nil, "\(metadata)")
        }
        for sequence in [0, 7, UInt64.max] {
            #expect(CommittedOffset(offset: 5, metadata: "seq=\(sequence)").sequence == sequence)
        }
    }

    @Test("topics are created once, described, grown and checked")
    func topics() throws {
        let pipeline = try TestPipeline(bootstrap: try KafkaCluster.shared().bootstrap)
        let admin = pipeline.admin
        try admin.connect()
        #expect(try admin.partitionCount(of: pipeline.journal) == nil)
        #expect(try admin.ensure(.journal(pipeline.journal, partitionCount: 2)) == 2)
        #expect(try admin.ensure(.journal(pipeline.journal, partitionCount: 5)) == 2)
        #expect(try admin.partitionCount(of: pipeline.journal) == 2)
        let again = kafkaError { () throws(KafkaError) in
            try admin.create(.journal(pipeline.journal, partitionCount: 2))
        }
        #expect(again?.kind == .alreadyExists)
        try admin.grow(pipeline.journal, to: 3)
        #expect(try admin.partitionCount(of: pipeline.journal) == 3)

        #expect(try admin.journalProblem(of: pipeline.journal) == nil)
        try admin.create(
            TopicSpecification(
                name: pipeline.input, partitionCount: 1,
                properties: [TextPair("retention.ms", "60000")]))
        let problem = try #require(try admin.journalProblem(of: pipeline.input))
        #expect(problem.description.contains("retention.ms is 60000"))
        #expect(problem.description.contains("retention.ms=-1"))

        #expect(try admin.ensure(.state(pipeline.state, partitionCount: 1)) == 1)
        let properties = try admin.properties(of: pipeline.state)
        #expect(properties.contains(TextPair("cleanup.policy", "delete")))

        let refused = kafkaError { () throws(KafkaError) in
            try admin.create(
                TopicSpecification(
                    name: "\(pipeline.name).x", partitionCount: 1, replicationFactor: 9))
        }
        #expect(refused?.kind == .refused, "\(String(describing: refused))")
    }

    @Test("processes that start together all find the topics, however many brokers there are")
    func startsTogether() throws {
        let cluster = try KafkaCluster(nodes: 3)
        let pipeline = try TestPipeline(bootstrap: cluster.bootstrap)
        let settings = pipeline.settings
        for round in 0..<5 {
            let topic = "\(pipeline.journal)-\(round)"
            let found = Mutex<[String]>([])
            let ended = DispatchSemaphore(value: 0)
            for _ in 0..<4 {
                Thread.detachNewThread {
                    defer { ended.signal() }
                    do throws(KafkaError) {
                        let admin = try KafkaAdmin(settings: settings, log: KafkaLog { _ in })
                        defer { admin.close() }
                        let count = try admin.ensure(.journal(topic, partitionCount: 2))
                        let problem = try admin.journalProblem(of: topic)
                        try admin.grow(topic, to: 3)
                        found.withLock { $0.append("\(count) \(problem == nil)") }
                    } catch {
                        found.withLock { $0.append("\(error)") }
                    }
                }
            }
            for _ in 0..<4 { ended.wait() }
            let results = found.withLock { $0 }
            // Another one may have grown it already.
            #expect(results.allSatisfy { $0 == "2 true" || $0 == "3 true" }, "\(results)")
            #expect(results.count == 4)
        }
    }

    @Test("offsets for times and of groups that have none")
    func offsets() throws {
        let pipeline = try TestPipeline.shared()
        let feeder = try KafkaFeeder(
            settings: pipeline.settings, topic: pipeline.input, log: pipeline.log)
        for index in 0..<5 {
            try feeder.send(
                key: nil, value: [UInt8(index)], timestamp: 1_700_000_000_000 + Int64(index) * 1000,
                partition: 0)
        }
        try feeder.flush()
        #expect(feeder.deliveredCount == 5)
        let partition = [TopicPartition(topic: pipeline.input, partition: 0)]
        #expect(try pipeline.admin.offsets(at: 1_700_000_002_500, of: partition) == [3])
        #expect(try pipeline.admin.offsets(at: 1_800_000_000_000, of: partition) == [-1])
        #expect(try pipeline.admin.committedOffsets(of: pipeline.name, partition) == [-1])
        let ends = try pipeline.admin.watermarks(of: partition[0])
        #expect(ends.low == 0 && ends.high == 5)
        let astray = kafkaError { () throws(KafkaError) in
            try feeder.send(key: nil, value: [1], partition: 9)
        }
        #expect(astray?.kind == .unknownTopic)
    }

    @Test("chunks are read back by position, and only under their key")
    func chunks() throws {
        let pipeline = try TestPipeline(bootstrap: try KafkaCluster.shared().bootstrap)
        _ = try pipeline.admin.ensure(.state(pipeline.state, partitionCount: 2))
        _ = try pipeline.admin.ensure(.journal(pipeline.journal, partitionCount: 2))
        let writer = KafkaChunkWriter(
            settings: pipeline.settings, topic: pipeline.state, log: pipeline.log)
        defer { writer.close() }
        let store = KafkaChunkStore(
            settings: pipeline.settings, topic: pipeline.state,
            journal: TopicPartition(topic: pipeline.journal, partition: 1),
            admin: pipeline.admin, writer: writer, log: pipeline.log)
        let chunks = (0..<4).map { [UInt8](repeating: UInt8($0), count: 300_000 + $0) }
        var positions: [ChunkPosition] = []
        for (index, chunk) in chunks.enumerated() {
            positions.append(try store.write(key: [UInt8(index)], chunk: chunk))
        }
        for index in [0, 1, 2, 3, 1, 0] {
            let read = try store.read(positions[index], key: [UInt8(index)])
            #expect(read == chunks[index])
        }
        #expect(throws: ChunkError.missing(positions[2])) {
            try store.read(positions[2], key: [99])
        }
        #expect(try store.journalEnd() == 0)
        try store.trim(journalBefore: 0, chunksBefore: positions[1].offset)
        #expect(throws: ChunkError.missing(positions[0])) {
            try store.read(positions[0], key: [0])
        }
        #expect(try store.read(positions[1], key: [1]) == chunks[1])
        let beyond = ChunkPosition(offset: positions[3].offset + 1000)
        #expect(throws: ChunkError.missing(beyond)) { try store.read(beyond, key: [0]) }
        store.close()
    }
}
