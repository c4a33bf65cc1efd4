import CPlatform
import Core
import Engine
import Evaluation
import Glibc
import KafkaIO
import Synchronization

/// The demo's parts: an embedded cluster, a stream, a feeder's thread, and the whole pipeline.
final class DemoRun: Sendable {
    /// How the stream looks and how fast it comes.
    struct Plan: Sendable {
        let records: Int
        /// `nil`: as fast as the pipeline takes them.
        let recordsPerSecond: Double?
        let seed: UInt64
        let driftEvery: Int
    }

    static let topic = "sea"
    /// Records that may wait in the embedded cluster, which keeps 5 MiB for a partition.
    private static let aheadLimit = 20_000

    let plan: Plan
    let pipeline: Pipeline
    let fleet: PipelineFleet
    private let cluster: EmbeddedCluster
    private let kafkaLog: KafkaLog
    private let process: PipelineProcess
    private let isStopping = Atomic<Bool>(false)
    private let startedAt = Atomic<Int64>(0)
    private let feederFailure = Mutex<String?>(nil)

    init(_ plan: Plan) throws {
        self.plan = plan
        let kafkaLog = KafkaLog { _ in }
        self.kafkaLog = kafkaLog
        cluster = try EmbeddedCluster(log: kafkaLog)
        pipeline = try Self.pipeline(brokers: cluster.bootstrapServers)
        let output = pipeline.output
        let topics = [
            Self.topic, output.predictionsTopic, output.metricsTopic, output.deadLettersTopic,
            output.journalTopic, output.stateTopic,
        ]
        for topic in topics { try cluster.createTopic(topic, partitionCount: 1) }
        var options = ProcessOptions()
        options.instanceID = "demo"
        options.isEmbedded = true
        let said = MessageBox()
        process = PipelineProcess(
            pipeline: pipeline, options: options,
            log: ProcessLog(threshold: .warning) { _, line in said.add(line) })
        fleet = PipelineFleet([process])
        box = said
    }

    /// Collects what the pipeline says, to be shown if it fails.
    private final class MessageBox: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        func add(_ line: String) {
            lines.withLock { lines in
                lines.append(line)
                if lines.count > 20 { lines.removeFirst() }
            }
        }
    }

    private let box: MessageBox

    /// Where other librdkafka clients reach the cluster.
    var brokers: String { cluster.bootstrapServers }
    /// Records with a committed prediction.
    var committed: Int { process.status.records }
    /// Since the stream's first record; 0 before.
    var seconds: Double {
        let start = startedAt.load(ordering: .acquiring)
        return start == 0 ? 0 : Double(tw_monotonic_nanoseconds() - start) / 1e9
    }
    /// What went wrong with the stream's producer.
    var failure: String? { feederFailure.withLock { $0 } }
    /// The last warnings of the pipeline.
    var warnings: [String] { box.all }

    /// The stream, from its first record.
    var stream: SyntheticStream {
        SyntheticStream(
            SEASource.self, seed: plan.seed, drift: DriftSchedule(.every(plan.driftEvery)))
    }

    /// Starts pipeline and stream.
    func start() {
        fleet.start()
        WorkerThread.start(name: "feeder") {
            do {
                try self.feed()
            } catch {
                self.feederFailure.withLock { $0 = "\(error)" }
                self.fleet.stop()
            }
        }
    }

    /// Ends both, in order.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        fleet.stop()
    }

    /// The records of the metrics topic, from the first.
    func openMetrics() throws(KafkaError) -> KafkaTail {
        try KafkaTail(
            settings: pipeline.kafkaSettings, topic: pipeline.output.metricsTopic,
            from: KafkaOffset.beginning, log: kafkaLog)
    }

    func close() { cluster.close() }

    private func feed() throws(KafkaError) {
        let feeder = try KafkaFeeder(
            settings: pipeline.kafkaSettings, topic: Self.topic, log: kafkaLog)
        var stream = stream
        let writer = SyntheticWriter(stream.description, format: .jsonLines)
        var buffer = ByteBuffer()
        let pace = Pace(recordsPerSecond: plan.recordsPerSecond)
        // The stream begins when the pipeline listens, so that its rate is that of both.
        while process.status.liveTasks.isEmpty {
            if isStopping.load(ordering: .acquiring) { return }
            _ = usleep(5000)
        }
        let start = tw_monotonic_nanoseconds()
        startedAt.store(start, ordering: .releasing)
        for record in 0..<plan.records {
            while !isStopping.load(ordering: .acquiring) {
                let elapsed = tw_monotonic_nanoseconds() - start
                let isAhead = record % 256 == 0 && record - committed > Self.aheadLimit
                let wait = isAhead ? 5_000_000 : pace.wait(before: record, elapsed: elapsed)
                guard wait > 0 else { break }
                try feeder.serve()
                _ = usleep(UInt32(clamping: min(wait / 1000, 50_000)))
            }
            if isStopping.load(ordering: .acquiring) { return }
            stream.advance()
            buffer.clear()
            writer.write(stream, to: &buffer)
            let bytes = buffer.bytes
            try feeder.send(
                key: Array(String(record).utf8), value: bytes.indices.map { bytes[$0] })
        }
        try feeder.flush()
    }

    private static func pipeline(brokers: String) throws(CommandFailure) -> Pipeline {
        let text = """
            version: 1
            pipeline: demo
            kafka:
              bootstrap.servers: \(brokers)
            input:
              topic: \(topic)
            features:
              attrib1: numeric
              attrib2: numeric
              attrib3: numeric
            label:
              field: class
              classes: ["0", "1"]
            model: hoeffding_tree
            metrics:
              every: 500 records
              windows: [2000 records]
              track: [accuracy]
            drift:
              - adwin: { watch: error, then: reset }
            """
        do {
            return try PipelineReader.read(
                bytes: Array(text.utf8), file: "demo.yaml", catalogue: .standard
            ).pipeline
        } catch {
            throw PipelineLoading.failure(error.all)
        }
    }
}
