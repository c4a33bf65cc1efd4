import Core
import Models

/// The two baselines that always run beside a supervised model; they learn what it learns.
struct BaselinePair: ~Copyable {
    private let models: [(name: String, model: String)]
    private var learners: [any Learner] = []
    /// The predictions of the two, in the order of ``ModelCatalogue/baselines(of:)``.
    private(set) var first: Predictions
    private(set) var second: Predictions

    init(_ task: LearningTask, layout: ColumnLayout) {
        models = ModelCatalogue.baselines(of: task)
        let capacity = PipelineProcessor.batchRecords
        first = Predictions(capacity: capacity, wantsProbabilities: false)
        second = Predictions(capacity: capacity, wantsProbabilities: false)
        for entry in models {
            guard let declaration = ModelCatalogue.declaration(of: entry.model) else { continue }
            do {
                let made = try ModelCatalogue.make(
                    entry.model, settings: declaration.settings(), layout: layout,
                    declaredClasses: 0, seed: 0)
                learners.append(made.learner)
            } catch {
                preconditionFailure("baseline \(entry.model) refuses its defaults: \(error)")
            }
        }
        precondition(learners.isEmpty || learners.count == 2, "baselines come in pairs")
    }

    mutating func predictAndLearn(_ rows: borrowing Rows, _ range: Range<Int>, classes: Int) {
        guard learners.count == 2 else { return }
        first.reserve(rows: range.count, classes: classes)
        second.reserve(rows: range.count, classes: classes)
        learners[0].predictAndLearn(rows, range, into: &first)
        learners[1].predictAndLearn(rows, range, into: &second)
    }

    func encode(to encoder: inout StateEncoder) {
        for learner in learners { learner.encode(to: &encoder) }
    }

    mutating func restore(from decoder: inout StateDecoder) throws(StateError) {
        for index in learners.indices {
            learners[index] = try ModelCatalogue.decode(models[index].model, from: &decoder).learner
        }
    }
}

extension ModelCatalogue {
    static func declaration(of name: String) -> ComponentDeclaration? {
        declarations.first { $0.name == name }
    }
}
