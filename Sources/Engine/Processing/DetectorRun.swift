import Core
import Drift

/// A detector of the pipeline file at work on one model's errors.
struct DetectorRun: Sendable {
    private(set) var detector: any DriftDetector
    /// Whether the last value left it in its warning zone; a warning is told when it begins.
    private var isWarning = false

    init(_ definition: Pipeline.Detector) throws(SettingsError) {
        detector = try DetectorCatalogue.make(
            definition.component.name, settings: definition.component.settings)
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

    /// - Parameter name: The detector's name in the catalogue.
    mutating func restore(
        _ name: String, from decoder: inout StateDecoder
    ) throws(StateError) {
        isWarning = try decoder.readBool()
        detector = try DetectorCatalogue.decode(name, from: &decoder)
    }
}
