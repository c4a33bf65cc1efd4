internal import Core
internal import Drift
internal import Evaluation
internal import Features
internal import Models

extension PipelineCatalogue {
    /// Everything that this program knows.
    package static let standard = PipelineCatalogue(
        models: ModelCatalogue.declarations.map { Model($0, ModelCatalogue.task(of: $0.name)) },
        steps: PreparationCatalogue.declarations, detectors: DetectorCatalogue.declarations,
        metricSettings: EvaluationSettings.declarations,
        metrics: LearningTask.allCases.map { ($0, MetricCatalogue.names(of: $0)) },
        checks: Checks(
            step: { step, layout throws(SettingsError) in
                try PreparationCatalogue.make(step.name, settings: step.settings, layout: layout)
                    .output
            },
            model: { model, layout, classes throws(SettingsError) in
                _ = try ModelCatalogue.make(
                    model.name, settings: model.settings, layout: layout, declaredClasses: classes,
                    seed: 1)
            },
            detector: { detector throws(SettingsError) in
                _ = try DetectorCatalogue.make(detector.name, settings: detector.settings)
            }))
}
