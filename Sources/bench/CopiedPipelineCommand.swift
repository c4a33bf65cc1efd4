import CPlatform
import Core
import Engine
import Foundation
import Service
import State
import TestSupport

/// `bench pipeline FILE`: a pipeline as `tidewheel run` runs it, but with each commit's records copied
/// once more, and with `--without-journal` less its journal entries.
///
/// For what journal and snapshots cost: leaving an entry out takes the copy, so both sides have it.
/// Without a journal nothing can be restored; the file sets snapshots apart.
enum CopiedPipelineCommand {
    static func run(_ arguments: inout Arguments) throws {
        tw_configure_allocator()
        let keepsJournal = !arguments.flag("without-journal")
        let path = try arguments.required("FILE")
        try arguments.finish()
        let pipeline = try PipelineReader.read(path: path, catalogue: .standard).pipeline
        var signals = sigset_t()
        guard tw_block_termination_signals(&signals) == 0 else {
            throw ToolFailure.running("signals cannot be held back")
        }
        let descriptor = tw_signalfd(&signals)
        var options = ProcessOptions()
        options.instrument = CopyingInstrument(keepsJournal: keepsJournal)
        let process = PipelineProcess(
            pipeline: pipeline, options: options, log: ProcessLog.standardError())
        let ended = Thread {
            let outcome = process.run()
            exit(outcome == .stopped ? 0 : 1)
        }
        ended.start()
        while tw_signalfd_next(descriptor) < 0 { _ = tw_wait_readable(descriptor, 1000) }
        process.stop()
        while true { sleep(1) }
    }
}

/// Gives every task a ``CopyingOutput``.
private struct CopyingInstrument: TaskInstrument {
    let keepsJournal: Bool

    func output(
        _ output: any TransactionalOutput, task: Int, of pipeline: Pipeline
    ) -> any TransactionalOutput {
        CopyingOutput(output, keepsJournal: keepsJournal)
    }
}

/// Copies what it is given before it is sent, with or without the journal's entry.
private final class CopyingOutput: TransactionalOutput, @unchecked Sendable {
    // Safety: used by the task's committer thread alone.
    private let inner: any TransactionalOutput
    private let keepsJournal: Bool
    /// What is lent to the inner output until the commit.
    private var copy = OutputBuffer()

    init(_ inner: any TransactionalOutput, keepsJournal: Bool) {
        self.inner = inner
        self.keepsJournal = keepsJournal
    }

    func initialize() throws(OutputFailure) { try inner.initialize() }
    func begin() throws(OutputFailure) { try inner.begin() }

    func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        copy.clear()
        let bytes = buffer.content.bytes
        for entry in buffer.entries where keepsJournal || entry.stream != .journal {
            copy.open(
                key: bytes.extracting(entry.start..<entry.valueStart), hasKey: entry.keyCount >= 0)
            copy.content.append(
                bytes.extracting(entry.valueStart..<entry.valueStart + max(0, entry.valueCount)))
            copy.close(
                entry.stream, partition: entry.partition, timestamp: entry.timestamp,
                headers: entry.headerIndex < 0 ? [] : buffer.headers[entry.headerIndex],
                isTombstone: entry.valueCount < 0)
        }
        try inner.send(copy)
    }

    func sendOffsets(_ positions: [InputPosition], sequence: UInt64) throws(OutputFailure) {
        try inner.sendOffsets(positions, sequence: sequence)
    }

    func commit() throws(OutputFailure) { try inner.commit() }
    func abort() throws(OutputFailure) { try inner.abort() }
    func recreate() throws(OutputFailure) { try inner.recreate() }
    func close() { inner.close() }
}
