internal import Configuration
package import Core
internal import Formats

extension Pipeline {
    /// A hash of all that determines the bits of model and predictions, given the records: format,
    /// fields, limits, steps, model, resetting detectors, scope, seed and the numeric contract.
    ///
    /// Topics, metrics, windows and client properties do not change it: state and journal of a
    /// pipeline stay valid when only those change.
    package var fingerprint: ContentHash {
        var hash = ContentHash()
        hash.combine("pipeline 1, numerics \(numericsVersion)")
        for feature in schema.features {
            hash.combine(Self.canonical(feature.path))
            hash.combine(feature.name)
            hash.combine(Self.canonical(feature.kind))
        }
        if let label = schema.label {
            hash.combine("label \(Self.canonical(label.path))")
            switch label.kind {
            case .number: hash.combine("number")
            case .category(let classes, let limit):
                hash.combine("\(Self.canonical(classes)) \(limit)")
            }
            hash.combine(label.isRequired ? "required" : "optional")
        }
        for path in [schema.weightPath, schema.idPath, schema.eventTimePath] {
            hash.combine(path.map(Self.canonical) ?? "-")
        }
        switch input.format {
        case .json: hash.combine("json")
        case .csv(let csv):
            hash.combine("csv \(Self.canonical(csv.columns)) \(csv.separator) \(csv.quote)")
        }
        hash.combine("\(schema.eventTimeUnit.rawValue) \(schema.sparseBits)")
        hash.combine("\(input.valueBytesLimit) \(Self.canonical(scope)) \(seed)")
        for step in preparation { hash.combine("prepare \(Self.canonical(step))") }
        hash.combine("model \(Self.canonical(model))")
        for detector in detectors where detector.action == .reset {
            hash.combine("reset \(Self.canonical(detector.component))")
        }
        return hash
    }

    /// What measures and watches the models; see ``MeasurementKey``.
    var measurementKey: MeasurementKey {
        let extents = [metrics.every] + metrics.windows
        return MeasurementKey(
            evaluation: "\(task.rawValue) "
                + extents.map { Units.text(extent: $0) }.joined(separator: ","),
            detectors: detectors.map {
                MeasurementKey.Detector(
                    name: $0.component.name, settings: Self.canonical($0.component.settings))
            })
    }

    private static func canonical(_ scope: Scope) -> String {
        switch scope {
        case .pipeline: "pipeline"
        case .partition: "partition"
        case .field(let path, let limit): "field \(canonical(path)) \(limit)"
        }
    }

    private static func canonical(_ kind: FeatureKind) -> String {
        switch kind {
        case .numeric: "numeric"
        case .categorical(let values, let limit): "categorical \(canonical(values)) \(limit)"
        case .boolean: "boolean"
        case .timestamp(let unit, let derived):
            "timestamp \(unit.rawValue) \(canonical(derived.map(\.rawValue)))"
        case .text: "text"
        case .map: "map"
        case .set: "set"
        }
    }

    private static func canonical(_ component: Component) -> String {
        "\(component.name){\(canonical(component.settings))}"
    }

    private static func canonical(_ texts: [String]) -> String {
        texts.map { "\($0.utf8.count):\($0)" }.joined(separator: ",")
    }

    private static func canonical(_ settings: Settings) -> String {
        settings.keys.map { key in "\(key)=\(settings[key].map(canonical) ?? "-")" }
            .joined(separator: ";")
    }

    private static func canonical(_ value: SettingValue) -> String {
        switch value {
        case .integer(let value): "\(value)"
        // An integer and the number of the same value act alike, wherever either is read.
        case .number(let value):
            Int(exactly: value).map { "\($0)" } ?? String(value.bitPattern, radix: 16)
        case .boolean(let value): "\(value)"
        case .text(let value): canonical([value])
        case .duration(let value): "\(value)ms"
        case .bytes(let value): "\(value)B"
        case .extent(let value): Units.text(extent: value)
        case .columns(.all): "all"
        case .columns(.named(let names)): "[\(canonical(names))]"
        case .list(let values): "[\(values.map(canonical).joined(separator: ","))]"
        case .map(let pairs): "{\(canonical(pairs.flatMap { [$0.name, $0.text] }))}"
        case .section(let settings): "{\(canonical(settings))}"
        case .component(let name, let settings): "\(name){\(canonical(settings))}"
        case .named(let values):
            "{\(values.map { "\(canonical([$0.name])):\(canonical($0.value))" }.joined(separator: ","))}"
        }
    }
}
