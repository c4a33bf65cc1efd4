// Method: the same clients on librdkafka's in-process brokers, which need nothing installed; and
// settings and errors that need no broker at all.
import Core
import KafkaIO
import State
import Synchronization
import Testing

@Suite("Embedded cluster and settings")
struct EmbeddedClusterTests {
    @Test("a member, a reader and an output work on the embedded cluster")
    func wholeWay() throws {
        let quiet = KafkaLog { _ in }
        let cluster = try EmbeddedCluster(log: quiet)
        defer { cluster.close() }
        let pipeline = try TestPipeline(bootstrap: cluster.bootstrapServers)
        for topic in [pipeline.input, pipeline.output, pipeline.journal] {
            try cluster.createTopic(topic, partitionCount: 2)
        }
        #expect(try pipeline.admin.partitionCount(of: pipeline.input) == 2)
        try pipeline.feed(["a", "b", "c"], partition: 1)
        let member = try pipeline.member("a")
        try member.subscribe()
        let assigned = try #require(assignment(member))
        #expect(assigned.partitions == [0, 1])

        let reader = try pipeline.reader()
        let partition = TopicPartition(topic: pipeline.input, partition: 1)
        let log = try reader.openLog([(partition, 0)], wake: -1)
        let read = try read(log, count: 3)
        #expect(read == ["a", "b", "c"])
        let output = pipeline.output(assigned.token)
        try definite(output.initialize)
        var buffer = OutputBuffer()
        fill(&buffer, read)
        try output.begin()
        try output.send(buffer)
        try definite { () throws(OutputFailure) in
            try output.sendOffsets(
                [InputPosition(partition: partition, nextOffset: 3)], sequence: 1)
        }
        try definite(output.commit)
        #expect(try pipeline.committed(pipeline.output, count: 3) == read)
        try reader.close(log)
        reader.close()
        output.close()
        member.leave { _ in }
    }

    @Test("a broker that goes and comes back is said once each, and survived")
    func outage() throws {
        let quiet = KafkaLog { _ in }
        let cluster = try EmbeddedCluster(log: quiet)
        defer { cluster.close() }
        let pipeline = try TestPipeline(bootstrap: cluster.bootstrapServers)
        try cluster.createTopic(pipeline.input, partitionCount: 1)
        try pipeline.feed(["before"])
        let reader = try pipeline.reader()
        let log = try reader.openLog(
            [(TopicPartition(topic: pipeline.input, partition: 0), 0)], wake: -1)
        #expect(try read(log, count: 1) == ["before"])
        try cluster.stopBroker()
        let said = try wait {
            reader.serve()
            reader.wakeFetcher()
            try log.poll(0, upTo: 10)
            return pipeline.lines.contains("does not answer")
        }
        #expect(said)
        try cluster.startBroker()
        let over = wait(seconds: 90) {
            reader.serve()
            reader.wakeFetcher(milliseconds: 500)
            return pipeline.lines.contains("answers again")
        }
        #expect(over)
        try pipeline.feed(["after"])
        #expect(try read(log, count: 2) == ["before", "after"])
        #expect(pipeline.lines.count(of: "does not answer") == 1)
        try reader.close(log)
        reader.close()
    }

    @Test("no broker: one sentence with the address and the remedy")
    func unreachable() throws {
        let lines = LogLines()
        let log = KafkaLog { lines.add($0) }
        let settings = KafkaSettings(common: [TextPair("bootstrap.servers", "127.0.0.1:1")])
        let admin = try KafkaAdmin(settings: settings, log: log)
        let error = kafkaError { () throws(KafkaError) in try admin.connect(milliseconds: 1000) }
        #expect(error?.kind == .unreachable)
        #expect(error?.description.contains("127.0.0.1:1") == true)
        #expect(error?.description.contains("refused") == true, "\(String(describing: error))")
        #expect(error?.remedy.contains("bootstrap.servers") == true)
        #expect(!lines.all.contains { $0.severity == .error })
    }

