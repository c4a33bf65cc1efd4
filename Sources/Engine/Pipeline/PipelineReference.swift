internal import Configuration
internal import Core
internal import Evaluation

/// What is written for people and editors from the declarations: help, JSON Schema, reference.
package enum PipelineReference {
    /// A page of the reference.
    package struct Page: Sendable, Equatable {
        /// The file's name in `docs/reference`.
        package let name: String
        package let content: String
    }

    /// The JSON Schema of a pipeline file, for editors.
    package static func schema(_ catalogue: PipelineCatalogue = .standard) -> String {
        JSONSchemaWriter.schema(
            title: "Tidewheel pipeline", description: "A pipeline file of Tidewheel.",
            PipelineDeclarations.settings(catalogue)
        ).written
    }

    /// The generated pages, the schema included.
    package static func pages(_ catalogue: PipelineCatalogue = .standard) -> [Page] {
        [
            Page(
                name: "pipeline.md",
                content: ReferenceWriter.keys(
                    title: "The pipeline file", introduction: introduction,
                    PipelineDeclarations.settings(catalogue),
                    links: [
                        ("model", "models.md"), ("prepare", "preparation.md"),
                        ("drift", "drift.md"), ("metrics.track", "metrics.md"),
                    ])),
            Page(
                name: "models.md",
                content: ReferenceWriter.components(
                    title: "Models", introduction: modelsIntroduction,
                    catalogue.models.map(\.declaration))),
            Page(
                name: "preparation.md",
                content: ReferenceWriter.components(
                    title: "Preparation steps", introduction: stepsIntroduction, catalogue.steps)),
            Page(
                name: "drift.md",
                content: ReferenceWriter.components(
                    title: "Drift detectors", introduction: detectorsIntroduction,
                    catalogue.detectors.map(PipelineDeclarations.detector))),
            Page(
                name: "metrics.md",
                content: ReferenceWriter.names(
                    title: "Learning metrics", introduction: metricsIntroduction,
                    LearningTask.allCases.map { task in
                        (
                            title(task),
                            MetricCatalogue.declarations.filter { $0.task == task }
                                .map { ($0.name, $0.summary) }
                        )
                    })),
            Page(name: "pipeline.schema.json", content: schema(catalogue)),
        ]
    }

    // MARK: Help

    /// What `tidewheel models` shows: every name, by what it is.
    package static func help(_ catalogue: PipelineCatalogue = .standard) -> String {
        var text = ""
        for task in LearningTask.allCases {
            let models = catalogue.models.filter { $0.task == task }.map(\.declaration)
            guard !models.isEmpty else { continue }
            text += "Models for \(task.rawValue)\n\(ComponentHelp.list(models))\n"
        }
        text += "Preparation steps\n\(ComponentHelp.list(catalogue.steps))\n"
        text += "Drift detectors\n\(ComponentHelp.list(catalogue.detectors))"
        return text
    }

    /// What `tidewheel models NAME` shows; `nil` if nothing has this name.
    package static func help(
        of name: String, _ catalogue: PipelineCatalogue = .standard
    ) -> String? {
        for (section, isList, declarations) in groups(catalogue) {
            guard let found = declarations.first(where: { $0.name == name }) else { continue }
            return ComponentHelp.text(found, example: example(found, section, isList: isList))
        }
        return nil
    }

    /// What `tidewheel models --json` writes, for one name or for all; `nil` as for ``help(of:_:)``.
    package static func json(
        of name: String? = nil, _ catalogue: PipelineCatalogue = .standard
    ) -> String? {
        guard let name else {
            return JSONDocument.object(
                groups(catalogue).map { section, _, declarations in
                    JSONDocument.Member(section, ComponentHelp.json(declarations))
                }
            ).written
        }
        for (_, _, declarations) in groups(catalogue) {
            guard let found = declarations.first(where: { $0.name == name }) else { continue }
            return ComponentHelp.json(found).written
        }
        return nil
    }

    /// Every name that help knows, for suggestions.
    package static func names(_ catalogue: PipelineCatalogue = .standard) -> [String] {
        groups(catalogue).flatMap { $0.declarations.map(\.name) }
    }

    private static func groups(
        _ catalogue: PipelineCatalogue
    ) -> [(section: String, isList: Bool, declarations: [ComponentDeclaration])] {
        [
            ("model", false, catalogue.models.map(\.declaration)),
            ("prepare", true, catalogue.steps),
            ("drift", true, catalogue.detectors.map(PipelineDeclarations.detector)),
        ]
    }

    /// The component with its defaults, as it stands in a pipeline file.
    private static func example(
        _ declaration: ComponentDeclaration, _ section: String, isList: Bool
    ) -> String {
        let given = declaration.settings.compactMap { setting in
            setting.defaultValue.map { "\(setting.key): \($0.yaml)" }
        }
        let head = isList ? "  \(section):\n    - " : "  \(section):\n    "
        guard !given.isEmpty else { return "\(head)\(declaration.name)\n" }
        let indentation = isList ? "        " : "      "
        return "\(head)\(declaration.name):\n"
            + given.map { "\(indentation)\($0)\n" }.joined()
    }

    private static func title(_ task: LearningTask) -> String {
        task.rawValue.prefix(1).uppercased() + task.rawValue.dropFirst()
    }

    // MARK: Texts

    private static let generated = "This page is generated from the program's declarations."

    private static let introduction = """
        \(generated) `tidewheel check FILE` tells every mistake of a file with its line and remedy;
        `tidewheel schema` writes the JSON Schema for editors.

        The file is YAML with the core schema of YAML 1.2: `y`, `no` and `on` are text. Values carry
        their unit: `100 ms`, `64 MiB`, `1000 records`. Inside a value, `${env:NAME}`,
        `${env:NAME:-default}` and `${file:PATH}` are filled in; `$${` stands for `${`. What comes from
        the environment or a file, passwords, `sasl.*` and `ssl.key.*` are never shown. A reference
        inside braces or brackets needs quotes.
        """

    private static let modelsIntroduction = """
        \(generated) A pipeline file names one under `model`: `model: NAME`, or
        `model: {NAME: {KEY: VALUE}}`. `compat` fills settings so that the model acts like another
        program's; keys in the file win. `majority`, `no_change`, `mean` and `last_value` also run
        beside every model as its baselines.
        """

    private static let stepsIntroduction = """
        \(generated) `prepare` lists steps, each a name or a name with its settings. A step
        transforms a record with what it learned from the records before, and learns from it after
        that.
        """

    private static let detectorsIntroduction = """
        \(generated) `drift` lists detectors, each a name or a name with its settings.
        """

    private static let metricsIntroduction = """
        \(generated) `metrics.track` chooses which are reported; by default all that fit the model. A
        metric that is undefined, such as precision before anything was predicted positive, is left
        out of the report. Without `label.positive`, precision, recall and F1 judge class `1` of 0 and
        1, or `true` of false and true.
        """
}
