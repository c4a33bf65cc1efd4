package import Core

/// Walks a tree with declarations: gives checked settings and collects every mistake.
///
/// Where a value is wrong, its default stands in, so that reading can go on; the settings count
/// only if ``mistakes`` is empty.
package struct SettingsReader: Sendable {
    package let file: String
    package var mistakes: [ConfigurationError] = []
    /// The line of each key that was seen, such as `model.grace_period`.
    package private(set) var places = Places()
    let substitution: Substitution

    package init(file: String, substitution: Substitution) {
        self.file = file
        self.substitution = substitution
    }

    /// Reads a whole file's mapping; what is missing has the line 1.
    package mutating func readDocument(
        _ root: YAMLNode?, as declarations: [SettingDeclaration]
    ) -> Settings {
        let node = root ?? YAMLNode(.mapping([]), line: 1, column: 1)
        guard case .mapping(let entries) = node.content else {
            if !node.isNull {
                fail(
                    node.line, "", "expected a mapping of keys, got \(shown(node, ""))",
                    "begin with `pipeline: NAME`")
            }
            return section([], declarations, key: "", line: 1)
        }
        return section(entries, declarations, key: "", line: 1)
    }

    // MARK: Sections

    /// Reads the entries of a mapping with declared keys.
    mutating func section(
        _ entries: [YAMLEntry], _ declarations: [SettingDeclaration], key: String, line: Int,
        preset: ComponentDeclaration.Preset? = nil
    ) -> Settings {
        var settings = Settings()
        for declaration in declarations {
            settings[declaration.key] =
                preset?.values.first { $0.key == declaration.key }?.value
                ?? declaration.defaultValue
        }
        var given: Set<String> = []
        for entry in unfolded(entries, declarations) {
            let path = Self.join(key, entry.key)
            places.set(path, line: entry.line)
            guard let declaration = declarations.first(where: { $0.key == entry.key }) else {
                refuseUnknown(entry, path: path, valid: declarations.map(\.key))
                continue
            }
            guard given.insert(entry.key).inserted else {
                fail(
                    entry.line, path, "the key is given twice, nested and with a dot",
                    "put both together")
                continue
            }
            let fallback = settings[entry.key]
            if let value = read(
                entry.value, declaration.kind, key: path, line: entry.line, default: fallback)
            {
                settings[entry.key] = value
            }
        }
        for declaration in declarations
        where declaration.isRequired && !given.contains(declaration.key) {
            fail(
                line, Self.join(key, declaration.key), "the key is missing",
                "add it: \(Self.lowercasedFirst(declaration.summary))")
        }
        return settings
    }

    /// The entries with those moved out that stand inside a map but have a declaration of their own:
    /// `kafka: { consumer: … }` is `kafka.consumer: …`.
    private func unfolded(
        _ entries: [YAMLEntry], _ declarations: [SettingDeclaration]
    ) -> [YAMLEntry] {
        entries.flatMap { entry -> [YAMLEntry] in
            guard case .mapping(let inner) = entry.value.content,
                declarations.contains(where: { $0.key == entry.key && $0.kind.isMap })
            else { return [entry] }
            let own = inner.filter { candidate in
                if case .scalar = candidate.value.content, !candidate.value.isNull { return false }
                return declarations.contains { $0.key == "\(entry.key).\(candidate.key)" }
            }
            guard !own.isEmpty else { return [entry] }
            let rest = YAMLNode(
                .mapping(inner.filter { !own.contains($0) }), line: entry.value.line,
                column: entry.value.column)
            return [YAMLEntry(key: entry.key, line: entry.line, value: rest)]
                + own.map {
                    YAMLEntry(key: "\(entry.key).\($0.key)", line: $0.line, value: $0.value)
                }
        }
    }

    private mutating func refuseUnknown(_ entry: YAMLEntry, path: String, valid: [String]) {
        let remedy: String
        if let nearest = NearestName.find(entry.key, among: valid) {
            remedy = "did you mean \(nearest)?"
        } else if valid.isEmpty {
            remedy = "remove it; nothing can be set here"
        } else {
            remedy = "valid keys here: \(valid.joined(separator: ", "))"
        }
        fail(entry.line, path, "unknown key", remedy)
    }

    // MARK: Values

    /// Reads a value of a kind; `nil`, and a mistake, if it is none.
    ///
    /// A section, list or mapping that is left empty counts as absent.
    mutating func read(
        _ node: YAMLNode, _ kind: SettingKind, key: String, line: Int,
        default fallback: SettingValue?
    ) -> SettingValue? {
        switch kind {
        case .section(let declarations):
            guard let entries = entries(node, key, kind, fallback) else { return nil }
            return .section(section(entries, declarations, key: key, line: line))
        case .list(let element):
            return list(node, element, key: key, fallback)
        case .map:
            return map(node, key: key, fallback)
        case .named(let element):
            guard let entries = entries(node, key, kind, fallback) else { return nil }
            return .named(
                entries.compactMap { entry in
                    let path = Self.join(key, entry.key)
                    places.set(path, line: entry.line)
                    return read(entry.value, element, key: path, line: entry.line, default: nil)
                        .map { NamedValue(entry.key, $0) }
                })
        case .component(let choices):
            return component(
                node, choices, allowsType: false, key: key, line: line, fallback)
        case .typedComponent(let choices):
            return component(node, choices, allowsType: true, key: key, line: line, fallback)
        case .columns:
            return columns(node, key: key, fallback)
        case .wordOr(let words, let other):
            if case .scalar(let scalar) = node.content, words.contains(scalar.text) {
                return .text(scalar.text)
            }
            return read(node, other, within: kind, key: key, line: line, fallback)
        default:
            return scalar(node, kind, shown: kind, key: key, fallback)
        }
    }

    /// Reads a value of the second kind of a choice between words and that kind.
    private mutating func read(
        _ node: YAMLNode, _ kind: SettingKind, within outer: SettingKind, key: String, line: Int,
        _ fallback: SettingValue?
    ) -> SettingValue? {
        switch kind {
        case .section, .list, .map, .named, .component, .typedComponent, .columns, .wordOr:
            guard case .scalar = node.content else {
                return read(node, kind, key: key, line: line, default: fallback)
            }
            refuse(node, outer, key: key, fallback)
            return nil
        default:
            return scalar(node, kind, shown: outer, key: key, fallback)
        }
    }

    /// The entries of a mapping; none for an empty value; a mistake for anything else.
    mutating func entries(
        _ node: YAMLNode, _ key: String, _ kind: SettingKind, _ fallback: SettingValue?
    ) -> [YAMLEntry]? {
        if case .mapping(let entries) = node.content { return entries }
        if node.isNull { return [] }
        refuse(node, kind, key: key, fallback)
        return nil
    }

    private mutating func list(
        _ node: YAMLNode, _ element: SettingKind, key: String, _ fallback: SettingValue?
    ) -> SettingValue? {
        if node.isNull { return fallback ?? .list([]) }
        guard case .sequence(let items) = node.content else {
            refuse(node, .list(element), key: key, fallback)
            return nil
        }
        var values: [SettingValue] = []
        var kept: [Int] = []
        for (index, item) in items.enumerated() {
            let path = "\(key)[\(index)]"
            places.set(path, line: item.line)
            if let value = read(item, element, key: path, line: item.line, default: nil) {
                values.append(value)
                kept.append(index)
            }
        }
        if kept.count < items.count { places.keep(kept, of: key) }
        return .list(values)
    }

    private mutating func map(
        _ node: YAMLNode, key: String, _ fallback: SettingValue?
    ) -> SettingValue? {
        guard let entries = entries(node, key, .map, fallback) else { return nil }
        var pairs: [TextPair] = []
        for entry in entries {
            let path = Self.join(key, entry.key)
            places.set(path, line: entry.line)
            if Self.isSecretName(entry.key) { places.markSecret(path) }
            if case .text(let text)? = scalar(entry.value, .text, shown: .text, key: path, nil) {
                pairs.append(TextPair(entry.key, text))
            }
        }
        return .map(pairs)
    }

    private mutating func columns(
        _ node: YAMLNode, key: String, _ fallback: SettingValue?
    ) -> SettingValue? {
        if case .scalar(let scalar) = node.content, scalar.text == "all" { return .columns(.all) }
        guard case .sequence(let items) = node.content else {
            refuse(node, .columns, key: key, fallback)
            return nil
        }
        var names: [String] = []
        var kept: [Int] = []
        for (index, item) in items.enumerated() {
            let path = "\(key)[\(index)]"
            places.set(path, line: item.line)
            if case .text(let name)? = scalar(item, .text, shown: .text, key: path, nil) {
                names.append(name)
                kept.append(index)
            }
        }
        if kept.count < items.count { places.keep(kept, of: key) }
        return .columns(.named(names))
    }

    // MARK: Mistakes

    package mutating func fail(_ line: Int, _ key: String, _ problem: String, _ remedy: String) {
        mistakes.append(
            ConfigurationError(
                file: file, line: line, key: key, problem: problem, remedy: remedy))
    }

    /// Notes that a value is not of its kind.
    mutating func refuse(
        _ node: YAMLNode, _ kind: SettingKind, key: String, _ fallback: SettingValue?,
        remedy: String? = nil
    ) {
        fail(
            node.line, key, "expected \(kind.expectation), got \(shown(node, key))",
            remedy ?? Self.removal(fallback))
    }

    mutating func markSecret(_ key: String) {
        places.markSecret(key)
    }

    mutating func setPlace(_ key: String, line: Int) {
        places.set(key, line: line)
    }

    /// How to get rid of a wrong value.
    static func removal(_ fallback: SettingValue?) -> String {
        guard let fallback else { return "correct it" }
        return "remove the key to use \(fallback.yaml)"
    }

    /// A value for a message: short, and never a secret.
    func shown(_ node: YAMLNode, _ key: String) -> String {
        switch node.content {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            if places.isSecret(key) { return "a secret value" }
            if node.isNull { return "nothing" }
            if scalar.text.isEmpty { return "an empty text" }
            var text = String(scalar.text.prefix(60))
            text = String(text.map { $0.isNewline ? " " : $0 })
            if text.count < scalar.text.count { text += "…" }
            return scalar.isPlain || text.count > 60 ? text : "\"\(text)\""
        }
    }

    static func join(_ key: String, _ name: String) -> String {
        key.isEmpty ? name : "\(key).\(name)"
    }

    static func lowercasedFirst(_ sentence: String) -> String {
        var text = sentence.prefix(1).lowercased() + sentence.dropFirst()
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// Whether the value of a property is never shown: passwords, SASL's and private keys.
    package static func isSecretName(_ name: String) -> Bool {
        name == "password" || name.hasSuffix(".password") || name.hasPrefix("sasl.")
            || name.hasPrefix("ssl.key.") || name.hasSuffix(".secret")
    }
}

extension SettingKind {
    /// Whether the user chooses the names inside.
    var isMap: Bool { if case .map = self { true } else { false } }
}
