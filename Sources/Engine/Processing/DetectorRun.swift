import Core
import Drift

/// A detector of the pipeline file at work.
struct DetectorRun: Sendable {
    let name: String
    let action: Pipeline.Detector.Action
    private(set) var detector: any DriftDetector
    /// Whether the last value left it in its warning zone; a warning is told when it begins.
    private var isWarning = false
    /// What each of the last values leads to.
    private(set) var signals: [DriftSignal] = []
    private var raw: [UInt8] = []

    init(_ definition: Pipeline.Detector) throws(SettingsError) {
        name = definition.component.name
        action = definition.action
        detector = try DetectorCatalogue.make(name, settings: definition.component.settings)
    }

    /// Takes errors in order; ``signals`` then says what each leads to.
    mutating func update(_ errors: Span<Double>) {
        while raw.count < errors.count { raw.append(0) }
        // Taken out while in use: a mutable span of a property locks the whole value.
        var working: [UInt8] = []
        swap(&working, &raw)
        var span = working.mutableSpan
        detector.update(errors, into: &span)
        signals.removeAll(keepingCapacity: true)
        for index in errors.indices {
            var signal = DriftSignal(rawValue: working[index]) ?? .none
            if signal == .warning {
                if isWarning { signal = .none }
                isWarning = true
            } else {
                isWarning = false
            }
            signals.append(signal)
        }
        swap(&working, &raw)
    }

    func encode(to encoder: inout StateEncoder) {
        encoder.write(isWarning)
        detector.encode(to: &encoder)
    }

    mutating func restore(from decoder: inout StateDecoder) throws(StateError) {
        isWarning = try decoder.readBool()
        detector = try DetectorCatalogue.decode(name, from: &decoder)
    }
}
