/// One key of the pipeline file, declared once.
///
/// Validation, `tidewheel models`, help, the JSON Schema for editors and the reference are derived
/// from it; the default lives here and nowhere else.
package struct SettingDeclaration: Sendable {
    /// The key, in `snake_case`.
    package let key: String
    /// The type and its range.
    package let kind: SettingKind
    /// The value when the key is absent; `nil` when absence means something of its own.
    package let defaultValue: SettingValue?
    /// Whether the key must be given.
    package let isRequired: Bool
    /// The unit, in words; empty for values that carry theirs or have none.
    package let unit: String
    /// One sentence on what the setting does.
    package let summary: String

    package init(
        _ key: String, _ kind: SettingKind, default defaultValue: SettingValue? = nil,
        required isRequired: Bool = false, unit: String = "", _ summary: String
    ) {
        self.key = key
        self.kind = kind
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        self.unit = unit
        self.summary = summary
    }
}

/// The type of a setting and the values that it allows.
package indirect enum SettingKind: Sendable {
    case integer(ClosedRange<Int>)
    /// A finite number; with `excludingLower` the lower bound itself is not allowed.
    case number(ClosedRange<Double>, excludingLower: Bool = false)
    case boolean
    /// One of a few words.
    case choice([String])
    /// Any text that is not empty.
    case text
    /// `100 ms`, `30 s`, `5 min`, `2 h`, `7 days`.
    case duration
    /// `64 MiB`, `512 KiB`, `1 GiB`, `4096 bytes`.
    case byteSize
    /// Records or event time: `1000 records`, `1 h`.
    case extent
    /// The word `all`, or a list of column names.
    case columns
    /// A list of values of one kind.
    case list(SettingKind)
    /// Named texts in their order, such as client properties.
    case map
    /// A mapping with declared keys.
    case section([SettingDeclaration])
    /// A component by name: `name`, or `name: {settings}`; the declarations are the choices.
    case component([ComponentDeclaration])
    /// As ``component(_:)``, and also a mapping with `type: name` beside the settings.
    case typedComponent([ComponentDeclaration])
    /// A mapping of names of the user's choice to values of one kind, in their order.
    case named(SettingKind)
    /// One of a few words, or a value of another kind.
    case wordOr([String], SettingKind)
}

/// Something that a pipeline file names and configures: a model, a step, a detector, a metric.
package struct ComponentDeclaration: Sendable {
    package let name: String
    /// One sentence: what it is and what it is for.
    package let summary: String
    /// The paper with its year, or the reference implementation that it matches.
    package let source: String
    package let settings: [SettingDeclaration]
    /// Values of `compat:` (`moa`, `river`, …) and the settings that each fills.
    package let presets: [Preset]
    /// The key that a bare scalar or list sets, as in `standardize: all`; by default `columns`, if
    /// there is such a setting.
    package let shortKey: String?

    package init(
        name: String, summary: String, source: String, settings: [SettingDeclaration],
        presets: [Preset] = [], shortKey: String? = nil
    ) {
        self.name = name
        self.summary = summary
        self.source = source
        self.settings = settings
        self.presets = presets
        self.shortKey = shortKey ?? (settings.contains { $0.key == "columns" } ? "columns" : nil)
    }

    /// A named set of defaults that replaces those of the declaration; keys in the file win.
    package struct Preset: Sendable {
        package let name: String
        package let values: [(key: String, value: SettingValue)]

        package init(_ name: String, _ values: [(key: String, value: SettingValue)]) {
            self.name = name
            self.values = values
        }
    }

    /// The defaults, under a preset if one is named; what embedded use and tests start from.
    ///
    /// - Precondition: the preset is declared, and every override names a declared key.
    package func settings(
        preset: String? = nil, _ overrides: [(key: String, value: SettingValue)] = []
    ) -> Settings {
        var result = Settings()
        for setting in settings {
            if let value = setting.defaultValue { result[setting.key] = value }
        }
        if let preset {
            guard let found = presets.first(where: { $0.name == preset }) else {
                preconditionFailure("\(name) has no preset \(preset)")
            }
            for (key, value) in found.values { result[key] = value }
        }
        for (key, value) in overrides {
            precondition(settings.contains { $0.key == key }, "\(name) has no setting \(key)")
            result[key] = value
        }
        return result
    }
}
