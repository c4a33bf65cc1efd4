import Configuration

/// Reads a command line by the declarations of the commands.
///
/// `--name value` and `--name=value` are the same; `--` ends the options; `-` alone is an argument
/// (standard input); `-h` and `--help` ask for help anywhere.
package struct ArgumentParser: Sendable {
    private let commands: [CommandDeclaration]

    package init(commands: [CommandDeclaration]) {
        self.commands = commands
    }

    /// - Parameter words: The command line without the program's name.
    package func parse(_ words: [String]) throws(UsageError) -> ParsedArguments {
        guard let first = words.first else {
            throw UsageError(
                command: "", problem: "no command given",
                remedy: "run 'tidewheel help' for the list of commands")
        }
        guard let command = commands.first(where: { $0.name == Self.canonical(first) }) else {
            throw unknown(first)
        }
        var reader = WordReader(command: command, words: Array(words.dropFirst()))
        return try reader.read()
    }

    /// The command that a conventional flag in the first place stands for.
    private static func canonical(_ word: String) -> String {
        switch word {
        case "-h", "--help": "help"
        case "--version", "-V": "version"
        default: word
        }
    }

    private func unknown(_ word: String) -> UsageError {
        let kind = word.hasPrefix("-") ? "option" : "command"
        let remedy =
            NearestName.find(word, among: commands.map(\.name)).map { "did you mean '\($0)'?" }
            ?? "run 'tidewheel help' for the list of commands"
        return UsageError(command: "", problem: "unknown \(kind) '\(word)'", remedy: remedy)
    }
}

/// The words of one command, taken one by one.
private struct WordReader {
    let command: CommandDeclaration
    let words: [String]
    var position = 0
    var plain: [String] = []
    var options: [String: [String]] = [:]

    init(command: CommandDeclaration, words: [String]) {
        self.command = command
        self.words = words
    }

    mutating func read() throws(UsageError) -> ParsedArguments {
        var optionsEnded = false
        while position < words.count {
            let word = words[position]
            position += 1
            if optionsEnded || word == "-" || !word.hasPrefix("-") {
                plain.append(word)
            } else if word == "--" {
                optionsEnded = true
            } else if word == "-h" || word == "--help" {
                return ParsedArguments(
                    command: command, request: .help, arguments: [:], options: [:])
            } else {
                try readOption(word)
            }
        }
        for option in command.options where option.isRequired && options[option.name] == nil {
            throw error("--\(option.name) is missing", "add '\(option.form)': \(option.summary)")
        }
        return ParsedArguments(
            command: command, request: .command, arguments: try assign(), options: options)
    }

    private mutating func readOption(_ word: String) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = command.options.first(where: { "--\($0.name)" == name }) else {
            throw unknownOption(name)
        }
        if options[option.name] != nil, !option.isRepeatable {
            throw error("\(name) is given twice", "keep one of them")
        }
        var value = ""
        if case .flag = option.value {
            guard parts.count == 1 else {
                throw error("\(name) takes no value, got '\(parts[1])'", "write '\(name)' alone")
            }
        } else if parts.count == 2 {
            value = String(parts[1])
        } else {
            guard position < words.count, !isDeclared(words[position]) else {
                throw error("\(name) needs a value", "write '\(option.form)'")
            }
            value = words[position]
            position += 1
        }
        try check(value, of: option)
        options[option.name, default: []].append(value)
    }

    private func isDeclared(_ word: String) -> Bool {
        word.hasPrefix("--") && command.options.contains { "--\($0.name)" == word }
    }

    private func unknownOption(_ name: String) -> UsageError {
        let bare = String(name.drop { $0 == "-" })
        let names = command.options.filter { !$0.isHidden }.map(\.name) + ["help"]
        let remedy =
            NearestName.find(bare, among: names).map { "did you mean '--\($0)'?" }
            ?? "run 'tidewheel help \(command.name)' for its options"
        return error("unknown option '\(name)'", remedy)
    }

    private func check(_ value: String, of option: OptionDeclaration) throws(UsageError) {
        switch option.value {
        case .flag:
            return
        case .text:
            guard value.isEmpty else { return }
            throw error("--\(option.name) has an empty value", "write '\(option.form)'")
        case .integer(_, let range):
            guard let number = Int(value) else {
                throw error(
                    "--\(option.name) expects an integer, got '\(value)'", "write '\(option.form)'")
            }
            guard !range.contains(number) else { return }
            throw outside(option, Self.text(range), value)
        case .number(_, let range):
            guard let number = Double(value), number.isFinite else {
                throw error(
                    "--\(option.name) expects a number, got '\(value)'", "write '\(option.form)'")
            }
            guard !range.contains(number) else { return }
            throw outside(option, Self.text(range), value)
        case .choice(let choices):
            guard !choices.contains(value) else { return }
            let remedy =
                NearestName.find(value, among: choices).map { "did you mean '\($0)'?" }
                ?? "one of \(choices.joined(separator: ", "))"
            throw error("--\(option.name) does not know '\(value)'", remedy)
        }
    }

    private func outside(
        _ option: OptionDeclaration, _ range: String, _ value: String
    ) -> UsageError {
        error("--\(option.name) expects \(range), got \(value)", "write '\(option.form)'")
    }

    private static func text(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "an integer of at least \(range.lowerBound)"
            : "an integer from \(range.lowerBound) to \(range.upperBound)"
    }

    private static func text(_ range: ClosedRange<Double>) -> String {
        range.upperBound == .greatestFiniteMagnitude
            ? "a number of at least \(range.lowerBound)"
            : "a number from \(range.lowerBound) to \(range.upperBound)"
    }

    /// Gives the plain words to the declared arguments.
    private func assign() throws(UsageError) -> [String: [String]] {
        var rest = plain[...]
        var result: [String: [String]] = [:]
        for argument in command.arguments {
            switch argument.count {
            case .one:
                guard let word = rest.popFirst() else { throw missing(argument) }
                result[argument.name] = [word]
            case .optional:
                result[argument.name] = rest.popFirst().map { [$0] } ?? []
            case .oneOrMore:
                guard !rest.isEmpty else { throw missing(argument) }
                result[argument.name] = Array(rest)
                rest = []
            }
        }
        if let word = rest.first {
            throw error("unexpected argument '\(word)'", "the form is '\(command.usage)'")
        }
        return result
    }

    private func missing(_ argument: ArgumentDeclaration) -> UsageError {
        error("\(argument.name) is missing", "the form is '\(command.usage)'")
    }

    private func error(_ problem: String, _ remedy: String) -> UsageError {
        UsageError(command: command.name, problem: problem, remedy: remedy)
    }
}
