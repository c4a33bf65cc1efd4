import Core
import Drift
import Features
import Models

/// A model with all that belongs to it alone: its steps, its learner, the baselines beside it, and
/// the detectors that watch it.
///
/// A value: a copy is cheap until one of the two learns, and then each goes its own way.
struct ModelUnit: Sendable {
    private var steps: [any PreparationStep]
    private var learner: any Learner
    /// The two baselines of a supervised model, which learn what it learns; none of a clusterer.
    private var baselines: [any Learner]
    private var detectors: [DetectorRun]

    /// - Parameter declaredClasses: The classes that have codes from the start.
    /// - Throws: What a component refuses, placed in the pipeline file.
    init(_ pipeline: Pipeline, declaredClasses: Int) throws(ProcessorError) {
        steps = []
        var layout = pipeline.schema.layout
        for (index, component) in pipeline.preparation.enumerated() {
            do {
                let step = try PreparationCatalogue.make(
                    component.name, settings: component.settings, layout: layout)
                layout = step.output
                steps.append(step)
            } catch {
                throw .settings(section: "prepare[\(index)]", error)
            }
        }
        do {
            learner = try ModelCatalogue.make(
                pipeline.model.name, settings: pipeline.model.settings, layout: layout,
                declaredClasses: declaredClasses, seed: SplitMix64.derived(pipeline.seed, "model")
            ).learner
        } catch {
            throw .settings(section: "model", error)
        }
        baselines = Self.makeBaselines(pipeline.task, layout: layout)
        detectors = []
        for (index, definition) in pipeline.detectors.enumerated() {
            do {
                detectors.append(try DetectorRun(definition))
            } catch {
                throw .settings(section: "drift[\(index)]", error)
            }
        }
    }

    private static func makeBaselines(
        _ task: LearningTask, layout: ColumnLayout
    ) -> [any Learner] {
        let learners = ModelCatalogue.baselines(of: task).map { entry -> any Learner in
            guard let declaration = ModelCatalogue.declaration(of: entry.model) else {
                preconditionFailure("no model is called \(entry.model)")
            }
            do {
                return try ModelCatalogue.make(
                    entry.model, settings: declaration.settings(), layout: layout,
                    declaredClasses: 0, seed: 0
                ).learner
            } catch {
                preconditionFailure("baseline \(entry.model) refuses its defaults: \(error)")
            }
        }
        precondition(learners.isEmpty || learners.count == 2, "baselines come in pairs")
        return learners
    }

    /// The dense columns that reach the learner.
    var columnCount: Int { steps.last?.output.columns.count ?? 0 }

    /// What can be counted about the model.
    var facts: [ModelSummary.Fact] { ModelSummary.Fact.all(of: learner) }

    /// Memory of the state, in bytes.
    var stateBytes: Int {
        var bytes = learner.stateBytes
        for step in steps { bytes += step.stateBytes }
        for baseline in baselines { bytes += baseline.stateBytes }
        for run in detectors { bytes += run.detector.stateBytes }
        return bytes
    }

    // MARK: Running

    /// Takes rows in order: prepares, predicts, detects and learns each.
    ///
    /// Predictions and signals go to `work`. Where a detector may reset the model between two rows,
    /// the model gets one row at a time through the same methods.
    mutating func run(_ rows: inout Rows, _ range: Range<Int>, _ work: inout ModelWork) {
        for index in steps.indices { steps[index].transformAndLearn(&rows, range) }
        if baselines.count == 2 {
            baselines[0].predictAndLearn(rows, range, into: &work.baseline)
            baselines[1].predictAndLearn(rows, range, into: &work.noChange)
        }
        guard work.resetsModel else {
            learner.predictAndLearn(rows, range, into: &work.predictions)
            if !detectors.isEmpty { _ = detect(rows, range, &work) }
            return
        }
        for row in range {
            learner.predict(rows, row..<(row + 1), into: &work.predictions)
            // Before the record is learned, so that it is the new model's first.
            if detect(rows, row..<(row + 1), &work) { learner.reset() }
            learner.learn(rows, row..<(row + 1))
        }
    }

    /// Lets the detectors see the errors of predicted rows.
    ///
    /// - Returns: whether the model must begin anew.
    private mutating func detect(
        _ rows: borrowing Rows, _ range: Range<Int>, _ work: inout ModelWork
    ) -> Bool {
        var isReset = false
        work.collectErrors(rows, range)
        for index in detectors.indices where work.hasErrors {
            let drifted = work.note(detector: index) { errors, signals in
                detectors[index].update(errors, into: &signals)
            }
            if drifted { isReset = true }
        }
        return isReset
    }
}

// MARK: - State

extension ModelUnit {
    func encode(to encoder: inout StateEncoder) {
        encode(to: &encoder) { _ in true }
    }

    /// Writes what predictions depend on: not the detectors that only watch.
    func encodeLearned(to encoder: inout StateEncoder) {
        encode(to: &encoder) { $0.resets }
    }

    private func encode(
        to encoder: inout StateEncoder, _ includes: (DetectorRun) -> Bool
    ) {
        for step in steps { step.encode(to: &encoder) }
        learner.encode(to: &encoder)
        for baseline in baselines { baseline.encode(to: &encoder) }
        for run in detectors where includes(run) { run.encode(to: &encoder) }
    }

    /// Takes over what a unit of a pipeline that learns the same wrote.
    mutating func restore(
        _ pipeline: Pipeline, _ stored: DetectorSources, from decoder: inout StateDecoder
    ) throws(StateError) {
        for (index, component) in pipeline.preparation.enumerated() {
            steps[index] = try PreparationCatalogue.decode(component.name, from: &decoder)
        }
        learner = try ModelCatalogue.decode(pipeline.model.name, from: &decoder).learner
        let names = ModelCatalogue.baselines(of: pipeline.task)
        for index in baselines.indices {
            baselines[index] = try ModelCatalogue.decode(names[index].model, from: &decoder).learner
        }
        var runs: [DetectorRun.State] = []
        for name in stored.names {
            runs.append(try DetectorRun.State(name, from: &decoder))
        }
        for index in detectors.indices {
            if let source = stored.sources[index] { detectors[index].restore(runs[source]) }
        }
    }
}

extension AnyLearner {
    /// What all kinds have in common.
    var learner: any Learner {
        switch self {
        case .classifier(let model): model
        case .regressor(let model): model
        case .clusterer(let model): model
        }
    }
}

extension ModelCatalogue {
    static func declaration(of name: String) -> ComponentDeclaration? {
        declarations.first { $0.name == name }
    }
}
