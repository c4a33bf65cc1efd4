package import Configuration
internal import Core

/// All mistakes of a pipeline file, in the order of their lines; never empty.
package struct ConfigurationMistakes: Error, Equatable, CustomStringConvertible {
    package let all: [ConfigurationError]

    /// One line for each mistake.
    package var description: String { all.map(\.description).joined(separator: "\n") }
}

/// Reads a pipeline file: tree, declared keys, and what keys must be to each other.
///
/// A key that is wrong has its default for the further checks, so that one reading finds every
/// mistake that does not follow from another.
package struct PipelineReader {
    var reader: SettingsReader
    var warnings: [ConfigurationError] = []
    let catalogue: PipelineCatalogue
    let settings: Settings

    /// Reads a file; warnings do not keep a pipeline from running.
    ///
    /// - Parameter environment: What `${env:NAME}` stands for.
    package static func read(
        path: String, catalogue: PipelineCatalogue = .standard,
        environment: @escaping @Sendable (String) -> String? = Substitution.processEnvironment
    ) throws(ConfigurationMistakes) -> (pipeline: Pipeline, warnings: [ConfigurationError]) {
        let bytes: [UInt8]
        do {
            bytes = try FileReading.read(path, limit: YAMLReader.byteLimit)
        } catch {
            throw ConfigurationMistakes(
                all: [
                    ConfigurationError(
                        file: path, line: 1, key: "",
                        problem: "the file cannot be read: \(error.reason)",
                        remedy: "check its path and rights")
                ])
        }
        return try read(bytes: bytes, file: path, catalogue: catalogue, environment: environment)
    }

    /// Reads the content of a file; relative paths in it count from the folder of `file`.
    package static func read(
        bytes: [UInt8], file: String, catalogue: PipelineCatalogue = .standard,
        environment: @escaping @Sendable (String) -> String? = Substitution.processEnvironment
    ) throws(ConfigurationMistakes) -> (pipeline: Pipeline, warnings: [ConfigurationError]) {
        let (root, syntax) = YAMLReader.read(bytes, file: file)
        guard syntax.isEmpty || root != nil else {
            throw ConfigurationMistakes(all: syntax.sortedByLine)
        }
        var reader = SettingsReader(
            file: file,
            substitution: Substitution(
                folder: FileReading.folder(of: file), environment: environment))
        reader.mistakes = syntax
        let settings = reader.readDocument(root, as: PipelineDeclarations.settings(catalogue))
        var pipelineReader = PipelineReader(
            reader: reader, catalogue: catalogue, settings: settings)
        let pipeline = pipelineReader.assemble()
        let mistakes = pipelineReader.reader.mistakes
        guard let pipeline, mistakes.isEmpty else {
            throw ConfigurationMistakes(all: mistakes.sortedByLine)
        }
        return (pipeline, pipelineReader.warnings.sortedByLine)
    }

    /// Checks and builds; `nil` only with mistakes.
    private mutating func assemble() -> Pipeline? {
        var kafka = ClientProperties()
        warnings += kafka.read(settings, &reader)
        let name = pipelineName()
        let output = self.output(pipeline: name ?? "pipeline")
        let input = self.input(outputs: output)
        let model = component("model")
        let task = model.flatMap { catalogue.task(of: $0.name) }
        let label = self.label(task)
        let scope = self.scope(label: label?.field)
        let schema = self.schema(label: label?.field, scope: scope)
        checkColumns(schema, input)
        let preparation = components("prepare")
        let hasFeatureMistakes = reader.mistakes.contains { $0.key.hasPrefix("features") }
        if !hasFeatureMistakes {
            checkLearning(schema, preparation, model, classes: label?.classes.count ?? 0)
        }
        let metrics = self.metrics(task, label)
        let detectors = self.detectors(task)
        let delivery = self.delivery()
        let state = self.state()
        guard let name, let model, let task else { return nil }
        return Pipeline(
            file: reader.file, name: name, kafka: kafka, input: input, schema: schema, task: task,
            positiveClass: label?.positive, preparation: preparation, model: model, scope: scope,
            output: output, metrics: metrics, detectors: detectors,
            onBadRecord: word("on_bad_record") ?? .deadLetter, delivery: delivery, state: state,
            seed: UInt64(integer("seed", in: settings) ?? 1), places: reader.places)
    }

    // MARK: Helpers

    /// Notes a mistake at a key; the nearest section gives the line.
    mutating func fail(_ key: String, _ problem: String, _ remedy: String) {
        reader.fail(reader.places.line(of: key), key, problem, remedy)
    }

    mutating func warn(_ key: String, _ problem: String, _ remedy: String) {
        warnings.append(
            ConfigurationError(
                file: reader.file, line: reader.places.line(of: key), key: key, problem: problem,
                remedy: remedy))
    }

    /// A value for a message; never a secret.
    func shown(_ text: String, _ key: String) -> String {
        reader.places.isSecret(key) ? "a secret value" : String(text.prefix(60))
    }

    /// A section of the file, or its defaults if it is left out.
    func section(_ key: String, _ declarations: [SettingDeclaration]) -> Settings {
        if case .section(let section)? = settings[key] { return section }
        var defaults = Settings()
        for declaration in declarations { defaults[declaration.key] = declaration.defaultValue }
        return defaults
    }

    /// A word of the file's top as a case of an enumeration.
    func word<Word: RawRepresentable<String>>(_ key: String) -> Word? {
        guard case .text(let text)? = settings[key] else { return nil }
        return Word(rawValue: text)
    }

    func text(_ key: String, in section: Settings) -> String? {
        guard case .text(let text)? = section[key] else { return nil }
        return text
    }

    func integer(_ key: String, in section: Settings) -> Int? {
        guard case .integer(let value)? = section[key] else { return nil }
        return value
    }

    func texts(_ key: String, in section: Settings) -> [String] {
        guard case .list(let values)? = section[key] else { return [] }
        return values.compactMap {
            if case .text(let text) = $0 { text } else { nil }
        }
    }

    func component(_ key: String) -> Pipeline.Component? {
        guard case .component(let name, let settings)? = settings[key] else { return nil }
        return Pipeline.Component(name: name, settings: settings)
    }

    func components(_ key: String) -> [Pipeline.Component] {
        guard case .list(let values)? = settings[key] else { return [] }
        return values.compactMap { value in
            guard case .component(let name, let settings) = value else { return nil }
            return Pipeline.Component(name: name, settings: settings)
        }
    }
}
