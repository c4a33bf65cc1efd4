internal import Configuration
internal import Core
internal import Evaluation

extension PipelineReader {
    /// The most records of a window.
    private static var windowRecordsLimit: Int { EvaluationSettings.windowRecordsLimit }

    /// Asks the steps and the model whether they take the columns that reach them.
    mutating func checkLearning(
        _ schema: Schema, _ preparation: [Pipeline.Component], _ model: Pipeline.Component?,
        classes: Int
    ) {
        var layout = schema.layout
        for (index, step) in preparation.enumerated() {
            let key = reader.places.element(index, of: "prepare")
            // After a step that could not be read, nobody knows the columns.
            guard key == "prepare[\(index)]" else { return }
            checkColumns(step, layout, key)
            guard !reader.mistakes.contains(where: { $0.key.hasPrefix(key) }) else { return }
            do {
                layout = try catalogue.checks.step(step, layout)
            } catch {
                fail(key, error)
                return
            }
        }
        guard let model, !reader.mistakes.contains(where: { $0.key.hasPrefix("prepare") }),
            !reader.mistakes.contains(where: { $0.key.hasPrefix("model") })
        else { return }
        do {
            try catalogue.checks.model(model, layout, classes)
        } catch {
            fail("model", error)
        }
    }

    private mutating func fail(_ section: String, _ error: SettingsError) {
        let key = error.key.isEmpty ? section : "\(section).\(error.key)"
        fail(key, error.problem, error.remedy)
    }

    private mutating func checkColumns(
        _ step: Pipeline.Component, _ layout: ColumnLayout, _ key: String
    ) {
        let valid = layout.columns.map(\.name)
        for setting in step.settings.keys {
            guard case .columns(.named(let names))? = step.settings[setting] else { continue }
            var seen: Set<String> = []
            for (index, name) in names.enumerated() {
                let place = reader.places.element(index, of: "\(key).\(setting)")
                if !valid.contains(name) {
                    let nearest = NearestName.find(name, among: valid)
                    fail(
                        place, "no column \(shown(name, place)) reaches this step",
                        nearest.map { "did you mean \($0)?" }
                            ?? "the columns here: \(valid.prefix(20).joined(separator: ", "))")
                } else if !seen.insert(name).inserted {
                    fail(place, "the column \(name) is named twice", "remove one of the two")
                }
            }
        }
    }

    // MARK: Metrics and drift

    mutating func metrics(_ task: LearningTask?, _ label: LabelSettings?) -> Pipeline.Metrics {
        let section = section("metrics", catalogue.metricSettings)
        var every = Extent.records(1000)
        if case .extent(let value)? = section["every"] { every = value }
        requirePositive(every, "metrics.every")
        var windows: [Extent] = []
        if case .list(let values)? = section["windows"] {
            for (index, value) in values.enumerated() {
                guard case .extent(let window) = value else { continue }
                let key = reader.places.element(index, of: "metrics.windows")
                requirePositive(window, key)
                if case .records(let count) = window, count > Self.windowRecordsLimit {
                    fail(
                        key, "\(count) records are too many to remember",
                        "give at most \(Self.windowRecordsLimit) records, or a time")
                }
                if windows.contains(window) {
                    fail(
                        key, "the window \(Units.text(extent: window)) is named twice",
                        "remove one of the two")
                }
                windows.append(window)
            }
        }
        let track = texts("track", in: section)
        if let task { check(track: track, task, label) }
        let all = task.map(catalogue.metricNames) ?? []
        return Pipeline.Metrics(
            every: every, windows: windows, track: track.isEmpty ? all : track)
    }

    private mutating func requirePositive(_ extent: Extent, _ key: String) {
        switch extent {
        case .records(0), .time(0):
            fail(
                key, "expected at least 1 record or 1 ms, got \(Units.text(extent: extent))",
                "correct it")
        default:
            break
        }
    }

    private mutating func check(
        track: [String], _ task: LearningTask, _ label: LabelSettings?
    ) {
        let valid = catalogue.metricNames(task)
        var seen: Set<String> = []
        for (index, name) in track.enumerated() {
            let key = reader.places.element(index, of: "metrics.track")
            if !seen.insert(name).inserted {
                fail(key, "the metric \(name) is named twice", "remove one of the two")
            } else if !valid.contains(name) {
                fail(
                    key, "\(name) is no metric of \(task.rawValue)",
                    "valid metrics: \(valid.joined(separator: ", "))")
            } else if ["precision", "recall", "f1", "roc_auc"].contains(name),
                let label, label.positive == nil, !label.classes.isEmpty
            {
                fail(
                    key,
                    "\(name) judges one positive class, and none follows from the declared classes",
                    "add label.positive")
            }
        }
    }

    mutating func detectors(_ task: LearningTask?) -> [Pipeline.Detector] {
        var detectors: [Pipeline.Detector] = []
        for (index, component) in components("drift").enumerated() {
            let key = reader.places.element(index, of: "drift")
            if task == .clustering {
                fail(key, "clustering has no error to watch", "remove the detector")
            }
            var settings = component.settings
            let action = text("then", in: settings).flatMap {
                Pipeline.Detector.Action(rawValue: $0)
            }
            settings["then"] = nil
            settings["watch"] = nil
            let bare = Pipeline.Component(name: component.name, settings: settings)
            if !reader.mistakes.contains(where: { $0.key.hasPrefix(key) }) { check(bare, key) }
            detectors.append(Pipeline.Detector(component: bare, action: action ?? .alert))
        }
        return detectors
    }

    private mutating func check(_ detector: Pipeline.Component, _ key: String) {
        do {
            try catalogue.checks.detector(detector)
        } catch {
            fail(key, error)
        }
    }
}
