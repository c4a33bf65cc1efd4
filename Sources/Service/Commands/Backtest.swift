import CPlatform
import Configuration
import Core
package import Engine
import Evaluation
import Formats
import State

/// A pipeline over data files: the same task as on Kafka, with files at both ends.
package final class Backtest {
    package let pipeline: Pipeline
    package let processor: PipelineProcessor
    private let log: FileInputLog
    private let output: FileOutput
    private let task: PipelineTask
    private var cycle = CommitCycle(giveUpAfter: 0)

    /// Opens the files and builds the pipeline.
    ///
    /// - Parameters:
    ///   - paths: At least one data file; `-` is standard input.
    ///   - predictions: The file that receives them; `nil` for none.
    ///   - onMetrics: Receives each metrics and drift record.
    package init(
        _ pipeline: Pipeline, paths: [String], predictions: String?,
        onMetrics: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) throws(CommandFailure) {
        self.pipeline = pipeline
        log = try Self.open(pipeline, paths: paths)
        processor = try Self.processor(pipeline, log: log, path: paths[0])
        do {
            output = try FileOutput(predictions: predictions, onMetrics: onMetrics)
        } catch {
            throw CommandFailure("cannot write predictions: \(error)")
        }
        task = PipelineTask(
            index: 0, processor: processor, log: log, startOffsets: [0], journal: nil,
            journalEnd: 0, generation: -1,
            policy: CommitPolicy(idleInterval: 1000, busyInterval: 1000, byteLimit: 4 << 20))
    }

    /// The records taken so far.
    package var records: Int { processor.counters.records }
    /// The share of the data that is read; `nil` with a pipe.
    package var fraction: Double? { log.fraction }
    /// The records written so far.
    package var counts: FileOutput.Counts { output.counts }

    /// Takes some thousand records through the pipeline.
    ///
    /// - Returns: Whether there may be more.
    package func advance() throws(CommandFailure) -> Bool {
        var isEnded = false
        for _ in 0..<8 where !isEnded {
            let now = tw_monotonic_nanoseconds() / 1_000_000
            do {
                let activity = try task.step(now: now)
                isEnded = activity == .idle && log.endOffset(0) != nil
            } catch {
                throw CommandFailure("tidewheel: \(error.message)")
            }
            if let request = task.takeCommit(now: now, force: isEnded) { try commit(request) }
        }
        return !isEnded
    }

    private func commit(_ request: consuming CommitRequest) throws(CommandFailure) {
        cycle.start()
        while true {
            switch cycle.step(request, on: output, now: 0) {
            case .again: continue
            case .committed:
                task.commitDone(request)
                return
            case .wait(_, let reason): throw CommandFailure("tidewheel: \(reason)")
            case .dropped(.fatal(let reason)), .dropped(.fenced(let reason)),
                .dropped(.abortable(let reason)), .dropped(.uncertain(let reason)),
                .dropped(.instanceFenced(let reason)), .dropped(.broken(let reason)):
                throw CommandFailure("tidewheel: \(reason)")
            }
        }
    }

    // MARK: Opening

    private static func open(
        _ pipeline: Pipeline, paths: [String]
    ) throws(CommandFailure) -> FileInputLog {
        var format: DataFormat?
        var columns: [String] = []
        if case .csv(let shape) = pipeline.input.format {
            columns = shape.columns
            if paths.contains(where: { DataFormat(path: $0) != .jsonLines }) {
                format = .csv(delimiter: shape.separator, quote: shape.quote)
            }
        }
        do {
            return try FileInputLog(
                paths: paths, format: format, declaredColumns: columns,
                valueBytesLimit: pipeline.input.valueBytesLimit)
        } catch {
            throw CommandFailure("cannot read \(error)")
        }
    }

    private static func processor(
        _ pipeline: Pipeline, log: FileInputLog, path: String
    ) throws(CommandFailure) -> PipelineProcessor {
        let format: Formats.InputFormat
        switch log.format {
        case .jsonLines: format = .json
        case .csv(let delimiter, let quote):
            format = .csv(CSVFormat(columns: log.columns, separator: delimiter, quote: quote))
        }
        do {
            return try PipelineProcessor(pipeline: pipeline, taskIndex: 0, format: format)
        } catch {
            throw PipelineLoading.failure(pipeline, error, path: path, columns: log.columns)
        }
    }
}
