package import Core

extension SettingValue {
    /// As it would be written in a pipeline file, on one line.
    package var yaml: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value):
            value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .boolean(let value): "\(value)"
        case .text(let value):
            YAMLScalar(value, isPlain: true).resolved == .text ? value : "\"\(value)\""
        case .duration(let value): Units.text(duration: value)
        case .bytes(let value): Units.text(byteSize: value)
        case .extent(let value): Units.text(extent: value)
        case .columns(.all): "all"
        case .columns(.named(let names)): "[\(names.joined(separator: ", "))]"
        case .list(let values): "[\(values.map(\.yaml).joined(separator: ", "))]"
        case .map(let pairs):
            "{\(pairs.map { "\($0.name): \($0.text)" }.joined(separator: ", "))}"
        case .section(let settings): "{\(settings.yaml)}"
        case .component(let name, let settings):
            settings.keys.isEmpty ? name : "{\(name): {\(settings.yaml)}}"
        case .named(let values):
            "{\(values.map { "\($0.name): \($0.value.yaml)" }.joined(separator: ", "))}"
        }
    }
}

extension Settings {
    /// `key: value` pairs in the order of their keys.
    fileprivate var yaml: String {
        keys.compactMap { key in self[key].map { "\(key): \($0.yaml)" } }.joined(separator: ", ")
    }
}

extension SettingKind {
    /// What is expected, with its range: `an integer of at least 1`.
    package var expectation: String {
        switch self {
        case .integer(let range) where range.lowerBound == range.upperBound:
            "\(range.lowerBound)"
        case .integer(let range):
            Self.ranged(
                "an integer", range.lowerBound == .min ? nil : "\(range.lowerBound)",
                range.upperBound == .max ? nil : "\(range.upperBound)")
        case .number(let range, let excludingLower):
            Self.ranged(
                "a number",
                range.lowerBound <= -Double.greatestFiniteMagnitude
                    ? nil : SettingValue.number(range.lowerBound).yaml,
                range.upperBound >= Double.greatestFiniteMagnitude
                    ? nil : SettingValue.number(range.upperBound).yaml,
                excludingLower: excludingLower)
        case .boolean: "true or false"
        case .choice(let words): Self.alternatives(words)
        case .text: "a text"
        case .duration: "a duration such as `30 s`"
        case .byteSize: "a size such as `64 MiB`"
        case .extent: "a number of records or a time, such as `1000 records` or `1 h`"
        case .columns: "`all` or a list of columns"
        case .list: "a list"
        case .map: "a mapping of names to texts"
        case .section: "a mapping"
        case .component, .typedComponent: "a name, or a name with its settings"
        case .named: "a mapping"
        case .wordOr(let words, let other): "\(Self.alternatives(words)), or \(other.expectation)"
        }
    }

    private static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
        return "\(words.dropLast().joined(separator: ", ")) or \(last)"
    }

    private static func ranged(
        _ what: String, _ lower: String?, _ upper: String?, excludingLower: Bool = false
    ) -> String {
        switch (lower, upper) {
        case (nil, nil): what
        case (let lower?, nil):
            excludingLower ? "\(what) above \(lower)" : "\(what) of at least \(lower)"
        case (nil, let upper?): "\(what) of at most \(upper)"
        case (let lower?, let upper?):
            excludingLower
                ? "\(what) above \(lower) and at most \(upper)"
                : "\(what) from \(lower) to \(upper)"
        }
    }
}
