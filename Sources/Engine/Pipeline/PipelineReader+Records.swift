internal import Configuration
internal import Core

/// What follows from a label section.
struct LabelSettings {
    let field: LabelField
    let positive: String?
    let classes: [String]
}

extension PipelineReader {
    // MARK: Label

    /// The label; `nil` for clustering, and, with a mistake, where it is missing.
    mutating func label(_ task: LearningTask?) -> LabelSettings? {
        guard case .section(let section)? = settings["label"] else {
            if let task, task != .clustering {
                fail(
                    "label", "the model needs a label, and the file names none",
                    "add `label: {field: NAME}`")
            }
            return nil
        }
        if section.has("topic") || section.has("wait") {
            let key = section.has("topic") ? "label.topic" : "label.wait"
            fail(
                key, "delayed labels are not supported yet",
                "name a field of the record: label.field")
        }
        guard let name = text("field", in: section) else {
            if !section.has("topic"), !reader.mistakes.contains(where: { $0.key == "label.field" })
            {
                fail("label.field", "the key is missing", "add it: the field of the label")
            }
            return nil
        }
        let classes = texts("classes", in: section)
        let positive = text("positive", in: section)
        if task == .regression { refuseClasses(section, classes, positive) }
        if task == .clustering {
            warn("label", "clustering learns without a label", "remove the section")
            return nil
        }
        let limit = integer("limit", in: section) ?? 1000
        if task == .classification { check(classes: classes, positive: positive, limit: limit) }
        guard let path = path(name, "label.field") else { return nil }
        var isRequired = false
        if case .boolean(let value)? = section["required"] { isRequired = value }
        let kind: LabelField.Kind =
            task == .regression ? .number : .category(classes: classes, limit: limit)
        return LabelSettings(
            field: LabelField(path: path, kind: kind, isRequired: isRequired),
            positive: task == .classification
                ? positive ?? Self.defaultPositive(classes) : nil,
            classes: classes)
    }

    private mutating func refuseClasses(
        _ section: Settings, _ classes: [String], _ positive: String?
    ) {
        let remedy = "remove it, or choose a classifier as the model"
        if !classes.isEmpty {
            fail("label.classes", "the model predicts a number, which has no classes", remedy)
        }
        if positive != nil {
            fail(
                "label.positive", "the model predicts a number, which has no positive class", remedy
            )
        }
    }

    private mutating func check(classes: [String], positive: String?, limit: Int) {
        let isWhole = !reader.mistakes.contains { $0.key.hasPrefix("label.classes") }
        checkDistinct(classes, "label.classes", "class")
        guard isWhole else { return }
        if classes.count == 1 {
            fail(
                "label.classes", "one class alone leaves nothing to predict",
                "name at least two, or remove the key to take classes as they come")
        }
        if classes.count > limit {
            fail(
                "label.limit",
                "\(classes.count) classes are declared, more than the limit of \(limit)",
                "raise it to at least \(classes.count)")
        }
        if let positive, !classes.isEmpty, !classes.contains(positive) {
            let nearest = NearestName.find(positive, among: classes)
            fail(
                "label.positive",
                "\(shown(positive, "label.positive")) is not among the declared classes",
                nearest.map { "did you mean \($0)?" }
                    ?? "write one of \(classes.prefix(20).joined(separator: ", "))")
        }
    }

    /// `1` of 0 and 1, `true` of false and true.
    private static func defaultPositive(_ classes: [String]) -> String? {
        switch classes.sorted() {
        case ["0", "1"]: "1"
        case ["false", "true"]: "true"
        default: nil
        }
    }

    // MARK: Features

    /// The schema of all fields that are read.
    mutating func schema(label: LabelField?, scope: Pipeline.Scope) -> Schema {
        let input = section("input", PipelineDeclarations.input)
        let limits = section("limits", PipelineDeclarations.limits)
        var features: [Feature] = []
        var seen: [[String]: String] = [:]
        for value in settings.has("features") ? settings.named("features") : [] {
            guard case .component(let type, let feature) = value.value else { continue }
            let key = "features.\(value.name)"
            let fieldKey = feature.has("field") ? "\(key).field" : key
            guard let path = path(text("field", in: feature) ?? value.name, fieldKey) else {
                continue
            }
            if path == label?.path {
                fail(
                    fieldKey,
                    "the feature reads the label's field, so the model would see the answer",
                    "remove the feature")
            } else if let first = seen[path] {
                fail(
                    fieldKey, "the feature reads the same field as \(first)",
                    "remove one of the two")
            }
            seen[path] = seen[path] ?? value.name
            features.append(Feature(name: value.name, path: path, kind: kind(type, feature, key)))
        }
        if features.isEmpty, !reader.mistakes.contains(where: { $0.key.hasPrefix("features") }) {
            fail("features", "no feature is named", "add a field, such as `price: numeric`")
        }
        var time: [String]?
        var unit = TimeUnit.milliseconds
        if case .section(let section)? = input["time"] {
            time = text("field", in: section).flatMap { path($0, "input.time.field") }
            unit = text("unit", in: section).flatMap { TimeUnit(rawValue: $0) } ?? unit
        }
        var modelPath: [String]?
        if case .field(let path, _) = scope { modelPath = path }
        return Schema(
            features: features, label: label,
            weightPath: text("weight", in: input).flatMap { path($0, "input.weight") },
            idPath: text("id", in: input).flatMap { path($0, "input.id") }, eventTimePath: time,
            eventTimeUnit: unit, modelPath: modelPath,
            sparseBits: integer("hash_bits", in: limits) ?? 18)
    }

    private mutating func kind(_ type: String, _ feature: Settings, _ key: String) -> FeatureKind {
        switch type {
        case "categorical":
            let values = texts("values", in: feature)
            let limit = integer("limit", in: feature) ?? 1000
            checkDistinct(values, "\(key).values", "value")
            if values.count >= limit {
                fail(
                    "\(key).limit",
                    "\(values.count) values are declared, and one code of \(limit) stands for all others",
                    "raise it to at least \(values.count + 1)")
            }
            return .categorical(values: values, limit: limit)
        case "boolean": return .boolean
        case "timestamp":
            let unit = text("unit", in: feature).flatMap { TimeUnit(rawValue: $0) }
            var parts: [TimePart] = []
            for part in texts("derive", in: feature).compactMap({ TimePart(rawValue: $0) })
            where !parts.contains(part) {
                parts.append(part)
            }
            return .timestamp(unit: unit ?? .milliseconds, derived: parts)
        case "text": return .text
        case "map": return .map
        case "set": return .set
        default: return .numeric
        }
    }

    private mutating func checkDistinct(_ values: [String], _ key: String, _ what: String) {
        var seen: Set<String> = []
        for (index, value) in values.enumerated() where !seen.insert(value).inserted {
            let place = reader.places.element(index, of: key)
            fail(
                place, "the \(what) \(shown(value, place)) is named twice", "remove one of the two")
        }
    }

    mutating func path(_ text: String, _ key: String) -> [String]? {
        if let path = FieldPath.parse(text) { return path }
        fail(
            key, "\(shown(text, key)) has an empty name between its dots",
            "write `outer.inner`, or `\\.` for a dot inside a name")
        return nil
    }
}
