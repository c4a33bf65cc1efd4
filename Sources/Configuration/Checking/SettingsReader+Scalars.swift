internal import Core

extension SettingsReader {
    /// Reads a scalar of a kind; `shown` is the kind that a message names.
    mutating func scalar(
        _ node: YAMLNode, _ kind: SettingKind, shown: SettingKind, key: String,
        _ fallback: SettingValue?
    ) -> SettingValue? {
        guard case .scalar(let written) = node.content else {
            refuse(node, shown, key: key, fallback)
            return nil
        }
        guard let scalar = resolve(written, line: node.line, key: key) else { return nil }
        let resolved = YAMLNode(.scalar(scalar), line: node.line, column: node.column)
        switch kind {
        case .integer(let range):
            if case .integer(let value) = scalar.resolved, range.contains(value) {
                return .integer(value)
            }
            if case .number(let value) = scalar.resolved, let whole = Int(exactly: value),
                range.contains(whole)
            {
                return .integer(whole)
            }
        case .number(let range, let excludingLower):
            if let value = Self.number(scalar), value.isFinite, range.contains(value),
                !(excludingLower && value == range.lowerBound)
            {
                return .number(value)
            }
        case .boolean:
            if case .boolean(let value) = scalar.resolved { return .boolean(value) }
        case .choice(let words):
            if words.contains(scalar.text) { return .text(scalar.text) }
            refuseChoice(resolved, scalar, words, shown: shown, key: key, fallback)
            return nil
        case .text:
            if scalar.resolved != .null || scalar != written, !scalar.text.isEmpty {
                return .text(scalar.text)
            }
        case .duration, .byteSize, .extent:
            return withUnit(resolved, scalar, kind, shown: shown, key: key, fallback)
        default:
            break
        }
        refuse(resolved, shown, key: key, fallback)
        return nil
    }

    /// The most words that a message lists.
    private static let shownWords = 8

    /// Tells the nearest word, or all of them; a long list only where no word is near.
    private mutating func refuseChoice(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ words: [String], shown kind: SettingKind,
        key: String, _ fallback: SettingValue?
    ) {
        let suggestion = NearestName.find(scalar.text, among: words).map { "did you mean \($0)?" }
        guard words.count > Self.shownWords else {
            refuse(node, kind, key: key, fallback, remedy: suggestion)
            return
        }
        fail(
            node.line, key, "expected one of \(words.count) names, got \(shown(node, key))",
            suggestion ?? "valid names: \(words.joined(separator: ", "))")
    }

    /// Fills in what a scalar refers to, and marks its key as secret if that is.
    mutating func resolve(_ scalar: YAMLScalar, line: Int, key: String) -> YAMLScalar? {
        do {
            let resolved = try substitution.resolve(scalar.text)
            if resolved.isSecret { markSecret(key) }
            // Braces force quotes around a reference, so they do not make what it stands for a text.
            let isPlain = scalar.isPlain || resolved.text != scalar.text
            return YAMLScalar(resolved.text, isPlain: isPlain)
        } catch {
            fail(line, key, error.problem, error.remedy)
            return nil
        }
    }

    private static func number(_ scalar: YAMLScalar) -> Double? {
        switch scalar.resolved {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    private mutating func withUnit(
        _ node: YAMLNode, _ scalar: YAMLScalar, _ kind: SettingKind, shown: SettingKind,
        key: String, _ fallback: SettingValue?
    ) -> SettingValue? {
        var names = Units.timeNames
        if case .byteSize = kind { names = Units.sizeNames }
        if case .extent = kind { names = ["records"] + names }
        let list = "\(names.dropLast().joined(separator: ", ")) or \(names[names.count - 1])"
        do {
            switch kind {
            case .byteSize: return .bytes(try Units.byteSize(scalar.text))
            case .extent: return .extent(try Units.extent(scalar.text))
            default: return .duration(try Units.duration(scalar.text))
            }
        } catch Units.Failure.noUnit {
            refuse(node, shown, key: key, fallback, remedy: "add a unit: \(list)")
        } catch Units.Failure.unknownUnit(let unit) {
            let nearest = NearestName.find(unit, among: names).map { "did you mean \($0)? " } ?? ""
            refuse(node, shown, key: key, fallback, remedy: "\(nearest)units are \(list)")
        } catch {
            refuse(node, shown, key: key, fallback)
        }
        return nil
    }
}
