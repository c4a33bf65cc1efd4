/// A command of the program: its declaration and what it does.
package protocol Command: Sendable {
    static var declaration: CommandDeclaration { get }

    /// Does the work.
    ///
    /// - Throws: ``CommandFailure`` or ``UsageError``, whose text is all that the user sees; any
    ///   other error is told as it describes itself.
    static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode
}
