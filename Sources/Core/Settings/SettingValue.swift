/// A checked value of a setting.
package indirect enum SettingValue: Sendable, Equatable {
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case text(String)
    /// A duration, in milliseconds.
    case duration(Int64)
    /// A size, in bytes.
    case bytes(Int)
    case extent(Extent)
    case columns(ColumnSelection)
    case list([SettingValue])
    case map([TextPair])
    case section(Settings)
    case component(name: String, Settings)
    /// Values under names of the user's choice, in their order.
    case named([NamedValue])
}

/// A value under a name of the user's choice, such as a feature.
package struct NamedValue: Sendable, Equatable {
    package let name: String
    package let value: SettingValue

    package init(_ name: String, _ value: SettingValue) {
        self.name = name
        self.value = value
    }
}

/// A stretch of a stream: a number of records, or a span of event time.
package enum Extent: Sendable, Equatable {
    case records(Int)
    /// A span of event time, in milliseconds.
    case time(Int64)
}

/// The columns that a step works on.
package enum ColumnSelection: Sendable, Equatable {
    /// Every column that the step can work on.
    case all
    case named([String])
}

/// A name and its text, such as a client property.
package struct TextPair: Sendable, Equatable {
    package let name: String
    package let text: String

    package init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }
}

/// The checked settings of one component or section: every declared key that has a value.
///
/// Reading a key that is absent, or as another type than it was declared with, is a programmer's
/// mistake and traps; `…IfPresent` is for keys that may be absent.
package struct Settings: Sendable, Equatable {
    private var values: [String: SettingValue] = [:]

    package init() {}

    package subscript(_ key: String) -> SettingValue? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// The keys with a value, sorted.
    package var keys: [String] { values.keys.sorted() }

    package func has(_ key: String) -> Bool { values[key] != nil }

    package func integer(_ key: String) -> Int {
        guard case .integer(let value)? = values[key] else { wrong(key, "an integer") }
        return value
    }

    /// A number; an integer counts as one.
    package func number(_ key: String) -> Double {
        switch values[key] {
        case .number(let value)?: return value
        case .integer(let value)?: return Double(value)
        default: wrong(key, "a number")
        }
    }

    package func boolean(_ key: String) -> Bool {
        guard case .boolean(let value)? = values[key] else { wrong(key, "a boolean") }
        return value
    }

    package func text(_ key: String) -> String {
        guard case .text(let value)? = values[key] else { wrong(key, "a text") }
        return value
    }

    /// In milliseconds.
    package func duration(_ key: String) -> Int64 {
        guard case .duration(let value)? = values[key] else { wrong(key, "a duration") }
        return value
    }

    package func bytes(_ key: String) -> Int {
        guard case .bytes(let value)? = values[key] else { wrong(key, "a size") }
        return value
    }

    package func extent(_ key: String) -> Extent {
        guard case .extent(let value)? = values[key] else { wrong(key, "an extent") }
        return value
    }

    package func columns(_ key: String) -> ColumnSelection {
        guard case .columns(let value)? = values[key] else { wrong(key, "columns") }
        return value
    }

    package func list(_ key: String) -> [SettingValue] {
        guard case .list(let value)? = values[key] else { wrong(key, "a list") }
        return value
    }

    package func map(_ key: String) -> [TextPair] {
        guard case .map(let value)? = values[key] else { wrong(key, "a map") }
        return value
    }

    package func section(_ key: String) -> Settings {
        guard case .section(let value)? = values[key] else { wrong(key, "a section") }
        return value
    }

    package func component(_ key: String) -> (name: String, settings: Settings) {
        guard case .component(let name, let settings)? = values[key] else {
            wrong(key, "a component")
        }
        return (name, settings)
    }

    package func named(_ key: String) -> [NamedValue] {
        guard case .named(let value)? = values[key] else { wrong(key, "named values") }
        return value
    }

    private func wrong(_ key: String, _ type: String) -> Never {
        preconditionFailure("setting \(key) is \(String(describing: values[key])), not \(type)")
    }
}

/// A combination of settings, or of settings and columns, that a component refuses.
package struct SettingsError: Error, Equatable {
    /// The key at fault, or an empty text for the component as a whole.
    package let key: String
    package let problem: String
    package let remedy: String

    package init(key: String, problem: String, remedy: String) {
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }
}
