import Core
import Drift
import TestSupport

/// The values of one sequence of the drift goldens, made by the formula that the file states.
func goldenValues(_ sequence: Golden) -> [Double] {
    var generator = Lehmer(seed: sequence["seed"].int)
    let steps = sequence["steps_from_index_and_mean"].array.map {
        (start: $0[0].int, mean: $0[1].double)
    }
    let isBinary = !sequence["spread"].exists
    let isGaussian = !isBinary && sequence["noise"].string == "gauss"
    return (0..<sequence["length"].int).map { index in
        let mean = steps.last { $0.start <= index }?.mean ?? .nan
        if isBinary { return generator.unit() < mean ? 1 : 0 }
        let noise = isGaussian ? generator.gauss() : generator.unit() - 0.5
        return mean + sequence["spread"].double * noise
    }
}

/// The settings of a run: the library's preset, and the run's own parameters by our keys.
func goldenSettings(_ run: Golden) -> (name: String, Settings) {
    let detector = run["detector"].string
    let declaration =
        switch detector {
        case "ADWIN", "ADWINChangeDetector": ADWIN.declaration
        case "PageHinkley", "PageHinkleyDM": PageHinkley.declaration
        case "DDM": DDM.declaration
        default: preconditionFailure("\(detector) is not one of ours")
        }
    let isMOA = run["library"].string == "moa"
    let overrides = isMOA ? moaOptions(run, detector) : riverParameters(run, detector)
    return (
        declaration.name, declaration.settings(preset: isMOA ? "moa" : "river", overrides)
    )
}

private func riverParameters(
    _ run: Golden, _ detector: String
) -> [(key: String, value: SettingValue)] {
    let parameters = run["parameters"]
    return parameters.keys.map { key in
        let value = parameters[key]
        switch (detector, key) {
        case ("ADWIN", "delta"), ("PageHinkley", "delta"), ("PageHinkley", "threshold"),
            ("PageHinkley", "alpha"):
            return (key, .number(value.double))
        case ("ADWIN", _), ("PageHinkley", "min_instances"): return (key, .integer(value.int))
        case ("PageHinkley", "mode"): return ("direction", .text(value.string))
        case ("DDM", "warning_threshold"): return ("warning_level", .number(value.double))
        case ("DDM", "drift_threshold"): return ("drift_level", .number(value.double))
        // River begins after `warm_start` values.
        case ("DDM", "warm_start"): return ("minimum_from", .integer(value.int + 1))
        default: preconditionFailure("\(detector) has an unknown parameter \(key)")
        }
    }
        + (detector == "DDM" && parameters["warm_start"].exists
            ? [("drift_from", .integer(parameters["warm_start"].int + 1))] : [])
}

private func moaOptions(
    _ run: Golden, _ detector: String
) -> [(key: String, value: SettingValue)] {
    let words = run["options"].string.split(separator: " ").map(String.init)
    var result: [(key: String, value: SettingValue)] = []
    for (option, word) in zip(words, words.dropFirst()) where option.hasPrefix("-") {
        guard let value = Double(word) else { continue }
        switch (detector, option) {
        case ("ADWINChangeDetector", "-a"): result.append(("delta", .number(value)))
        case ("PageHinkleyDM", "-d"): result.append(("delta", .number(value)))
        case ("PageHinkleyDM", "-l"): result.append(("threshold", .number(value)))
        case ("PageHinkleyDM", "-a"): result.append(("alpha", .number(value)))
        // MOA counts one value ahead.
        case ("PageHinkleyDM", "-n"):
            result.append(("min_instances", .integer(max(1, Int(value) - 1))))
        case ("DDM", "-n"):
            result.append(("minimum_from", .integer(max(1, Int(value) - 1))))
            result.append(("drift_from", .integer(max(1, Int(value)))))
        case ("DDM", "-w"): result.append(("warning_level", .number(value)))
        case ("DDM", "-o"): result.append(("drift_level", .number(value)))
        default: preconditionFailure("\(detector) has an unknown option \(option)")
        }
    }
    return result
}
