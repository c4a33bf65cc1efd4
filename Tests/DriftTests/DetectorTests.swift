// Method: every declared detector, under every preset, on one seeded stream whose level rises and
// falls: cutting batches, storing and resetting must not change what it says.
import Core
import Drift
import TestSupport
import Testing

@Suite("Every detector")
struct DetectorTests {
    /// A declared detector and one of its presets.
    struct Case: Sendable, CustomTestStringConvertible {
        let declaration: ComponentDeclaration
        let preset: String?

        func make() throws -> any DriftDetector {
            try DetectorCatalogue.make(
                declaration.name, settings: declaration.settings(preset: preset))
        }

        var testDescription: String { "\(declaration.name), \(preset ?? "defaults")" }
    }

    static let cases: [Case] = DetectorCatalogue.declarations.flatMap { declaration in
        ([nil] + declaration.presets.map(\.name)).map {
            Case(declaration: declaration, preset: $0)
        }
    }

    static let values: [Double] = {
        var random = SplitMix64(seed: 7)
        return (0..<6000).map { index in
            random.nextUnit() < [0.2, 0.6, 0.1][index / 2000] ? 1 : 0
        }
    }()

    private func signals(_ detector: inout any DriftDetector, _ values: [Double]) -> [DriftSignal] {
        values.map { detector.update($0) }
    }

    @Test("batches of any size give the same signals", arguments: cases)
    func batches(_ example: Case) throws {
        var single = try example.make()
        let expected = signals(&single, Self.values).map(\.rawValue)
        #expect(expected.contains(DriftSignal.drift.rawValue))
        for size in [1, 7, 1000] {
            var detector = try example.make()
            var found: [UInt8] = []
            for start in stride(from: 0, to: Self.values.count, by: size) {
                let batch = Array(Self.values[start..<min(start + size, Self.values.count)])
                var signals = [UInt8](repeating: 9, count: batch.count)
                var output = signals.mutableSpan
                detector.update(batch.span, into: &output)
                found += signals
            }
            #expect(found == expected, "batches of \(size)")
        }
    }

    @Test("stored and read back, a detector goes on alike", arguments: cases)
    func storing(_ example: Case) throws {
        var detector = try example.make()
        for count in [0, 1, 100, 1990, 120, 1700] {
            _ = signals(&detector, Array(Self.values.dropFirst(900).prefix(count)))
            var encoder = StateEncoder()
            detector.encode(to: &encoder)
            var decoder = StateDecoder(encoder.bytes)
            var copy = try DetectorCatalogue.decode(example.declaration.name, from: &decoder)
            try decoder.finish()
            var again = StateEncoder()
            copy.encode(to: &again)
            #expect(again.bytes == encoder.bytes)
            var original = detector
            #expect(signals(&copy, Self.values) == signals(&original, Self.values))
        }
    }

    @Test("cut state is refused", arguments: cases)
    func truncation(_ example: Case) throws {
        var detector = try example.make()
        _ = signals(&detector, Self.values)
        var encoder = StateEncoder()
        detector.encode(to: &encoder)
        for length in 0..<encoder.bytes.count {
            var decoder = StateDecoder(Array(encoder.bytes.prefix(length)))
            #expect(throws: StateError.self) {
                _ = try DetectorCatalogue.decode(example.declaration.name, from: &decoder)
            }
        }
    }

    @Test("after a reset a detector is as new", arguments: cases)
    func reset(_ example: Case) throws {
        var fresh = try example.make()
        var used = try example.make()
        _ = signals(&used, Array(Self.values.prefix(4321)))
        used.reset()
        #expect(signals(&used, Self.values) == signals(&fresh, Self.values))
    }

    @Test("values that are not finite are skipped", arguments: cases)
    func nonFinite(_ example: Case) throws {
        var plain = try example.make()
        var disturbed = try example.make()
        var expected: [DriftSignal] = []
        var found: [DriftSignal] = []
        for value in Self.values {
            expected.append(plain.update(value))
            #expect(disturbed.update(.nan) == .none)
            #expect(disturbed.update(.infinity) == .none)
            found.append(disturbed.update(value))
        }
        #expect(found == expected)
    }

    @Test("a warning level above the drift level is refused")
    func contradiction() {
        let settings = DDM.declaration.settings([("warning_level", .number(4))])
        #expect(throws: SettingsError.self) {
            _ = try DetectorCatalogue.make("ddm", settings: settings)
        }
    }
}
