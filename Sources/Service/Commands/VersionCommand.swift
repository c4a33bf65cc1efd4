import Core

/// The version of the program.
package enum ProgramVersion {
    /// By semantic versioning.
    package static let text: String = "0.1.0"
}

/// `tidewheel version`.
package enum VersionCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "version", summary: "Show the version of the program",
        options: [OptionDeclaration(flag: "json", "print a JSON object")],
        examples: [
            CommandExample("tidewheel version", "the same as tidewheel --version"),
            CommandExample("tidewheel version --json", "for scripts"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) -> ExitCode {
        if arguments.flag("json") {
            console.print(
                "{\"version\":\"\(ProgramVersion.text)\",\"numerics\":\(numericsVersion)}")
        } else {
            console.print("tidewheel \(ProgramVersion.text) (numeric contract \(numericsVersion))")
        }
        return .success
    }
}
