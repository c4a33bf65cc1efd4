/// The way to a field of a document, as a pipeline file writes it.
enum FieldPath {
    /// `user.age` is `["user", "age"]`; a backslash before a dot makes it a part of the name.
    ///
    /// - Returns: `nil` if a name on the way is empty.
    static func parse(_ text: String) -> [String]? {
        var names: [String] = []
        var name = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                if character != "." { name.append("\\") }
                name.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "." {
                names.append(name)
                name = ""
            } else {
                name.append(character)
            }
        }
        if isEscaped { name.append("\\") }
        names.append(name)
        return names.contains("") ? nil : names
    }

    /// The text that ``parse(_:)`` reads as this path.
    static func text(_ path: [String]) -> String {
        path.map {
            $0.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "\\.")
        }
        .joined(separator: ".")
    }
}
