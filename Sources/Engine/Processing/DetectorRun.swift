import Core
import Drift

/// A detector of the pipeline file at work on one model's errors.
struct DetectorRun: Sendable {
    private(set) var detector: any DriftDetector
    /// Whether a drift lets the model begin anew, so that predictions depend on the detector.
    let resets: Bool
    /// Whether the last value left it in its warning zone; a warning is told when it begins.
    private var isWarning = false

    init(_ definition: Pipeline.Detector) throws(SettingsError) {
        detector = try DetectorCatalogue.make(
            definition.component.name, settings: definition.component.settings)
        resets = definition.action == .reset
    }

    /// Takes errors in order and writes what each leads to, as the raw value of a ``DriftSignal``.
    mutating func update(_ errors: Span<Double>, into signals: inout MutableSpan<UInt8>) {
        detector.update(errors, into: &signals)
        for index in errors.indices {
            guard signals[index] == DriftSignal.warning.rawValue else {
                isWarning = false
                continue
            }
            if isWarning { signals[index] = DriftSignal.none.rawValue }
            isWarning = true
        }
    }

    func encode(to encoder: inout StateEncoder) {
        encoder.write(isWarning)
        detector.encode(to: &encoder)
    }

    /// A stored detector.
    struct State {
        fileprivate let isWarning: Bool
        fileprivate let detector: any DriftDetector

        /// - Parameter name: The detector's name in the catalogue.
        init(_ name: String, from decoder: inout StateDecoder) throws(StateError) {
            isWarning = try decoder.readBool()
            detector = try DetectorCatalogue.decode(name, from: &decoder)
        }
    }

    mutating func restore(_ state: State) {
        isWarning = state.isWarning
        detector = state.detector
    }
}

/// Which stored detectors the detectors of a pipeline go on from.
struct DetectorSources {
    /// The stored ones, in order.
    let names: [String]
    /// For each detector of the pipeline its place among them; `nil` begins anew.
    let sources: [Int?]

    init(stored names: [String], _ sources: [Int?]) {
        self.names = names
        self.sources = sources
    }
}
