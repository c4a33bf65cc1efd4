// Method: every run of ADWIN, Page–Hinkley and DDM in River and MOA, as the golden files record it:
// indices of detections and warnings exactly, final estimates at the files' tolerance of 1e-9.
import Core
import Drift
import TestSupport
import Testing

@Suite("Detectors against River and MOA")
struct GoldenTests {
    static let ours = ["ADWIN", "ADWINChangeDetector", "PageHinkley", "PageHinkleyDM", "DDM"]

    @Test("detections, warnings and final values", arguments: ["drift_binary", "drift_real"])
    func runs(_ file: String) throws {
        let golden = try Golden.load(file)
        var count = 0
        for sequence in golden["sequences"].array {
            let values = goldenValues(sequence)
            #expect(isClose(values.reduce(0, +), sequence["sum"].double, tolerance: 1e-9))
            for run in sequence["runs"].array where Self.ours.contains(run["detector"].string) {
                check(run, values)
                count += 1
            }
        }
        #expect(count > 0)
    }

    private func check(_ run: Golden, _ values: [Double]) {
        let (name, settings) = goldenSettings(run)
        switch name {
        case "adwin":
            var detector = ADWIN(settings)
            checkSignals(&detector, run, values)
            let final = run["final"]
            for key in final.keys {
                let value: Double? =
                    switch key {
                    case "width": detector.width
                    case "estimation": detector.estimation
                    case "variance": detector.deviation
                    case "total": detector.total
                    case "n_detections": Double(detector.cutCount)
                    default: nil
                    }
                #expect(
                    value.map { isClose($0, final[key].double, tolerance: 1e-9) } == true,
                    "\(final.path).\(key): \(String(describing: value))")
            }
            checkEstimation(detector.estimation, run)
        case "page_hinkley":
            var detector = PageHinkley(settings)
            checkSignals(&detector, run, values)
            checkEstimation(detector.estimation, run)
        default:
            var detector = DDM(settings)
            checkSignals(&detector, run, values)
            checkEstimation(detector.estimation, run)
        }
    }

    private func checkSignals(
        _ detector: inout some DriftDetector, _ run: Golden, _ values: [Double]
    ) {
        var signals = [UInt8](repeating: 0, count: values.count)
        var output = signals.mutableSpan
        detector.update(values.span, into: &output)
        let drifts = signals.indices.filter { signals[$0] == DriftSignal.drift.rawValue }
        let warnings = signals.indices.filter { index in
            signals[index] == 1 && (index == 0 || signals[index - 1] != 1)
        }
        #expect(drifts == run["detections"].ints, "\(run.path)")
        #expect(warnings == run["warning_starts"].ints, "\(run.path)")
    }

    private func checkEstimation(_ value: Double, _ run: Golden) {
        guard run["estimation"].exists else { return }
        let expected = run["estimation"].double
        #expect(isClose(value, expected, tolerance: 1e-9), "\(run.path): \(value)")
    }

    /// MOA's `ADWIN` class signals every cut, up or down; `ADWINChangeDetector` rises only.
    @Test("ADWIN's window along a sequence", arguments: ["river", "moa"])
    func window(_ library: String) throws {
        let golden = try Golden.load("adwin_internals")
        let inputs = golden["inputs"]
        let count = inputs["length"].int
        var generator = Lehmer(seed: inputs["seed"].int)
        let values = (0..<count).map { index in
            let mean = index < count / 3 ? 0.2 : index < 2 * count / 3 ? 0.7 : 0.4
            return mean + 0.2 * (generator.unit() - 0.5)
        }
        for run in golden[library].array {
            var overrides: [(key: String, value: SettingValue)] = [("direction", .text("both"))]
            if library == "moa" {
                overrides.append(("delta", .number(run["delta"].double)))
            }
            for key in run["parameters"].keys {
                let value = run["parameters"][key]
                overrides.append(
                    (key, key == "delta" ? .number(value.double) : .integer(value.int)))
            }
            var detector = ADWIN(ADWIN.declaration.settings(preset: library, overrides))
            var detections: [Int] = []
            var trace = run["trace_index_width_total_variance_estimation"].array[...]
            for (index, value) in values.enumerated() {
                if detector.update(value) == .drift { detections.append(index) }
                guard let expected = trace.first, expected[0].int == index else { continue }
                trace.removeFirst()
                let variance =
                    library == "moa" ? detector.deviation / detector.width : detector.deviation
                #expect(detector.width == expected[1].double, "\(expected.path)")
                let found = [detector.total, variance, detector.estimation]
                for (position, value) in found.enumerated() {
                    let wanted = expected[position + 2].double
                    #expect(
                        isClose(value, wanted, tolerance: 1e-9), "\(expected.path): \(value)")
                }
            }
            #expect(trace.isEmpty)
            #expect(detections == run[library == "moa" ? "changes" : "detections"].ints)
        }
    }
}

/// The values of one sequence of the drift goldens, made by the formula that the file states.
private func goldenValues(_ sequence: Golden) -> [Double] {
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
private func goldenSettings(_ run: Golden) -> (name: String, Settings) {
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
