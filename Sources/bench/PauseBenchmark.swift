import CPlatform
import Core
import Engine
import Formats
import Foundation
import Synchronization
import TestSupport

/// `bench pause`: how long learning stands still while a snapshot is taken.
///
/// A pipeline learns in batches of 64 records. At a moment its state is captured, and encoded and
/// compressed by another thread, as in a running service, while learning goes on; the copies that
/// this costs fall into the batches after the capture. The pause is the capture's own time, or what
/// the longest of those batches took beyond the usual one, whichever is longer; batches in
/// processor time of their thread, so that a busy machine does not count.
struct PauseBenchmark {
    private let rounds: Int
    private let only: String
    private let jsonPath: String?
    private let batchRecords = 64
    /// Batches before and after the capture that are compared.
    private let batches = 500

    private struct Contender: Sendable {
        let name: String
        let learning: String
        /// About the state's size at the capture.
        let bytes: Int
        let record: @Sendable (inout SplitMix64, Int) -> String
    }

    private static let contenders = [
        Contender(
            name: "tree, 1 MB",
            learning: """
                features: { \(columns(10)) }
                label: { field: y, classes: ["0", "1"] }
                model: { hoeffding_tree: { grace_period: 50 } }
                """, bytes: 1_000_000
        ) { random, _ in wide(&random, 10) },
        Contender(
            name: "tree, 100 MB",
            learning: """
                features: { \(columns(330)) }
                label: { field: y, classes: ["0", "1"] }
                model: { hoeffding_tree: { grace_period: 50, memory: 1 GiB, delta: 0.5, tau: 1 } }
                """, bytes: 100_000_000
        ) { random, _ in wide(&random, 330) },
        Contender(
            name: "model per device, 100 MB",
            learning: """
                features: { \(columns(6)) }
                label: { field: y, classes: ["0", "1"] }
                model: { hoeffding_tree: { grace_period: 50 } }
                one_model_per: { field: d, limit: 1000000 }
                """, bytes: 100_000_000
        ) { random, index in
            #"{"d":"\#(index)",\#(wide(&random, 6).dropFirst())"#
        },
        Contender(
            name: "hashed words, 128 MB",
            learning: """
                features: { words: text }
                label: { field: y, classes: ["0", "1"] }
                model: { logistic_regression: { schedule: adagrad } }
                limits: { hash_bits: 23 }
                """, bytes: 1
        ) { random, _ in
            let words = (0..<10).map { _ in "w\(random.next(below: 6_000_000))" }
            return #"{"words":"\#(words.joined(separator: " "))","y":\#(random.next(below: 2))}"#
        },
    ]

    private static func columns(_ count: Int) -> String {
        (0..<count).map { "f\($0): numeric" }.joined(separator: ", ")
    }

    /// Numbers whose label follows from some of them, and changes from region to region.
    private static func wide(_ random: inout SplitMix64, _ count: Int) -> String {
        let values = (0..<count).map { _ in random.nextUnit() }
        let parity = values.prefix(6).reduce(0) { $0 + ($1 > 0.5 ? 1 : 0) } % 2
        let fields = values.enumerated().map { "\"f\($0)\":\(rounded($1, 4))" }
        return "{\(fields.joined(separator: ",")),\"y\":\(parity)}"
    }

    init(_ arguments: inout Arguments) throws {
        rounds = try arguments.number("rounds", default: 7)
        only = try arguments.option("only") ?? ""
        jsonPath = try arguments.option("json")
        try arguments.finish()
    }

    func run() throws {
        tw_configure_allocator()
        print(machineDescription())
        var rows: [[String]] = []
        var parts: [String] = []
        for contender in Self.contenders where contender.name.contains(only) || only.isEmpty {
            let fields = try measure(contender)
            rows.append([contender.name] + fields.map { shown($0.1) })
            parts.append("\"\(contender.name)\":\(jsonLine(fields))")
            print(parts[parts.count - 1])
            fflush(nil)
        }
        print(
            markdownTable(
                [
                    "state", "MB", "capture ms", "usual batch ms", "longest before ms",
                    "longest after ms", "pause ms",
                ], rows))
        try write("{\(parts.joined(separator: ","))}", to: jsonPath)
    }

    private func measure(_ contender: Contender) throws -> [(String, Double)] {
        let text = """
            pipeline: pause
            input: { topic: pause }
            \(contender.learning)
            metrics: { every: 100000 records }
            """
        let (pipeline, _) = try PipelineReader.read(bytes: Array(text.utf8), file: "bench.yaml")
        let processor = try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
        var random = SplitMix64(seed: 11)
        let records = (0..<batches * batchRecords).map { index in
            RecordList.Record(
                value: Array(contender.record(&random, index).utf8), offset: Int64(index))
        }
        return try RecordList(records).withRecords { records in
            var output = OutputBuffer(capacity: 1 << 20)
            var passes = 0
            repeat {
                _ = try pass(processor, records, &output)
                passes += 1
            } while processor.stateBytes < contender.bytes && passes < 60
            var captures: [Double] = []
            var usual: [Double] = []
            var before: [Double] = []
            var after: [Double] = []
            for _ in 0..<rounds {
                let quiet = try pass(processor, records, &output)
                usual.append(median(quiet))
                before.append(quiet.max() ?? .nan)
                let start = tw_monotonic_nanoseconds()
                let writer = CaptureWriter(processor.captureState())
                captures.append(Double(tw_monotonic_nanoseconds() - start) * 1e-6)
                writer.start()
                after.append(try pass(processor, records, &output).max() ?? .nan)
                writer.wait()
            }
            let pause = max(median(captures), median(after) - median(usual))
            return [
                ("state_mb", rounded(Double(processor.stateBytes) / 1e6, 1)),
                ("capture_ms", rounded(median(captures), 3)),
                ("usual_batch_ms", rounded(median(usual), 3)),
                ("longest_before_ms", rounded(median(before), 3)),
                ("longest_after_ms", rounded(median(after), 3)),
                ("pause_ms", rounded(pause, 3)),
            ]
        }
    }

    /// One pass over the records; the milliseconds of each batch.
    private func pass(
        _ processor: PipelineProcessor, _ records: Span<RawRecord>, _ output: inout OutputBuffer
    ) throws(TaskFailure) -> [Double] {
        var times: [Double] = []
        for start in stride(from: 0, to: records.count, by: batchRecords) {
            output.clear()
            let began = tw_thread_cpu_nanoseconds()
            try processor.process(
                records.extracting(start..<min(records.count, start + batchRecords)),
                headers: { _ in [] }, into: &output)
            times.append(Double(tw_thread_cpu_nanoseconds() - began) * 1e-6)
        }
        return times
    }
}

/// Encodes a captured state on a thread of low priority, and lets go of it.
private final class CaptureWriter: @unchecked Sendable {
    // Safety: the capture is taken out by the thread alone.
    private var capture: (any StateCapture)?
    private let isDone = Atomic<Bool>(false)

    init(_ capture: any StateCapture) { self.capture = capture }

    func start() {
        Thread.detachNewThread {
            _ = tw_set_thread_nice(10)
            if let capture = self.capture.take() {
                var encoder = StateEncoder(capacity: capture.stateBytes)
                capture.encode(to: &encoder)
                _ = encoder.finish()
            }
            self.isDone.store(true, ordering: .releasing)
        }
    }

    func wait() {
        while !isDone.load(ordering: .acquiring) { usleep(500) }
    }
}
