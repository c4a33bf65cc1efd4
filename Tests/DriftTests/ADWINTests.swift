// Method: seeded Bernoulli streams with known changes; the defaults must signal each rise once and
// no fall, and the window must hold exactly the mean of the values that it says it holds.
import Core
import Drift
import TestSupport
import Testing

@Suite("ADWIN")
struct ADWINTests {
    private func stream(_ rates: [Double], each count: Int, seed: UInt64) -> [Double] {
        var random = SplitMix64(seed: seed)
        return rates.flatMap { rate in
            (0..<count).map { _ in random.nextUnit() < rate ? 1.0 : 0 }
        }
    }

    @Test("signals each rise once, and no fall", arguments: UInt64(1)...40)
    func rises(seed: UInt64) {
        var detector = ADWIN(ADWIN.declaration.settings())
        var segments: [Int] = []
        for (index, value) in stream([0.1, 0.5, 0.1, 0.6], each: 3000, seed: seed).enumerated()
        where detector.update(value) == .drift {
            segments.append(index / 3000)
        }
        #expect(segments == [1, 3], "seed \(seed)")
    }

    @Test("keeps the newest values and their sum", arguments: UInt64(1)...5)
    func windowHoldsNewest(seed: UInt64) {
        let values = stream([0.2, 0.7], each: 2000, seed: seed)
        var detector = ADWIN(ADWIN.declaration.settings())
        for (index, value) in values.enumerated() {
            _ = detector.update(value)
            let newest = values[...index].suffix(Int(detector.width))
            #expect(newest.count == Int(detector.width))
            #expect(newest.reduce(0, +) == detector.total, "after \(index), seed \(seed)")
        }
        #expect(detector.width < 2300)
    }

    @Test("a stationary stream stays quiet")
    func quiet() {
        var detector = ADWIN(ADWIN.declaration.settings())
        let count = TestEnvironment.isRelease ? 1_000_000 : 20_000
        var random = SplitMix64(seed: 3)
        var alarms = 0
        for _ in 0..<count where detector.update(random.nextUnit()) == .drift { alarms += 1 }
        #expect(alarms == 0)
        #expect(detector.width == Double(count))
        #expect(detector.stateBytes < 8192)
    }
}
