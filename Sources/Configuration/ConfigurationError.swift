/// A problem in a pipeline file, told so that a reader can fix it without the source.
///
/// Its texts never hold a secret: values that came from the environment, from a file or under a
/// secret key are left out by whoever makes the error.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file's path, as it was given.
    package let file: String
    /// Counted from 1.
    package let line: Int
    /// The key with its sections, such as `model.grace_period`; empty for the file as a whole.
    package let key: String
    package let problem: String
    /// What to do about it.
    package let remedy: String

    package init(file: String, line: Int, key: String, problem: String, remedy: String) {
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    /// `pipeline.yaml:12: model.grace_period: expected …, got 0; remove the key to use 200`
    package var description: String {
        let place = key.isEmpty ? "\(file):\(line)" : "\(file):\(line): \(key)"
        return "\(place): \(problem); \(remedy)"
    }
}

extension [ConfigurationError] {
    /// In the order of their lines; those of one line keep the order in which they were found.
    package var sortedByLine: [ConfigurationError] {
        enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            .map(\.element)
    }
}