    @Test("mistakes in properties are named, without secret values")
    func properties() {
        let settings = KafkaSettings(
            common: [TextPair("sasl.pasword", "hush"), TextPair("security.protocol", "hush hush")],
            consumer: [TextPair("fetch.wait.max.ms", "soon"), TextPair("isolation.level", "x")],
            producer: [TextPair("linger.ms", "10"), TextPair("transactional.id", "mine")])
        let problems = settings.problems().map(\.problem)
        #expect(problems.count == 5, "\(problems)")
        #expect(problems.contains { $0.contains("sasl.pasword") && !$0.contains("hush") })
        #expect(problems.contains { $0.contains("security.protocol") })
        #expect(problems.contains { $0.contains("fetch.wait.max.ms") })
        #expect(problems.contains { $0.contains("isolation.level cannot be set: aborted") })
        #expect(problems.contains { $0.contains("transactional.id cannot be set") })
        let files = KafkaSettings(
            common: [TextPair("ssl.ca.location", "/nowhere/ca.pem")],
            consumer: [TextPair("ssl.ca.location", "/nowhere/ca.pem")])
        #expect(files.propertyProblems(readsFiles: false).isEmpty)
        #expect(
            files.problems().map(\.problem) == [
                "kafka: ssl.ca.location: cannot read /nowhere/ca.pem: No such file or directory"
            ])
        let tokens = KafkaSettings(common: [TextPair("sasl.mechanism", "OAUTHBEARER")])
        #expect(tokens.problems().first?.problem.contains("nothing fetches tokens") == true)
        let error = kafkaError { () throws(KafkaError) in
            _ = try KafkaReader(
                settings: settings, groupID: "g", partitionCount: 1, log: KafkaLog { _ in })
        }
        #expect(error?.kind == .configuration)
    }

    @Test("repeated lines are counted, outages are said once")
    func log() {
        let lines = LogLines()
        let seconds = Mutex<Int64>(0)
        let log = KafkaLog(
            now: { seconds.withLock { $0 * 1_000_000_000 } }, sink: { lines.add($0) })
        func at(_ second: Int64) { seconds.withLock { $0 = second } }
        for second in 0..<60 as Range<Int64> {
            at(second)
            log.say(.warning, topic: "t", "again")
        }
        #expect(lines.all.count == 1)
        at(60)
        log.say(.warning, topic: "t", "again")
        #expect(lines.all.last?.message == "again (59 like it were left out)")
        log.reachable()
        #expect(lines.all.count == 2)
        for _ in 0..<3 { log.unreachable("connection refused") }
        #expect(log.isOutage)
        #expect(lines.count(of: "connection refused") == 1)
        at(65)
        log.reachable()
        // One client is answered; another's call, which had begun before, runs into its time-out.
        at(70)
        log.unreachable("timed out")
        at(71)
        log.reachable()
        at(90)
        log.reachable()
        #expect(log.isOutage)
        #expect(lines.count(of: "does not answer") == 1)
        #expect(lines.count(of: "answers again") == 0)
        at(91)
        log.reachable()
        log.reachable()
        #expect(!log.isOutage)
        #expect(lines.count(of: "answers again, after 11.0 s") == 1)
        #expect(lines.count(of: "answers again") == 1)
        log.unreachable("once more")
        #expect(lines.count(of: "does not answer") == 2)
    }

    @Test("the offsets of a group are found where its coordinator has moved to")
    func movedCoordinator() throws {
        let log = KafkaLog { _ in }
        let cluster = try EmbeddedCluster(brokerCount: 3, log: log)
        try cluster.createTopic("moved", partitionCount: 1)
        let settings = KafkaSettings(
            common: [TextPair("bootstrap.servers", cluster.bootstrapServers)])
        let admin = try KafkaAdmin(settings: settings, groupID: "g", log: log)
        defer { admin.close() }
        let inputs = [TopicPartition(topic: "moved", partition: 0)]
        for broker in [1, 2, 3, 1] {
            try cluster.moveGroup("g", to: broker)
            #expect(try admin.committedOffsets(of: "g", inputs, milliseconds: 5000) == [-1])
        }
    }
}
