/// Why a tool ends without a result.
package enum ToolFailure: Error, CustomStringConvertible {
    /// The command line or the environment is wrong: exit code 2.
    case usage(String)
    /// Something went wrong on the way: exit code 1.
    case running(String)

    package var description: String {
        switch self {
        case .usage(let text), .running(let text): text
        }
    }
}

/// Command-line words, taken one by one; options may stand anywhere.
package struct Arguments {
    private var words: [String]

    package init(_ words: [String]) { self.words = words }

    /// The next word that is no option, if there is one.
    package mutating func next() -> String? {
        guard let first = words.first, !first.hasPrefix("--") || first == "--help" else {
            return nil
        }
        return words.removeFirst()
    }

    /// The next word that is no option, or a complaint that `name` is missing.
    package mutating func required(_ name: String) throws -> String {
        guard let word = next() else { throw ToolFailure.usage("\(name) is missing") }
        return word
    }

    /// Whether `--name` is there; taken out.
    package mutating func flag(_ name: String) -> Bool {
        guard let index = words.firstIndex(of: "--\(name)") else { return false }
        words.remove(at: index)
        return true
    }

    /// The value of `--name VALUE`, taken out.
    package mutating func option(_ name: String) throws -> String? {
        guard let index = words.firstIndex(of: "--\(name)") else { return nil }
        guard index + 1 < words.count else {
            throw ToolFailure.usage("--\(name) needs a value")
        }
        defer { words.removeSubrange(index...index + 1) }
        return words[index + 1]
    }

    /// The whole number of `--name N`; at least 0.
    package mutating func number(_ name: String, default standard: Int) throws -> Int {
        guard let text = try option(name) else { return standard }
        guard let value = Int(text), value >= 0 else {
            throw ToolFailure.usage("--\(name): expected a whole number, got \(text)")
        }
        return value
    }

    /// The values of every `--name KEY=VALUE`, flat: key, value, key, value.
    package mutating func settings(_ name: String) throws -> [String] {
        var flat: [String] = []
        while let text = try option(name) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ToolFailure.usage("--\(name): expected KEY=VALUE, got \(text)")
            }
            flat += parts
        }
        return flat
    }

    /// Complains about whatever nobody has taken.
    package func finish() throws {
        guard words.isEmpty else {
            throw ToolFailure.usage("not understood: \(words.joined(separator: " "))")
        }
    }
}
