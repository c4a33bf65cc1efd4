/// The program: finds the command, runs it, tells what went wrong, and gives the exit code.
package enum CommandLineTool {
    /// All commands, in the order in which help shows them.
    package static let commands: [any Command.Type] = [
        DemoCommand.self, RunCommand.self, CheckCommand.self, EvalCommand.self, MetricsCommand.self,
        StateCommand.self, ReplayCommand.self, ProduceCommand.self, GenerateCommand.self,
        ModelsCommand.self, SchemaCommand.self,
        VersionCommand.self, HelpCommand.self,
    ]

    /// - Parameter words: The command line without the program's name.
    package static func run(_ words: [String], console: Console) -> ExitCode {
        let code = perform(words, console: console)
        guard code == .success, let reason = console.output.failure else { return code }
        console.say("tidewheel: cannot write standard output: \(reason)")
        return .failure
    }

    private static func perform(_ words: [String], console: Console) -> ExitCode {
        let parser = ArgumentParser(commands: commands.map { $0.declaration })
        do {
            let arguments = try parser.parse(words)
            if arguments.request == .help {
                console.output.write(
                    HelpText.command(
                        arguments.command, style: console.outputStyle, width: console.width))
                return .success
            }
            for command in commands where command.declaration.name == arguments.command.name {
                return try command.run(arguments, console: console)
            }
            preconditionFailure("\(arguments.command.name) is declared and not listed")
        } catch let error as UsageError {
            console.say(error.description)
            return .usage
        } catch let error as CommandFailure {
            console.say(error.message)
            return error.exitCode
        } catch {
            console.say("tidewheel: \(error)")
            return .failure
        }
    }
}
