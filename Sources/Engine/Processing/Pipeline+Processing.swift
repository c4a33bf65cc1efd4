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
}
