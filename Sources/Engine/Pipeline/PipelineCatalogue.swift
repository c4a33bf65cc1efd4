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

    package let models: [Model]
    package let steps: [ComponentDeclaration]
    package let detectors: [ComponentDeclaration]
    /// The learning metrics of each task.
    package let metrics: [(task: LearningTask, names: [String])]
    /// The layout after a step; throws what the step refuses.
    let applyStep:
        @Sendable (Pipeline.Component, ColumnLayout) throws(SettingsError) -> ColumnLayout
    /// Throws what a model refuses.
    let checkModel: @Sendable (Pipeline.Component, ColumnLayout) throws(SettingsError) -> Void

    package init(
        models: [Model], steps: [ComponentDeclaration], detectors: [ComponentDeclaration],
        metrics: [(task: LearningTask, names: [String])],
        applyStep:
            @escaping @Sendable (Pipeline.Component, ColumnLayout) throws(SettingsError) ->
            ColumnLayout,
        checkModel:
            @escaping @Sendable (Pipeline.Component, ColumnLayout) throws(SettingsError) -> Void
    ) {
        self.models = models
        self.steps = steps
        self.detectors = detectors
        self.metrics = metrics
        self.applyStep = applyStep
        self.checkModel = checkModel
    }

    /// The metric names of all tasks, each once.
    var metricNames: [String] {
        var all: [String] = []
        for (_, names) in metrics {
            for name in names where !all.contains(name) { all.append(name) }
        }
        return all
    }

    func metricNames(_ task: LearningTask) -> [String] {
        metrics.first { $0.task == task }?.names ?? []
    }

    func task(of model: String) -> LearningTask? {
        models.first { $0.declaration.name == model }?.task
    }
}
