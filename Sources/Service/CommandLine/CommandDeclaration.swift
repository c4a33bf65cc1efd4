/// A command of the program, declared once: parsing, help and the reference page come from it.
package struct CommandDeclaration: Sendable {
    /// The word that names it on the command line.
    package let name: String
    /// One sentence without a full stop, as the list of commands shows it.
    package let summary: String
    /// Further paragraphs of its help, one text each.
    package let details: [String]
    package let arguments: [ArgumentDeclaration]
    package let options: [OptionDeclaration]
    package let examples: [CommandExample]

    package init(
        name: String, summary: String, details: [String] = [],
        arguments: [ArgumentDeclaration] = [], options: [OptionDeclaration] = [],
        examples: [CommandExample]
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.arguments = arguments
        self.options = options
        self.examples = examples
    }

    /// The command's form, such as `tidewheel eval FILE DATA… [options]`.
    package var usage: String {
        var words = ["tidewheel", name]
        words += arguments.map(\.form)
        words += options.filter(\.isRequired).map { "--\($0.name) \($0.value.placeholder)" }
        if options.contains(where: { !$0.isRequired && !$0.isHidden }) { words.append("[options]") }
        return words.joined(separator: " ")
    }
}

/// A word after the command that is no option.
package struct ArgumentDeclaration: Sendable {
    /// How many words it takes; only the last argument of a command may take several.
    package enum Count: Sendable {
        case one
        case optional
        case oneOrMore
    }

    /// In capitals, as help shows it.
    package let name: String
    package let count: Count
    package let summary: String

    package init(_ name: String, _ count: Count = .one, _ summary: String) {
        self.name = name
        self.count = count
        self.summary = summary
    }

    /// `FILE`, `[FILE]` or `FILE…`.
    package var form: String {
        switch count {
        case .one: name
        case .optional: "[\(name)]"
        case .oneOrMore: "\(name)…"
        }
    }
}

/// What an option takes.
package enum OptionValue: Sendable {
    /// Nothing: the option is on when it is there.
    case flag
    case text(String)
    case integer(String, ClosedRange<Int>)
    /// A finite number.
    case number(String, ClosedRange<Double>)
    /// One of a few words.
    case choice([String])

    /// The value's place in help: `FILE`, or `csv|jsonl`; empty for a flag.
    package var placeholder: String {
        switch self {
        case .flag: ""
        case .text(let name), .integer(let name, _), .number(let name, _): name
        case .choice(let words): words.joined(separator: "|")
        }
    }
}

/// An option of a command, such as `--json FILE`.
package struct OptionDeclaration: Sendable {
    /// Without the dashes.
    package let name: String
    package let value: OptionValue
    /// What stands when the option is absent; `nil` when absence means something of its own.
    package let defaultText: String?
    package let isRequired: Bool
    /// Whether it may be given several times.
    package let isRepeatable: Bool
    /// Whether help leaves it out.
    package let isHidden: Bool
    package let summary: String

    package init(
        _ name: String, _ value: OptionValue, default defaultText: String? = nil,
        isRequired: Bool = false, isRepeatable: Bool = false, isHidden: Bool = false,
        _ summary: String
    ) {
        self.name = name
        self.value = value
        self.defaultText = defaultText
        self.isRequired = isRequired
        self.isRepeatable = isRepeatable
        self.isHidden = isHidden
        self.summary = summary
    }

    /// An option that takes no value.
    package init(flag name: String, isHidden: Bool = false, _ summary: String) {
        self.init(name, .flag, isHidden: isHidden, summary)
    }

    /// `--json FILE`, or `--once` for a flag.
    package var form: String {
        value.placeholder.isEmpty ? "--\(name)" : "--\(name) \(value.placeholder)"
    }
}

/// A command line with a sentence on what it does.
package struct CommandExample: Sendable {
    package let line: String
    package let summary: String

    package init(_ line: String, _ summary: String) {
        self.line = line
        self.summary = summary
    }
}
