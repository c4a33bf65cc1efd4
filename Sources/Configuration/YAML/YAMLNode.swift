/// A value of a YAML document with the place where it stands.
package struct YAMLNode: Sendable, Equatable {
    package indirect enum Content: Sendable, Equatable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// Entries in their order; keys are distinct.
        case mapping([YAMLEntry])
    }

    package let content: Content
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in characters.
    package let column: Int

    package init(_ content: Content, line: Int, column: Int) {
        self.content = content
        self.line = line
        self.column = column
    }

    /// Whether nothing was written, or a plain `null` or `~`.
    package var isNull: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.resolved == .null
    }
}

/// One entry of a mapping.
package struct YAMLEntry: Sendable, Equatable {
    package let key: String
    /// The line of the key, counted from 1.
    package let line: Int
    package let value: YAMLNode

    package init(key: String, line: Int, value: YAMLNode) {
        self.key = key
        self.line = line
        self.value = value
    }
}

/// A scalar as it was written; what it means depends on whether it was quoted.
package struct YAMLScalar: Sendable, Equatable {
    package let text: String
    /// Whether it was written without quotes and not as a block.
    package let isPlain: Bool

    package init(_ text: String, isPlain: Bool) {
        self.text = text
        self.isPlain = isPlain
    }

    /// What a scalar means.
    package enum Resolved: Sendable, Equatable {
        case null
        case boolean(Bool)
        case integer(Int)
        /// May be infinite or NaN.
        case number(Double)
        case text
    }

    /// The meaning under YAML 1.2's core schema: `y`, `yes`, `no`, `on` and `off` are text.
    package var resolved: Resolved {
        guard isPlain else { return .text }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        default: break
        }
        if text.hasPrefix("0o") {
            return Int(text.dropFirst(2), radix: 8).map { .integer($0) } ?? .text
        }
        if text.hasPrefix("0x") {
            return Int(text.dropFirst(2), radix: 16).map { .integer($0) } ?? .text
        }
        guard Self.looksLikeNumber(text) else { return .text }
        if let integer = Int(text) { return .integer(integer) }
        return Double(text).map { .number($0) } ?? .text
    }

    /// Whether a text has the form `[-+]? (digits [. digits?] | . digits) ([eE] [-+]? digits)?`.
    private static func looksLikeNumber(_ text: String) -> Bool {
        var rest = Substring(text)
        func takeDigits() -> Int {
            let digits = rest.utf8.prefix { $0 >= 48 && $0 <= 57 }
            let count = digits.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        var digits = takeDigits()
        if rest.first == "." {
            rest = rest.dropFirst()
            digits += takeDigits()
        }
        guard digits > 0 else { return false }
        if rest.first == "e" || rest.first == "E" {
            rest = rest.dropFirst()
            if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
            guard takeDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
