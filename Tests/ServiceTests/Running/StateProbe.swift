// Method: what the tests of snapshots share: an instrument that looks at a task's state and makes
// its store fail, and the state of a plain pass over the same records.
import Core
import Engine
import Formats
import Foundation
import KafkaIO
import Service
import State
import Synchronization
import TestSupport

/// Keeps each task's processor, and lets a store misbehave.
final class StateProbe: TaskInstrument {
    /// What goes wrong in the stores of all tasks.
    enum Fault: Sendable {
        case none
        /// The first chunk that is read, the index of the newest snapshot, has a bit flipped.
        case flippedIndex
        case refusedTrims
        case refusedWrites
    }

    private final class Held: @unchecked Sendable {
        // Safety: used by the tests only after the process has ended.
        var processors: [Int: any BatchProcessor] = [:]
    }

    private let held = Mutex(Held())
    private let fault: Fault
    private let microsecondsPerRecord: Int

    init(_ fault: Fault = .none, microsecondsPerRecord: Int = 0) {
        self.fault = fault
        self.microsecondsPerRecord = microsecondsPerRecord
    }

    /// The hash of a task's state; only after its process has ended.
    func stateHash(_ task: Int = 0) -> UInt64? {
        held.withLock { $0.processors[task]?.stateHash() }
    }

    func processor(
        _ processor: any BatchProcessor, task: Int, of pipeline: Pipeline
    ) -> any BatchProcessor {
        let used: any BatchProcessor =
            microsecondsPerRecord > 0
            ? SlowProcessor(processor, microseconds: microsecondsPerRecord) : processor
        let box = ProcessorBox(used)
        held.withLock { $0.processors[task] = box.processor }
        return used
    }

    func store(_ store: any ChunkStore, task: Int, of pipeline: Pipeline) -> any ChunkStore {
        FaultyStore(store, fault)
    }
}

/// Takes a processor across a lock.
private struct ProcessorBox: @unchecked Sendable {
    // Safety: as `StateProbe.Held`.
    let processor: any BatchProcessor
    init(_ processor: any BatchProcessor) { self.processor = processor }
}

/// Takes its time for each record.
private final class SlowProcessor: BatchProcessor {
    private let inner: any BatchProcessor
    private let microseconds: Int

    init(_ inner: any BatchProcessor, microseconds: Int) {
        self.inner = inner
        self.microseconds = microseconds
    }

    var fingerprint: UInt64 { inner.fingerprint }
    var version: UInt32 { inner.version }
    var settings: [TextPair] { inner.settings }
    var stateBytes: Int { inner.stateBytes }

    func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        usleep(UInt32(records.count * microseconds))
        try inner.process(records, headers: headers, into: &output)
    }

    func captureState() -> any StateCapture { inner.captureState() }

    func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        try inner.restoreState(from: &decoder)
    }
}

private final class FaultyStore: ChunkStore, Sendable {
    private let inner: any ChunkStore
    private let fault: StateProbe.Fault
    private let hasFlipped = Atomic<Bool>(false)

    init(_ inner: any ChunkStore, _ fault: StateProbe.Fault) {
        self.inner = inner
        self.fault = fault
    }

    func journalEnd() throws(ChunkError) -> Int64 { try inner.journalEnd() }

    func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        if case .refusedWrites = fault { throw .failed("not today") }
        return try inner.write(key: key, chunk: chunk)
    }

    func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8] {
        var chunk = try inner.read(position, key: key)
        if case .flippedIndex = fault, !hasFlipped.exchange(true, ordering: .relaxed) {
            chunk[chunk.count / 2] ^= 1
        }
        return chunk
    }

    func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError) {
        if case .refusedTrims = fault { throw .failed("no right to delete") }
        try inner.trim(journalBefore: journalBefore, chunksBefore: chunksBefore)
    }
}

extension PipelineFixture {
    /// The hash of the state after one plain pass over the records of one partition.
    func plainState() throws -> UInt64 {
        let records = try read(name)[0]
        let processor = try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: .json)
        var output = OutputBuffer()
        try processor.pass(records, into: &output)
        return processor.stateHash()
    }
}
