/// Why the tool ends without a verdict.
enum CrashFailure: Error, CustomStringConvertible {
    /// The command line or the environment is wrong: exit code 2.
    case usage(String)
    /// The run itself could not be made: exit code 1.
    case running(String)

    var description: String {
        switch self {
        case .usage(let text), .running(let text): text
        }
    }
}

/// Command-line words, taken one by one; options may stand anywhere.
struct Arguments {
    private var words: [String]

    init(_ words: [String]) { self.words = words }

    /// The next word that is no option, if there is one.
    mutating func next() -> String? {
        guard let index = words.firstIndex(where: { !$0.hasPrefix("--") }) else { return nil }
        return words.remove(at: index)
    }

    /// Whether `--name` is there; taken out.
    mutating func flag(_ name: String) -> Bool {
        guard let index = words.firstIndex(of: "--\(name)") else { return false }
        words.remove(at: index)
        return true
    }

    /// The value of `--name VALUE`, taken out.
    mutating func option(_ name: String) throws -> String? {
        guard let index = words.firstIndex(of: "--\(name)") else { return nil }
        guard index + 1 < words.count else {
            throw CrashFailure.usage("--\(name) needs a value")
        }
        defer { words.removeSubrange(index...index + 1) }
        return words[index + 1]
    }

    /// The whole number of `--name N`.
    mutating func number(_ name: String, default standard: Int) throws -> Int {
        guard let text = try option(name) else { return standard }
        guard let value = Int(text), value >= 0 else {
            throw CrashFailure.usage("--\(name): expected a whole number, got \(text)")
        }
        return value
    }

    /// Complains about whatever nobody has taken.
    func finish() throws {
        guard words.isEmpty else {
            throw CrashFailure.usage("not understood: \(words.joined(separator: " "))")
        }
    }
}
