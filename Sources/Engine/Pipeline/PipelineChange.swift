package import Core

/// A key that has another value than the one that a running pipeline's state was recorded with.
package struct PipelineChange: Sendable, Equatable {
    /// What a change does to a state of the same version.
    package enum Effect: String, Sendable, CaseIterable {
        /// The state is kept, and what was changed holds from the next start.
        case kept
        /// Models are kept; what measures or watches them begins anew.
        case measuredAnew = "measured_anew"
        /// The models would be others: refused, unless a new version of the state begins.
        case newVersion = "new_version"
        /// Refused: what is stored would not be found.
        case refused
    }

    package let key: String
    /// As recorded; `nil` if the key was not there.
    package let old: String?
    /// As the file says; `nil` if the key is not there.
    package let new: String?
    package let effect: Effect

    /// What follows, in words.
    package var consequence: String {
        switch effect {
        case .kept:
            switch key {
            case "output.topic", "output.metrics", "output.dead_letters":
                "the state is kept; what was written before stays in the old topic"
            case "input.start": "no effect: it counts for a pipeline's first start only"
            default: "the state is kept"
            }
        case .measuredAnew:
            key.hasPrefix("drift")
                ? "the models are kept; a detector that has changed begins anew"
                : "the models are kept; metrics begin anew"
        case .newVersion: "another model: needs a new state.version"
        case .refused: "the snapshots are in the old topic: change it back"
        }
    }

    /// `model.learning_rate: 0.05 → 0.1`.
    package var text: String { "\(key): \(old ?? "nothing") → \(new ?? "nothing")" }
}

extension PipelineChange {
    private static let measuring: Set<String> = ["metrics.every", "metrics.windows"]
    private static let kept: Set<String> = [
        "input.start", "label.positive", "metrics.track", "on_bad_record", "output.topic",
        "output.metrics", "output.dead_letters", "delivery.guarantee", "delivery.commit_every",
        "state.restore_within",
        "state.history", "state.on_lost_input",
    ]

    /// The differences between recorded settings and those of a file, in the file's order; keys
    /// that the file does not have come last.
    package static func all(from old: [TextPair], to new: [TextPair]) -> [PipelineChange] {
        var changes: [PipelineChange] = []
        for pair in new {
            let before = old.first { $0.name == pair.name }?.text
            guard before != pair.text else { continue }
            changes.append(change(pair.name, before, pair.text))
        }
        for pair in old where !new.contains(where: { $0.name == pair.name }) {
            changes.append(change(pair.name, pair.text, nil))
        }
        return changes
    }

    private static func change(_ key: String, _ old: String?, _ new: String?) -> PipelineChange {
        PipelineChange(key: key, old: old, new: new, effect: effect(key, old, new))
    }

    private static func effect(_ key: String, _ old: String?, _ new: String?) -> Effect {
        if kept.contains(key) { return .kept }
        if measuring.contains(key) { return .measuredAnew }
        if key == "output.state" { return .refused }
        if key.hasPrefix("drift[") {
            // A detector that resets the model takes part in what is learned.
            let resets = [old, new].contains { $0?.hasSuffix(", then reset") == true }
            return resets ? .newVersion : .measuredAnew
        }
        return .newVersion
    }
}

/// What starting a pipeline with a file would do to the state that is stored.
package struct ChangeReport: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// The state is kept.
        case keeps
        /// A new version begins, with a new model, where the stored one ends.
        case begins
        /// The pipeline would not start; what to say.
        case refused(String)
    }

    /// What is known of the stored state.
    package struct Stored: Sendable, Equatable {
        package let version: UInt32
        package let fingerprint: UInt64
        package let numericsVersion: UInt32
        /// `nil` if the state was written before settings were recorded.
        package let settings: [TextPair]?

        package init(
            version: UInt32, fingerprint: UInt64, numericsVersion: UInt32, settings: [TextPair]?
        ) {
            self.version = version
            self.fingerprint = fingerprint
            self.numericsVersion = numericsVersion
            self.settings = settings
        }
    }

    package let stored: Stored
    package let changes: [PipelineChange]
    package let verdict: Verdict

    package init(_ pipeline: Pipeline, stored: Stored) {
        self.stored = stored
        changes =
            stored.settings.map {
                PipelineChange.all(from: $0, to: pipeline.recordedSettings)
            } ?? []
        verdict = Self.verdict(pipeline, stored, changes)
    }

    private static func verdict(
        _ pipeline: Pipeline, _ stored: Stored, _ changes: [PipelineChange]
    ) -> Verdict {
        let version = UInt32(pipeline.state.version)
        let fingerprint = pipeline.fingerprint.value
        guard version >= stored.version else {
            return .refused(
                TaskFailure.olderVersion(found: stored.version, expected: version).message)
        }
        if version > stored.version { return .begins }
        if stored.numericsVersion != numericsVersion {
            return .refused(TaskFailure.otherNumerics(found: stored.numericsVersion).message)
        }
        let keys = changes.filter { $0.effect == .newVersion }.map(\.text)
        if !keys.isEmpty {
            return .refused(
                TaskFailure.changedPipeline(keys: keys, version: stored.version).message)
        }
        if stored.fingerprint != fingerprint {
            return .refused(
                TaskFailure.otherPipeline(found: stored.fingerprint, expected: fingerprint).message)
        }
        if let change = changes.first(where: { $0.effect == .refused }) {
            return .refused(
                "\(change.key) is \(change.new ?? "-"), but the snapshots are in "
                    + "\(change.old ?? "-"); change it back, or set state.version: "
                    + "\(stored.version + 1) to begin a new model")
        }
        return .keeps
    }
}
