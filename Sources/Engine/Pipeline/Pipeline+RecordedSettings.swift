internal import Configuration
package import Core
internal import Formats

extension Pipeline {
    /// The settings that a later file is compared with: all that the state depends on, and what
    /// says how it is measured, kept and written. Without client properties; a secret's text is
    /// replaced by a hash.
    ///
    /// Whatever changes ``fingerprint`` changes one of these, too.
    package var recordedSettings: [TextPair] {
        let pairs = learningSettings + otherSettings
        return pairs.map { pair in
            let isSecret =
                Self.namesOnly.contains(pair.name)
                ? places.isSecret(pair.name) : places.holdsSecret(pair.name)
            guard isSecret else { return pair }
            var hash = ContentHash()
            hash.combine(pair.text)
            return TextPair(pair.name, "secret \(String(hash.value, radix: 16))")
        }
    }

    /// Keys whose texts leave out what stands under other keys below them.
    private static let namesOnly: Set<String> = ["features", "model", "one_model_per"]

    private var learningSettings: [TextPair] {
        var pairs = [TextPair("features", schema.features.map(\.name).joined(separator: ", "))]
        for feature in schema.features {
            pairs.append(
                TextPair(
                    "features.\(feature.name)",
                    "\(Self.text(feature.kind)), field \(FieldPath.text(feature.path))"))
        }
        if let label = schema.label {
            pairs.append(TextPair("label.field", FieldPath.text(label.path)))
            pairs.append(TextPair("label.required", "\(label.isRequired)"))
            if case .category(let classes, let limit) = label.kind {
                pairs.append(TextPair("label.classes", "[\(classes.joined(separator: ", "))]"))
                pairs.append(TextPair("label.limit", "\(limit)"))
            }
        }
        let format: String
        switch input.format {
        case .json: format = "json"
        case .csv(let csv):
            format =
                "csv, columns [\(csv.columns.joined(separator: ", "))], separator "
                + "\(csv.separator), quote \(csv.quote)"
        }
        pairs.append(TextPair("input.format", format))
        let paths = [
            ("input.id", schema.idPath), ("input.weight", schema.weightPath),
            ("input.time.field", schema.eventTimePath),
        ]
        for (key, path) in paths {
            if let path { pairs.append(TextPair(key, FieldPath.text(path))) }
        }
        pairs.append(TextPair("input.time.unit", schema.eventTimeUnit.rawValue))
        pairs.append(TextPair("limits.value", Units.text(byteSize: input.valueBytesLimit)))
        pairs.append(TextPair("limits.hash_bits", "\(schema.sparseBits)"))
        pairs.append(TextPair("one_model_per", scope.text))
        if case .field(_, let limit) = scope {
            pairs.append(TextPair("one_model_per.limit", "\(limit)"))
        }
        pairs.append(TextPair("seed", "\(seed)"))
        for (index, step) in preparation.enumerated() {
            pairs.append(TextPair("prepare[\(index)]", Self.text(step)))
        }
        pairs.append(TextPair("model", model.name))
        for key in model.settings.keys {
            pairs.append(TextPair("model.\(key)", model.settings[key]?.yaml ?? "-"))
        }
        return pairs
    }

    private var otherSettings: [TextPair] {
        var pairs: [TextPair] = []
        for (index, detector) in detectors.enumerated() {
            pairs.append(
                TextPair(
                    "drift[\(index)]",
                    "\(Self.text(detector.component)), then \(detector.action.rawValue)"))
        }
        pairs.append(TextPair("input.topic", input.topic ?? "-"))
        pairs.append(TextPair("input.start", input.start.rawValue))
        pairs.append(TextPair("label.positive", positiveClass ?? "-"))
        pairs.append(TextPair("metrics.every", Units.text(extent: metrics.every)))
        pairs.append(
            TextPair(
                "metrics.windows",
                "[\(metrics.windows.map { Units.text(extent: $0) }.joined(separator: ", "))]"))
        pairs.append(TextPair("metrics.track", "[\(metrics.track.joined(separator: ", "))]"))
        pairs.append(TextPair("on_bad_record", onBadRecord.rawValue))
        pairs.append(TextPair("output.topic", output.predictionsTopic))
        pairs.append(TextPair("output.metrics", output.metricsTopic))
        pairs.append(TextPair("output.dead_letters", output.deadLettersTopic))
        pairs.append(TextPair("output.state", output.stateTopic))
        pairs.append(TextPair("delivery.guarantee", delivery.guarantee.rawValue))
        let interval: String
        switch delivery.commitEvery {
        case .automatic: interval = "auto"
        case .milliseconds(let count): interval = Units.text(duration: count)
        }
        pairs.append(TextPair("delivery.commit_every", interval))
        pairs.append(TextPair("state.restore_within", Units.text(duration: state.restoreWithin)))
        pairs.append(TextPair("state.history", Units.text(duration: state.history)))
        pairs.append(TextPair("state.on_lost_input", state.onLostInput.rawValue))
        return pairs
    }

    private static func text(_ component: Component) -> String {
        SettingValue.component(name: component.name, component.settings).yaml
    }

    private static func text(_ kind: FeatureKind) -> String {
        switch kind {
        case .numeric: "numeric"
        case .categorical(let values, let limit):
            "categorical, values [\(values.joined(separator: ", "))], limit \(limit)"
        case .boolean: "boolean"
        case .timestamp(let unit, let derived):
            "timestamp, unit \(unit.rawValue), derive "
                + "[\(derived.map(\.rawValue).joined(separator: ", "))]"
        case .text: "text"
        case .map: "map"
        case .set: "set"
        }
    }
}
