/// Where keys stand in a file, and which of their values are secret.
package struct Places: Sendable {
    private var lines: [String: Int] = [:]
    private var secrets: Set<String> = []
    /// For lists that lost elements to mistakes, where each of the others stood.
    private var keptIndices: [String: [Int]] = [:]

    package init() {}

    package mutating func set(_ key: String, line: Int) {
        if lines[key] == nil { lines[key] = line }
    }

    package mutating func markSecret(_ key: String) {
        secrets.insert(key)
    }

    /// Notes where the elements stood that a list kept.
    package mutating func keep(_ indices: [Int], of list: String) {
        keptIndices[list] = indices
    }

    /// The key of an element that a list kept, such as `drift[1]`, by where it stood in the file.
    package func element(_ index: Int, of list: String) -> String {
        guard let kept = keptIndices[list], kept.indices.contains(index) else {
            return "\(list)[\(index)]"
        }
        return "\(list)[\(kept[index])]"
    }

    package func isSecret(_ key: String) -> Bool { secrets.contains(key) }

    /// Whether the value of a key, or something in it, is secret.
    package func holdsSecret(_ key: String) -> Bool {
        secrets.contains { $0 == key || $0.hasPrefix("\(key).") || $0.hasPrefix("\(key)[") }
    }

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
