package import Core

/// Every model that a pipeline file can name.
package enum ModelCatalogue {
    /// What the models are called and which settings they take, in the order of the reference.
    package static let declarations: [ComponentDeclaration] = entries.map(\.declaration)

    /// Makes a model from checked settings.
    ///
    /// - Parameters:
    ///   - layout: The columns of the rows that it will get.
    ///   - declaredClasses: The classes that the pipeline file declares; 0 if it declares none.
    ///   - seed: The seed of the model's own randomness.
    /// - Precondition: `name` is declared, and `settings` hold its declared keys.
    package static func make(
        _ name: String, settings: Settings, layout: ColumnLayout, declaredClasses: Int,
        seed: UInt64
    ) throws(SettingsError) -> AnyLearner {
        try entry(name).make(
            Parts(
                settings: settings, layout: layout, declaredClasses: declaredClasses, seed: seed))
    }

    /// Reads a model that ``Learner/encode(to:)`` wrote.
    ///
    /// - Precondition: `name` is declared.
    package static func decode(
        _ name: String, from decoder: inout StateDecoder
    ) throws(StateError) -> AnyLearner {
        try entry(name).decode(&decoder)
    }

    /// What a model predicts.
    ///
    /// - Precondition: `name` is declared.
    package static func task(of name: String) -> LearningTask { entry(name).task }

    /// The models that run beside one for this task: the baseline's name in metrics, and the
    /// model's name in this catalogue.
    package static func baselines(of task: LearningTask) -> [(name: String, model: String)] {
        switch task {
        case .classification: [("majority", "majority"), ("no_change", "no_change")]
        case .regression: [("mean", "mean"), ("no_change", "last_value")]
        case .clustering: []
        }
    }
}

// MARK: - Entries

extension ModelCatalogue {
    /// What a model is made from.
    private struct Parts {
        let settings: Settings
        let layout: ColumnLayout
        let declaredClasses: Int
        let seed: UInt64
    }

    private struct Entry: Sendable {
        let declaration: ComponentDeclaration
        let task: LearningTask
        let make: @Sendable (Parts) throws(SettingsError) -> AnyLearner
        let decode: @Sendable (inout StateDecoder) throws(StateError) -> AnyLearner

        static func classifier<Model: Classifier>(
            _ declaration: ComponentDeclaration, _ type: Model.Type,
            _ make: @escaping @Sendable (Parts) throws(SettingsError) -> Model
        ) -> Entry {
            Entry(
                declaration: declaration, task: .classification,
                make: { (parts) throws(SettingsError) in .classifier(try make(parts)) },
                decode: { (decoder) throws(StateError) in .classifier(try Model(from: &decoder)) })
        }

        static func regressor<Model: Regressor>(
            _ declaration: ComponentDeclaration, _ type: Model.Type,
            _ make: @escaping @Sendable (Parts) throws(SettingsError) -> Model
        ) -> Entry {
            Entry(
                declaration: declaration, task: .regression,
                make: { (parts) throws(SettingsError) in .regressor(try make(parts)) },
                decode: { (decoder) throws(StateError) in .regressor(try Model(from: &decoder)) })
        }

        static func clusterer<Model: Clusterer>(
            _ declaration: ComponentDeclaration, _ type: Model.Type,
            _ make: @escaping @Sendable (Parts) throws(SettingsError) -> Model
        ) -> Entry {
            Entry(
                declaration: declaration, task: .clustering,
                make: { (parts) throws(SettingsError) in .clusterer(try make(parts)) },
                decode: { (decoder) throws(StateError) in .clusterer(try Model(from: &decoder)) })
        }
    }

    private static func entry(_ name: String) -> Entry {
        guard let entry = entries.first(where: { $0.declaration.name == name }) else {
            preconditionFailure("no model is called \(name)")
        }
        return entry
    }

    private static let entries: [Entry] = [
        .classifier(LogisticRegression.declaration, LogisticRegression.self) {
            (parts) throws(SettingsError) in
            try LogisticRegression(
                settings: parts.settings, layout: parts.layout,
                declaredClasses: parts.declaredClasses)
        },
        .regressor(LinearRegression.declaration, LinearRegression.self) {
            (parts) throws(SettingsError) in
            try LinearRegression(settings: parts.settings, layout: parts.layout)
        },
        .classifier(HoeffdingTree.declaration, HoeffdingTree.self) {
            (parts) throws(SettingsError) in
            try HoeffdingTree(
                settings: parts.settings, layout: parts.layout,
                declaredClasses: parts.declaredClasses, seed: parts.seed)
        },
        .clusterer(KMeans.declaration, KMeans.self) { (parts) throws(SettingsError) in
            try KMeans(settings: parts.settings, layout: parts.layout, seed: parts.seed)
        },
        .classifier(Majority.declaration, Majority.self) { (parts) throws(SettingsError) in
            try Majority(settings: parts.settings, layout: parts.layout)
        },
        .classifier(NoChange.declaration, NoChange.self) { (parts) throws(SettingsError) in
            try NoChange(settings: parts.settings, layout: parts.layout)
        },
        .regressor(Mean.declaration, Mean.self) { (parts) throws(SettingsError) in
            try Mean(settings: parts.settings, layout: parts.layout)
        },
        .regressor(LastValue.declaration, LastValue.self) { (parts) throws(SettingsError) in
            try LastValue(settings: parts.settings, layout: parts.layout)
        },
    ]
}
