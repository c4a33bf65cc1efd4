package import Core

/// The names that a pipeline file can use, with their declarations and checks.
package struct PipelineCatalogue: Sendable {
    package struct Model: Sendable {
        package let declaration: ComponentDeclaration
        package let task: LearningTask

        package init(_ declaration: ComponentDeclaration, _ task: LearningTask) {
            self.declaration = declaration
            self.task = task
        }
    }

    /// What makes a component and so finds out what it refuses.
    package struct Checks: Sendable {
        /// The layout after a step.
        package var step:
            @Sendable (Pipeline.Component, ColumnLayout) throws(SettingsError) -> ColumnLayout
        /// A model, its layout and the number of declared classes.
        package var model:
            @Sendable (Pipeline.Component, ColumnLayout, Int) throws(SettingsError) -> Void
        package var detector: @Sendable (Pipeline.Component) throws(SettingsError) -> Void

        package init(
            step:
                @escaping @Sendable (Pipeline.Component, ColumnLayout) throws(SettingsError) ->
                ColumnLayout,
            model:
                @escaping @Sendable (Pipeline.Component, ColumnLayout, Int) throws(SettingsError) ->
                Void,
            detector: @escaping @Sendable (Pipeline.Component) throws(SettingsError) -> Void
        ) {
            self.step = step
            self.model = model
            self.detector = detector
        }
    }

    package let models: [Model]
    package let steps: [ComponentDeclaration]
    package let detectors: [ComponentDeclaration]
    /// The keys of the section `metrics`.
    package let metricSettings: [SettingDeclaration]
    /// The learning metrics of each task.
    package let metrics: [(task: LearningTask, names: [String])]
    package let checks: Checks

    package init(
        models: [Model], steps: [ComponentDeclaration], detectors: [ComponentDeclaration],
        metricSettings: [SettingDeclaration], metrics: [(task: LearningTask, names: [String])],
        checks: Checks
    ) {
        self.models = models
        self.steps = steps
        self.detectors = detectors
        self.metricSettings = metricSettings
        self.metrics = metrics
        self.checks = checks
    }

    func metricNames(_ task: LearningTask) -> [String] {
        metrics.first { $0.task == task }?.names ?? []
    }

    func task(of model: String) -> LearningTask? {
        models.first { $0.declaration.name == model }?.task
    }
}
