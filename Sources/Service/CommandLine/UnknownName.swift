import Configuration

/// The complaint about an argument that is none of some names.
enum UnknownName {
    static func error(
        command: String, what: String, name: String, among names: [String]
    ) -> UsageError {
        let remedy =
            NearestName.find(name, among: names).map { "did you mean '\($0)'?" }
            ?? "one of \(names.joined(separator: ", "))"
        return UsageError(command: command, problem: "unknown \(what) '\(name)'", remedy: remedy)
    }
}
