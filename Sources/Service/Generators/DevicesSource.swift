import Core

/// The energy that each of a hundred devices uses: a line of its own in load and temperature.
///
/// `base + slope · load + sensitivity · temperature + noise`, with coefficients that are drawn for each
/// device, and drawn anew for the odd ones in each later concept. One model of all devices can only
/// learn their mean; one model per device learns its line. Some devices report more often than others.
///
/// - Complexity: O(1) time per record, O(devices) memory. The same seed gives the same records.
package struct DevicesSource: SyntheticSource {
    /// The number of devices.
    package static let deviceCount: Int = 100

    package static var description: SyntheticDescription {
        SyntheticDescription(
            name: "devices",
            summary: "the energy of a hundred devices, each with a line of its own",
            source: "linear functions with random coefficients",
            columns: [
                SyntheticColumn("device_id", .nominal((0..<deviceCount).map { "d\($0)" })),
                SyntheticColumn("load", .decimal(digits: 4)),
                SyntheticColumn("temperature", .decimal(digits: 3)),
            ],
            label: SyntheticColumn("energy", .decimal(digits: 4)), conceptCount: 4,
            noise: ("the standard deviation of the energy's noise", 0.5, 0...100))
    }

    /// The line of a device.
    package struct Line: Sendable, Equatable {
        package let base: Double
        package let slope: Double
        package let sensitivity: Double

        package func energy(load: Double, temperature: Double) -> Double {
            base + slope * load + sensitivity * temperature
        }
    }

    /// The lines of each concept, by device.
    private let lines: [[Line]]
    private var random: SplitMix64
    private var normal: NormalNumbers
    private let noise: Double

    package init(seed: UInt64, noise: Double) {
        var lines: [[Line]] = []
        for concept in 0..<Self.description.conceptCount {
            var draws = SplitMix64(seed: SplitMix64.derived(seed, "devices \(concept)"))
            let drawn = (0..<Self.deviceCount).map { _ in
                Line(
                    base: draws.nextDecimal(upTo: 20, stepsPerUnit: 100),
                    slope: draws.nextDecimal(upTo: 20, stepsPerUnit: 100) - 10,
                    sensitivity: draws.nextDecimal(upTo: 1, stepsPerUnit: 100) - 0.5)
            }
            lines.append(
                drawn.enumerated().map { device, line in
                    concept > 0 && device % 2 == 0 ? lines[0][device] : line
                })
        }
        self.lines = lines
        random = SplitMix64(seed: SplitMix64.derived(seed, "devices"))
        normal = NormalNumbers(seed: SplitMix64.derived(seed, "devices noise"))
        self.noise = noise
    }

    /// The line of a device in a concept.
    package func line(device: Int, concept: Int) -> Line { lines[concept][device] }

    package mutating func next(
        record: Int, concept: Int, into values: inout [Double]
    ) -> Double {
        let first = random.next(below: Self.deviceCount)
        let device = min(first, random.next(below: Self.deviceCount))
        values[0] = Double(device)
        values[1] = random.nextDecimal(upTo: 1, stepsPerUnit: 10_000)
        values[2] = random.nextDecimal(upTo: 30, stepsPerUnit: 1_000)
        let energy = lines[concept][device].energy(load: values[1], temperature: values[2])
        // Energy is never negative.
        return max(0, energy + noise * normal.next()).rounded(stepsPerUnit: 10_000)
    }
}
