package import Core
import Drift
package import Evaluation
import Features
package import Formats
import Models

/// A pipeline's state for one task: decodes, prepares, predicts, evaluates, detects, learns,
/// encodes.
///
/// Components see a whole batch at a time, or the runs of one model's records in it. Where a detector
/// may reset a model between two records, that gets one row at a time through the same methods; there
/// is no second learning path.
package final class PipelineProcessor: BatchProcessor {
    /// The most records that go through the steps at once.
    package static let batchRecords: Int = 1024

    package let pipeline: Pipeline
    package let fingerprint: UInt64
    package let settings: [TextPair]
    private var stages: Stages

    /// - Parameters:
    ///   - taskIndex: Names the task in metrics and drift records; their partition.
    ///   - format: How records are written; a file's may differ from the topic's.
    /// - Throws: What a component refuses, placed in the pipeline file.
    package init(
        pipeline: Pipeline, taskIndex: Int, format: InputFormat
    ) throws(ProcessorError) {
        self.pipeline = pipeline
        fingerprint = pipeline.fingerprint.value
        settings = pipeline.recordedSettings
        stages = try Stages(pipeline, taskIndex: taskIndex, format: format)
    }

    package var version: UInt32 { UInt32(pipeline.state.version) }
    package var stateBytes: Int { stages.stateBytes }
    package var counters: ProcessorCounters { stages.counters }

    package func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        var first = 0
        while first < records.count {
            let count = min(Self.batchRecords, records.count - first)
            try stages.process(
                records.extracting(first..<(first + count)), headers: { headers(first + $0) },
                into: &output)
            first += count
        }
    }

    package func captureState() -> any StateCapture { stages.capture() }

    package func restoreState(from decoder: inout StateDecoder) throws(StateError) {
        try stages.restore(from: &decoder)
    }

    /// What was measured so far.
    package func report() -> MetricsReport { stages.report() }

    /// What the models have become.
    package func summary() -> ModelSummary { stages.summary() }

    /// Writes a metrics record of what was measured so far, as at the end of a file.
    package func writeReport(into output: inout OutputBuffer) {
        stages.writeReport(into: &output)
    }
}

/// A pipeline that cannot be built, although its file is well formed.
package enum ProcessorError: Error, Equatable {
    /// A component's settings do not fit its columns; `section` is `model`, `prepare[0]`, ….
    case settings(section: String, SettingsError)
    case format(FormatError)
}
