package import Core
package import State
import Synchronization

/// Writes the predictions of a backtest to a file as JSON lines, or nowhere.
///
/// What a transaction holds reaches the file in its commit only; when that fails half way the file
/// is cut back, so that it never shows a part of a commit. Metrics records go to an observer;
/// dead letters are counted; journal and offsets have no meaning here.
package final class FileOutput: TransactionalOutput {
    private struct Content: ~Copyable {
        let file: FileDescriptor?
        /// The open transaction's predictions.
        var pending = ByteBuffer(capacity: 1 << 16)
        var pendingMetrics: [[UInt8]] = []
        var pendingCounts = Counts()
        var committedByteCount = 0
        var committed = Counts()
    }

    /// The records written, by where they would go in Kafka.
    package struct Counts: Sendable, Equatable {
        package var predictions = 0
        package var metrics = 0
        package var deadLetters = 0

        package init(predictions: Int = 0, metrics: Int = 0, deadLetters: Int = 0) {
            self.predictions = predictions
            self.metrics = metrics
            self.deadLetters = deadLetters
        }
    }

    private let content: Mutex<Content>
    private let onMetrics: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - predictions: The file to create; `nil` keeps no predictions.
    ///   - onMetrics: Called with each committed metrics record, in order, on the thread that
    ///     commits.
    package init(
        predictions: String?, onMetrics: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) throws(FileError) {
        var file: FileDescriptor?
        if let predictions { file = try FileDescriptor(creating: predictions) }
        content = Mutex(Content(file: file))
        self.onMetrics = onMetrics
    }

    /// The records committed so far.
    package var counts: Counts { content.withLock { $0.committed } }

    package func initialize() throws(OutputFailure) {}
    package func recreate() throws(OutputFailure) {}
    package func begin() throws(OutputFailure) { clear() }
    package func abort() throws(OutputFailure) { clear() }
    package func close() { clear() }
    package func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {}

    package func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        let bytes = buffer.content.bytes
        content.withLock { content in
            for entry in buffer.entries {
                let range = entry.valueStart..<(entry.valueStart + max(0, entry.valueCount))
                switch entry.stream {
                case .predictions:
                    content.pendingCounts.predictions += 1
                    guard content.file != nil else { continue }
                    content.pending.append(bytes.extracting(range))
                    content.pending.append(UInt8(ascii: "\n"))
                case .metrics:
                    content.pendingCounts.metrics += 1
                    content.pendingMetrics.append(range.map { bytes[$0] })
                case .deadLetters:
                    content.pendingCounts.deadLetters += 1
                case .journal, .state:
                    continue
                }
            }
        }
    }

    package func commit() throws(OutputFailure) {
        let outcome = content.withLock { content -> Result<[[UInt8]], OutputFailure> in
            do throws(FileError) {
                try Self.write(&content)
            } catch {
                return .failure(.fatal("cannot write predictions: \(error.description)"))
            }
            content.committed.predictions += content.pendingCounts.predictions
            content.committed.metrics += content.pendingCounts.metrics
            content.committed.deadLetters += content.pendingCounts.deadLetters
            content.pendingCounts = Counts()
            defer { content.pendingMetrics.removeAll() }
            return .success(content.pendingMetrics)
        }
        for record in try outcome.get() { onMetrics(record) }
    }

    private static func write(_ content: inout Content) throws(FileError) {
        guard content.pending.count > 0 else { return }
        do throws(FileError) {
            try content.file?.write(content.pending.bytes)
        } catch {
            // A pipe cannot be cut; the first failure is the one to tell.
            try? content.file?.truncate(to: content.committedByteCount)
            throw error
        }
        content.committedByteCount += content.pending.count
        content.pending.clear()
    }

    private func clear() {
        content.withLock { content in
            content.pending.clear()
            content.pendingMetrics.removeAll()
            content.pendingCounts = Counts()
        }
    }
}
