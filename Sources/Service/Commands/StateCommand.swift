import Configuration
import Engine
import KafkaIO
import State

/// `tidewheel state`: what a pipeline has stored of its models, and whether it holds.
package enum StateCommand: Command {
    /// What can be done, by its word on the command line.
    enum Action: String, CaseIterable {
        case list
        case show
        case verify
        case reset
    }

    package static let declaration = CommandDeclaration(
        name: "state", summary: "Show, check or reset what a pipeline has stored of its models",
        details: [
            "list: for each task the last journal entry, how far it is, its snapshots, and what is "
                + "kept. show: one task in full, with what its model has become (computed as a "
                + "restore does; a second for most). verify: reads every chunk of the snapshots, "
                + "checks every hash, replays the journal from the input, and compares each "
                + "entry's predictions with those that were committed; the newer snapshot must be "
                + "what the older one and the journal lead to.",
            "All of these change nothing and disturb no running process. Exit code 1 means that "
                + "something is broken; each line says what to do.",
            "reset: gives up what was learned, and says what that is first. New models begin where "
                + "these end: predictions stay exactly once. It is refused while the pipeline "
                + "runs.",
        ],
        arguments: [
            ArgumentDeclaration(
                "ACTION", .one, Action.allCases.map(\.rawValue).joined(separator: ", ")),
            ArgumentDeclaration("FILE", .one, "the pipeline file"),
        ],
        options: [
            OptionDeclaration("task", .integer("N", 0...1_000_000), "only this task"),
            OptionDeclaration(flag: "yes", "reset without asking"),
            OptionDeclaration(flag: "json", "print the result as JSON"),
        ],
        examples: [
            CommandExample("tidewheel state list configs/electricity.yaml", "a line for each task"),
            CommandExample(
                "tidewheel state show configs/electricity.yaml --task 0 --json",
                "all about one task, for scripts"),
            CommandExample(
                "tidewheel state verify configs/electricity.yaml",
                "prove that a restore gives the model bit for bit"),
            CommandExample(
                "tidewheel state reset configs/electricity.yaml --yes", "begin a new model"),
        ])

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        let word = arguments.one("ACTION") ?? ""
        guard let action = Action(rawValue: word) else {
            let words = Action.allCases.map(\.rawValue)
            throw UsageError(
                command: "state", problem: "unknown action '\(word)'",
                remedy: NearestName.find(word, among: words).map { "did you mean '\($0)'?" }
                    ?? "write one of \(words.joined(separator: ", "))")
        }
        let pipeline = try PipelineLoading.load(
            arguments.one("FILE") ?? "", for: .kafka, console: console)
        do {
            let stored = try StoredPipeline(pipeline, log: KafkaConnection.log(console))
            let tasks = try chosenTasks(arguments, of: stored)
            let asJSON = arguments.flag("json")
            switch action {
            case .list: return try StateListing(stored).run(tasks, asJSON: asJSON, console)
            case .show: return try StateDetails(stored).run(tasks, asJSON: asJSON, console)
            case .verify: return try StateVerification(stored).run(tasks, asJSON: asJSON, console)
            case .reset:
                return try StateReset(stored).run(
                    tasks, isConfirmed: arguments.flag("yes"), asJSON: asJSON, console)
            }
        } catch let error as KafkaError {
            throw CommandFailure("tidewheel state: \(error)")
        } catch let error as TaskFailure {
            throw CommandFailure("tidewheel state: \(error.message)")
        }
    }

    /// The task that is asked for, or all.
    static func chosenTasks(
        _ arguments: ParsedArguments, of stored: StoredPipeline
    ) throws(UsageError) -> [Int] {
        let count = stored.layout.taskCount
        guard let task = arguments.integer("task") else { return Array(0..<count) }
        guard task < count else {
            throw UsageError(
                command: arguments.command.name, problem: "there is no task \(task)",
                remedy: count == 1
                    ? "the pipeline has one, 0" : "the pipeline has \(count), 0 to \(count - 1)")
        }
        return [task]
    }
}
