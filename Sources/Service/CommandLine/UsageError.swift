/// A command line that cannot be obeyed; the program ends with exit code 2.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    /// The command, or an empty text before one is known.
    package let command: String
    package let problem: String
    /// What to write instead.
    package let remedy: String

    package init(command: String, problem: String, remedy: String) {
        self.command = command
        self.problem = problem
        self.remedy = remedy
    }

    /// `tidewheel eval: unknown option '--jsn'; did you mean '--json'?`
    package var description: String {
        let program = command.isEmpty ? "tidewheel" : "tidewheel \(command)"
        return "\(program): \(problem); \(remedy)"
    }
}

/// Why a command could not do its work; the program says so and ends with ``exitCode``.
package struct CommandFailure: Error, Equatable, CustomStringConvertible {
    /// What went wrong, where, and what to do.
    package let message: String
    package let exitCode: ExitCode

    package init(_ message: String, exitCode: ExitCode = .failure) {
        self.message = message
        self.exitCode = exitCode
    }

    package var description: String { message }
}

/// How the program ends.
package enum ExitCode: Int32, Sendable {
    /// All that was asked for is done.
    case success = 0
    /// It failed while running.
    case failure = 1
    /// Bad usage, or a bad pipeline file.
    case usage = 2
    /// Another process runs under this one's name in the group.
    case fenced = 3
}
