/// Where keys stand in a file, and which of their values are secret.
package struct Places: Sendable {
    private var lines: [String: Int] = [:]
    private var secrets: Set<String> = []

    package init() {}

    package mutating func set(_ key: String, line: Int) {
        if lines[key] == nil { lines[key] = line }
    }

    package mutating func markSecret(_ key: String) {
        secrets.insert(key)
    }

    package func isSecret(_ key: String) -> Bool { secrets.contains(key) }

    /// Whether the key stands in the file.
    package func has(_ key: String) -> Bool { lines[key] != nil }

    /// The line of a key such as `model.grace_period` or `drift[0].delta`, else that of the nearest
    /// section around it, else 1.
    package func line(of key: String) -> Int {
        var key = key
        while !key.isEmpty {
            if let line = lines[key] { return line }
            guard let cut = key.lastIndex(where: { $0 == "." || $0 == "[" }) else { return 1 }
            key = String(key[..<cut])
        }
        return 1
    }
}
