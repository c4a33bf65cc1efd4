// Method: the parts of the numeric contract that are short enough to write down: published vectors
// of the random generator, and the order in which eight lanes are folded.
import Core
import Testing

@Suite("Numeric contract")
struct NumericContractTests {
    @Test("SplitMix64 gives the published sequence")
    func splitMix64() {
        // The reference implementation (Vigna, 2015) seeded with 1234567, and with 0.
        var random = SplitMix64(seed: 1_234_567)
        let found = (0..<5).map { _ in random.next() }
        #expect(
            found == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
        var zero = SplitMix64(seed: 0)
        #expect(zero.next() == 0xE220_A839_7B1D_CDAF)
        #expect(zero.next() == 0x6E78_9E6A_A1B9_65F4)
        #expect(zero.next() == 0x06C4_5D18_8009_454F)
    }

    @Test("uniform numbers come from the upper bits, and are below their bound")
    func uniform() {
        var bits = SplitMix64(seed: 3)
        var units = SplitMix64(seed: 3)
        var bounded = SplitMix64(seed: 3)
        for _ in 0..<1000 {
            let word = bits.next()
            #expect(units.nextUnit() == Double(word >> 11) / 0x1p53)
            #expect(bounded.next(below: 10) == Int(word.multipliedFullWidth(by: 10).high))
        }
    }

    @Test("parts get seeds of their own, whatever the order of asking")
    func derivedSeeds() {
        let seeds = ["model", "drift", "random_tree"].map { SplitMix64.derived(42, $0) }
        #expect(Set(seeds).count == 3)
        #expect(SplitMix64.derived(42, "model") == seeds[0])
        #expect(SplitMix64.derived(43, "model") != seeds[0])
    }

    @Test("lanes are folded in halves: ((0+4)+(2+6)) + ((1+5)+(3+7))")
    func foldOrder() {
        var random = SplitMix64(seed: 21)
        var differing = 0
        for _ in 0..<2000 {
            var x = Lanes.zero
            for lane in 0..<laneCount {
                let scale = Double(
                    sign: .plus, exponent: random.next(below: 60) - 30, significand: 1)
                x[lane] = (random.nextUnit() - 0.5) * scale
            }
            let sum = ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
            let product = ((x[0] * x[4]) * (x[2] * x[6])) * ((x[1] * x[5]) * (x[3] * x[7]))
            #expect(x.folded.bitPattern == sum.bitPattern)
            #expect(x.foldedProduct.bitPattern == product.bitPattern)
            var inOrder = 0.0
            for lane in 0..<laneCount { inOrder += x[lane] }
            if inOrder != sum { differing += 1 }
        }
        // Otherwise the numbers could not tell one order from another.
        #expect(differing > 200)
    }

    @Test("products and sums are rounded one by one: nothing is contracted")
    func noContraction() {
        // (1 + 2^−30)² − (1 + 2^−29) is 2^−60 exactly, and 0 if the product is rounded first.
        let x = 1 + 0x1p-30
        var vector = Lanes(repeating: x)
        vector = vector * vector - Lanes(repeating: 1 + 0x1p-29)
        #expect(vector == Lanes.zero)
    }
}
