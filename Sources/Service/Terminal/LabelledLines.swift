/// Names with their texts, a line each in two columns, below a title.
struct LabelledLines {
    private static let nameWidth = 13

    private(set) var lines: [String]

    init(title: String) {
        lines = [title]
    }

    /// - Parameter name: Empty for one more text of the name before.
    mutating func add(_ name: String, _ text: String) {
        let gap = String(repeating: " ", count: max(1, Self.nameWidth - name.count))
        lines.append("  \(name)\(gap)\(text)")
    }
}
