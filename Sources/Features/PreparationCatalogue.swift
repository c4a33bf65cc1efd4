package import Core

/// Every step that `prepare:` can name.
package enum PreparationCatalogue {
    /// What the steps are called and which settings they take, in the order of the reference.
    package static let declarations: [ComponentDeclaration] = entries.map(\.declaration)

    /// Makes a step from checked settings.
    ///
    /// - Parameter layout: The columns that come in; ``PreparationStep/output`` says what comes out.
    /// - Precondition: `name` is declared, and `settings` hold its declared keys.
    package static func make(
        _ name: String, settings: Settings, layout: ColumnLayout
    ) throws(SettingsError) -> any PreparationStep {
        try entry(name).make(settings, layout)
    }

    /// Reads a step that ``PreparationStep/encode(to:)`` wrote.
    ///
    /// - Precondition: `name` is declared.
    package static func decode(
        _ name: String, from decoder: inout StateDecoder
    ) throws(StateError) -> any PreparationStep {
        try entry(name).decode(&decoder)
    }

    private struct Entry: Sendable {
        let declaration: ComponentDeclaration
        let make: @Sendable (Settings, ColumnLayout) throws(SettingsError) -> any PreparationStep
        let decode: @Sendable (inout StateDecoder) throws(StateError) -> any PreparationStep

        init<Step: PreparationStep>(
            _ declaration: ComponentDeclaration, _ type: Step.Type,
            _ make: @escaping @Sendable (Settings, ColumnLayout) throws(SettingsError) -> Step
        ) {
            self.declaration = declaration
            self.make = { (settings, layout) throws(SettingsError) in try make(settings, layout) }
            decode = { (decoder) throws(StateError) in try Step(from: &decoder) }
        }
    }

    private static func entry(_ name: String) -> Entry {
        guard let entry = entries.first(where: { $0.declaration.name == name }) else {
            preconditionFailure("no preparation step is called \(name)")
        }
        return entry
    }

    private static let entries: [Entry] = [
        Entry(Standardize.declaration, Standardize.self) {
            (settings, layout) throws(SettingsError) in
            try Standardize(settings: settings, layout: layout)
        },
        Entry(MinMax.declaration, MinMax.self) {
            (settings, layout) throws(SettingsError) in
            try MinMax(settings: settings, layout: layout)
        },
        Entry(Impute.declaration, Impute.self) {
            (settings, layout) throws(SettingsError) in
            try Impute(settings: settings, layout: layout)
        },
        Entry(OneHot.declaration, OneHot.self) {
            (settings, layout) throws(SettingsError) in
            try OneHot(settings: settings, layout: layout)
        },
    ]
}
