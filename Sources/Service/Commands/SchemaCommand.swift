import Engine

/// `tidewheel schema`: the JSON Schema of pipeline files.
package enum SchemaCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "schema", summary: "Print the JSON Schema of pipeline files, for editors",
        details: [
            "In Visual Studio Code with the YAML extension, put the file's path under "
                + "yaml.schemas, or begin a pipeline file with "
                + "'# yaml-language-server: $schema=tidewheel.schema.json'."
        ],
        examples: [
            CommandExample("tidewheel schema > tidewheel.schema.json", "write it to a file")
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) -> ExitCode {
        console.output.write(PipelineReference.schema())
        return .success
    }
}
