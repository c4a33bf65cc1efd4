/// `tidewheel help`: the list of commands, or one command's help.
package enum HelpCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "help", summary: "Show the commands, or the help of one",
        arguments: [ArgumentDeclaration("COMMAND", .optional, "the command to explain")],
        options: [
            OptionDeclaration(
                flag: "markdown", isHidden: true, "print the reference page of all commands")
        ],
        examples: [
            CommandExample("tidewheel help", "all commands"),
            CommandExample("tidewheel help eval", "one command; the same as tidewheel eval --help"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let all = CommandLineTool.commands.map { $0.declaration }
        if arguments.flag("markdown") {
            console.output.write(HelpText.markdown(all))
            return .success
        }
        guard let name = arguments.one("COMMAND") else {
            console.output.write(
                HelpText.overview(all, style: console.outputStyle, width: console.width))
            return .success
        }
        // The parser knows how to complain about a name that is none.
        let command = try ArgumentParser(commands: all).parse([name, "--help"]).command
        console.output.write(
            HelpText.command(command, style: console.outputStyle, width: console.width))
        return .success
    }
}
