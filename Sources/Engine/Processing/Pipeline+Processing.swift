import Core
package import Evaluation
import Formats

extension Pipeline {
    /// What is measured, and when it is reported.
    package var evaluation: EvaluationSettings {
        EvaluationSettings(
            task: task, tracked: metrics.track.isEmpty ? nil : metrics.track,
            windows: metrics.windows, every: metrics.every)
    }

    var predictionKind: PredictionKind {
        switch task {
        case .classification: .classification
        case .regression: .regression
        case .clustering: .clustering
        }
    }

    /// The memory of a model that has learned nothing, with its steps and detectors, in bytes.
    ///
    /// - Throws: What a component refuses, placed in the pipeline file.
    package func freshModelBytes() throws(ProcessorError) -> Int {
        try ModelUnit(self, declaredClasses: 0).stateBytes
    }
}
