import Engine

/// `tidewheel models`: what a pipeline file can name, and the settings of each.
package enum ModelsCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "models", summary: "List models, preparation steps and drift detectors",
        details: ["With a name: its settings with types, ranges and defaults, and an example."],
        arguments: [ArgumentDeclaration("NAME", .optional, "a model, step or detector")],
        options: [OptionDeclaration(flag: "json", "print JSON")],
        examples: [
            CommandExample("tidewheel models", "everything by name"),
            CommandExample("tidewheel models hoeffding_tree", "all settings of one model"),
            CommandExample("tidewheel models --json", "for scripts and editors"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let name = arguments.one("NAME")
        let text: String?
        if arguments.flag("json") {
            text = PipelineReference.json(of: name)
        } else if let name {
            text = PipelineReference.help(of: name)
        } else {
            text = PipelineReference.help()
        }
        guard let text else {
            throw UnknownName.error(
                command: "models", what: "name", name: name ?? "", among: PipelineReference.names())
        }
        console.output.write(text)
        return .success
    }
}
