// Method: a pipeline on a real broker whose output does not come back from a call, as a library that
// hangs, or whose producer breaks; the process must end by itself and say so, or replace it, and
// everything must be predicted once, as by a plain pass.
import Core
import Engine
import Foundation
import State
import Synchronization
import TestSupport
import Testing

@testable import Service

/// Does something before the outputs of all tasks begin a transaction.
private final class OutputTrouble: TaskInstrument {
    fileprivate let trouble: @Sendable () throws(OutputFailure) -> Void

    init(_ trouble: @escaping @Sendable () throws(OutputFailure) -> Void) {
        self.trouble = trouble
    }

    func output(
        _ output: any TransactionalOutput, task: Int, of pipeline: Pipeline
    ) -> any TransactionalOutput { TroubledOutput(output, self) }
}

private final class TroubledOutput: TransactionalOutput {
    private let inner: any TransactionalOutput
    private let owner: OutputTrouble

    init(_ inner: any TransactionalOutput, _ owner: OutputTrouble) {
        self.inner = inner
        self.owner = owner
    }

    func initialize() throws(OutputFailure) { try inner.initialize() }
    func begin() throws(OutputFailure) {
        try owner.trouble()
        try inner.begin()
    }

    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) { try inner.send(buffer) }

    func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        try inner.sendOffsets(positions, sequence: sequence)
    }

    func commit() throws(OutputFailure) { try inner.commit() }
    func abort() throws(OutputFailure) { try inner.abort() }
    func recreate() throws(OutputFailure) { try inner.recreate() }
    func close() { inner.close() }
}

/// Where calls wait while it is closed.
private final class Gate: Sendable {
    private let isClosed = Atomic<Bool>(false)
    private let opened = DispatchSemaphore(value: 0)

    func close() { isClosed.store(true, ordering: .relaxed) }

    func open() {
        isClosed.store(false, ordering: .relaxed)
        opened.signal()
    }

    func pass() {
        if isClosed.load(ordering: .relaxed) { opened.wait() }
    }
}

@Suite(
    "Calls that do not come back",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct HangingCallTests {
    @Test("a producer that hangs ends the process, and the next start goes on")
    func ends() throws {
        let fixture = try PipelineFixture("hanging", partitions: 1)
        try fixture.produce(0..<200)
        let gate = Gate()
        defer { gate.open() }
        let first = fixture.start {
            $0.instrument = OutputTrouble { () throws(OutputFailure) in gate.pass() }
            $0.callLimit = 10_000
        }
        try fixture.waitForPredictions(200)
        gate.close()
        try fixture.produce(200..<300)
        let outcome = try #require(first.wait(seconds: 180))
        guard case .failed(let why) = outcome else {
            Issue.record("ended with \(outcome)")
            return
        }
        #expect(why.contains("task 0's producer has not come back from a call for 10 s"), "\(why)")
        let second = fixture.start()
        try fixture.waitForPredictions(300)
        #expect(second.stop() == .stopped)
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }
}

@Suite(
    "Producers that break",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct BrokenProducerTests {
    @Test("a producer that breaks is replaced, and the task restored")
    func replaced() throws {
        let fixture = try PipelineFixture("broken", partitions: 1)
        try fixture.produce(0..<200)
        let isDue = Atomic<Bool>(false)
        let process = fixture.start {
            $0.instrument = OutputTrouble { () throws(OutputFailure) in
                if isDue.exchange(false, ordering: .relaxed) { throw .broken("out of order") }
            }
        }
        try fixture.waitForPredictions(200)
        isDue.store(true, ordering: .relaxed)
        try fixture.produce(200..<300)
        try fixture.waitForPredictions(300)
        #expect(process.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("its producer broke (out of order)") })
        #expect(try fixture.coverageProblem() == nil)
        try fixture.expectPlainPass()
    }

    @Test("one that breaks again and again ends the process")
    func givenUp() throws {
        let fixture = try PipelineFixture("brittle", partitions: 1)
        try fixture.produce(0..<20)
        let process = fixture.start {
            $0.instrument = OutputTrouble { () throws(OutputFailure) in
                throw .broken("out of order")
            }
        }
        let outcome = process.wait(seconds: 180)
        #expect(outcome == .failed("task 0: out of order (6 times in 300 s)"))
    }
}

@Suite("The watch over calls")
struct CallWatchTests {
    @Test("one call that lasts for longer than its looks is found, by its task")
    func found() {
        var watch = CallWatch(looksMax: 3)
        for _ in 0..<3 { #expect(watch.look([4: 7, 2: 1]) == nil) }
        #expect(watch.look([4: 7, 2: 3]) == 4)
    }

    @Test("calls that follow each other, and pauses between them, are no hanging")
    func lively() {
        var watch = CallWatch(looksMax: 3)
        for call in 0..<50 { #expect(watch.look([0: UInt64(2 * call + 1)]) == nil) }
        for _ in 0..<10 {
            #expect(watch.look([0: 5]) == nil)
            #expect(watch.look([0: 5]) == nil)
            #expect(watch.look([:]) == nil)
        }
    }

    @Test("a gauge names each call by itself, and none between them")
    func gauge() throws {
        let gauge = CallGauge()
        #expect(gauge.current == nil)
        gauge.enter()
        let first = try #require(gauge.current)
        #expect(gauge.current == first)
        gauge.leave()
        #expect(gauge.current == nil)
        gauge.enter()
        #expect(gauge.current != first)
    }
}
