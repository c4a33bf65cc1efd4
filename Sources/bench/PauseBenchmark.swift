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
/// the longest of those batches took beyond the usual one, whichever is longer.
///
/// It is told in processor time of the learning thread, and as time that passed, which holds what
/// else the machine did: the longest batch of a pass without a capture shows how much that is. The
/// first capture of a process stands by itself, because it copies into pages that the kernel has
/// yet to hand out.
struct PauseBenchmark {
    /// Captures after the first one.
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

    /// What something took, in milliseconds: on a processor, and until it was done.
    private struct Time {
        var processor: Double
        var wall: Double

        static func now() -> Time {
            Time(
                processor: Double(tw_thread_cpu_nanoseconds()) * 1e-6,
                wall: Double(tw_monotonic_nanoseconds()) * 1e-6)
        }

        static func - (left: Time, right: Time) -> Time {
            Time(processor: left.processor - right.processor, wall: left.wall - right.wall)
        }

        /// By each clock on its own.
        static func combine(_ times: [Time], _ body: ([Double]) -> Double) -> Time {
            Time(processor: body(times.map(\.processor)), wall: body(times.map(\.wall)))
        }

        static func longest(_ times: [Time]) -> Time { combine(times) { $0.max() ?? .nan } }
        static func middle(_ times: [Time]) -> Time { combine(times, median) }
    }

    /// What one capture has cost.
    private struct Round {
        var usualBatch: Time
        var longestBefore: Time
        var capture: Time
        var pause: Time
    }

    /// Numbers whose label follows from some of them, and changes from region to region.
    private static func wide(_ random: inout SplitMix64, _ count: Int) -> String {
        let values = (0..<count).map { _ in random.nextUnit() }
        let parity = values.prefix(6).reduce(0) { $0 + ($1 > 0.5 ? 1 : 0) } % 2
        let fields = values.enumerated().map { "\"f\($0)\":\(rounded($1, 4))" }
        return "{\(fields.joined(separator: ",")),\"y\":\(parity)}"
    }

    init(_ arguments: inout Arguments) throws {
        rounds = try arguments.number("rounds", default: 20)
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
            // What the contender before has freed must not stand ready for this one.
            releaseFreedMemory()
            let (stateMB, measured) = try onThread { try measure(contender) }
            var fields = [("state_mb", rounded(stateMB, 1))]
            let first = [measured[0]]
            let later = Array(measured[1...])
            for (name, rounds, summary) in [
                ("first", first, Time.longest), ("median", later, Time.middle),
                ("longest", later, Time.longest),
            ] {
                let times = [
                    ("capture", summary(rounds.map(\.capture))),
                    ("usual_batch", summary(rounds.map(\.usualBatch))),
                    ("longest_batch_before", summary(rounds.map(\.longestBefore))),
                    ("pause", summary(rounds.map(\.pause))),
                ]
                fields += times.flatMap { what, time in
                    [
                        ("\(name)_\(what)_cpu_ms", rounded(time.processor, 3)),
                        ("\(name)_\(what)_ms", rounded(time.wall, 3)),
                    ]
                }
                rows.append(
                    [contender.name, shown(rounded(stateMB, 1)), name]
                        + times.map { _, time in
                            "\(shown(rounded(time.processor, 3))) / \(shown(rounded(time.wall, 3)))"
                        })
            }
            parts.append("\"\(contender.name)\":\(jsonLine(fields))")
            print(parts[parts.count - 1])
            fflush(nil)
        }
        print(
            markdownTable(
                [
                    "state; CPU / wall ms", "MB", "captures", "capture", "usual batch",
                    "longest batch before", "pause",
                ], rows))
        try write("{\(parts.joined(separator: ","))}", to: jsonPath)
    }

    /// Runs on a thread of its own, as a lane does: the main thread's memory is not like others'.
    private func onThread<Value>(_ body: @escaping () throws -> Value) throws -> Value {
        let call = ThreadCall(body)
        Thread.detachNewThread { call.run() }
        return try call.wait()
    }

    /// The state's size in MB, and every capture, the first one of the process included.
    private func measure(_ contender: Contender) throws -> (Double, [Round]) {
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
            var measured: [Round] = []
            for _ in 0...rounds { measured.append(try round(processor, records, &output)) }
            return (Double(processor.stateBytes) / 1e6, measured)
        }
    }

    /// One capture, between a pass without and a pass that copies what is learned from.
    private func round(
        _ processor: PipelineProcessor, _ records: Span<RawRecord>, _ output: inout OutputBuffer
    ) throws -> Round {
        let quiet = try pass(processor, records, &output)
        let usual = Time.middle(quiet)
        let bytes = processor.stateBytes
        try onThread { tw_prepare_for_copy(bytes) }
        let start = Time.now()
        let writer = CaptureWriter(processor.captureState())
        let capture = Time.now() - start
        writer.start()
        let after = Time.longest(try pass(processor, records, &output))
        writer.wait()
        return Round(
            usualBatch: usual, longestBefore: Time.longest(quiet), capture: capture,
            pause: Time.longest([capture, after - usual]))
    }

    /// One pass over the records; what each batch took.
    private func pass(
        _ processor: PipelineProcessor, _ records: Span<RawRecord>, _ output: inout OutputBuffer
    ) throws(TaskFailure) -> [Time] {
        var times: [Time] = []
        for start in stride(from: 0, to: records.count, by: batchRecords) {
            output.clear()
            let began = Time.now()
            try processor.process(
                records.extracting(start..<min(records.count, start + batchRecords)),
                headers: { _ in [] }, into: &output)
            times.append(Time.now() - began)
        }
        return times
    }
}

/// Takes a call to a thread, and what came of it back.
private final class ThreadCall<Value>: @unchecked Sendable {
    // Safety: written by the thread alone before the semaphore is signalled, read after it.
    private let body: () throws -> Value
    private var result: Result<Value, any Error>?
    private let end = DispatchSemaphore(value: 0)

    init(_ body: @escaping () throws -> Value) { self.body = body }

    func run() {
        result = Result { try body() }
        end.signal()
    }

    func wait() throws -> Value {
        end.wait()
        guard let result else { preconditionFailure("the thread has signalled without a result") }
        return try result.get()
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
