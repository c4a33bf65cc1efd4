/// The checked words of a command line.
///
/// Reading a name that the command does not declare, or as another type, is a programmer's mistake
/// and traps.
package struct ParsedArguments: Sendable {
    /// What was asked of the program.
    package enum Request: Sendable, Equatable {
        case command
        /// The help of the command.
        case help
    }

    package let command: CommandDeclaration
    package let request: Request
    private let arguments: [String: [String]]
    private let options: [String: [String]]

    package init(
        command: CommandDeclaration, request: Request, arguments: [String: [String]],
        options: [String: [String]]
    ) {
        self.command = command
        self.request = request
        self.arguments = arguments
        self.options = options
    }

    /// The words of an argument, in the order given.
    package func all(_ argument: String) -> [String] {
        precondition(
            command.arguments.contains { $0.name == argument }, "no argument \(argument)")
        return arguments[argument] ?? []
    }

    /// The word of an argument that takes one.
    package func one(_ argument: String) -> String? { all(argument).first }

    /// Whether a flag was given.
    package func flag(_ option: String) -> Bool {
        guard case .flag = declaration(option).value else {
            preconditionFailure("--\(option) is no flag")
        }
        return options[option] != nil
    }

    /// All values of an option, in the order given; its default when there are none.
    package func texts(_ option: String) -> [String] {
        let declared = declaration(option)
        return options[option] ?? declared.defaultText.map { [$0] } ?? []
    }

    /// The value of an option, or its default.
    package func text(_ option: String) -> String? { texts(option).last }

    package func integer(_ option: String) -> Int? {
        guard case .integer = declaration(option).value else {
            preconditionFailure("--\(option) is no integer")
        }
        return text(option).flatMap { Int($0) }
    }

    package func number(_ option: String) -> Double? {
        guard case .number = declaration(option).value else {
            preconditionFailure("--\(option) is no number")
        }
        return text(option).flatMap { Double($0) }
    }

    private func declaration(_ option: String) -> OptionDeclaration {
        guard let found = command.options.first(where: { $0.name == option }) else {
            preconditionFailure("\(command.name) declares no option \(option)")
        }
        return found
    }
}
