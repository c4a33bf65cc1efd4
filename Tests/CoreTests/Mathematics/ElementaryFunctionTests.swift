// Method: seeded arguments over the whole range and every special value; eight lanes are compared
// with the scalar twin bit for bit, and the scalar with the C library within the stated bound.
import Core
import Foundation
import TestSupport
import Testing

@Suite("Elementary functions")
struct ElementaryFunctionTests {
    struct Function: Sendable, CustomTestStringConvertible {
        let name: String
        let lanes: @Sendable (Lanes) -> Lanes
        let scalar: @Sendable (Double) -> Double
        let reference: @Sendable (Double) -> Double
        /// The largest error allowed, relative to the reference, in units of 2^−52.
        let bound: Double
        let range: ClosedRange<Double>
        /// Results below it may be flushed to 0.
        var smallest = 0.0
        var testDescription: String { name }
    }

    static let functions: [Function] = [
        Function(
            name: "naturalLogarithm", lanes: \.naturalLogarithm, scalar: \.naturalLogarithm,
            reference: { log($0) }, bound: 1, range: -2...1e6),
        Function(
            name: "exponential", lanes: \.exponential, scalar: \.exponential,
            reference: { exp($0) }, bound: 1, range: -720...720, smallest: 0x1p-1021),
        Function(
            name: "hyperbolicTangent", lanes: \.hyperbolicTangent, scalar: \.hyperbolicTangent,
            reference: { tanh($0) }, bound: 2, range: -25...25),
        Function(
            name: "errorFunction", lanes: \.errorFunction, scalar: \.errorFunction,
            reference: { erf($0) }, bound: 4, range: -7...7),
        Function(
            name: "complementaryErrorFunction", lanes: \.complementaryErrorFunction,
            scalar: \.complementaryErrorFunction, reference: { erfc($0) },
            bound: 2e-13 * 0x1p52, range: -7...28, smallest: 1e-307),
        Function(
            name: "normalCDF", lanes: \.normalCDF, scalar: \.normalCDF,
            reference: { 0.5 * erfc(-$0 / 2.0.squareRoot()) }, bound: 1e-12 * 0x1p52,
            range: -38...9, smallest: 1e-307),
    ]

    static let specials: [Double] = [
        0, -0.0, .nan, .infinity, -.infinity, 1, -1, 0.5, -0.5, 0.625, -0.625, 0.7071067811865475,
        0.7071067811865476, 8, -8, 11.3, 11.4, -11.4, 708, -708, 709, 709.5, 709.79, 710, -708.5,
        -745, -746, .leastNonzeroMagnitude, .leastNormalMagnitude, -.leastNonzeroMagnitude,
        Double.leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
        .ulpOfOne,
        1 - .ulpOfOne / 2, 1 + .ulpOfOne, 1e-300, 1e300, -1e-300, 0x1p-28,
    ]

    /// Special values, uniform arguments in the range, and arguments of every magnitude.
    static func arguments(_ function: Function) -> [Double] {
        var random = SplitMix64(seed: 20_260)
        var values = specials
        let count = TestEnvironment.isRelease ? 200_000 : 8_000
        let range = function.range
        for _ in 0..<count {
            let unit = random.nextUnit()
            values.append(range.lowerBound + unit * (range.upperBound - range.lowerBound))
            values.append(Double(bitPattern: random.next()))
        }
        while values.count % laneCount != 0 { values.append(1) }
        return values
    }

    static func areSame(_ a: Double, _ b: Double) -> Bool {
        a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
    }

    @Test("eight lanes have the bits of the scalar twin", arguments: functions)
    func lanesEqualScalar(function: Function) {
        let values = Self.arguments(function)
        for start in stride(from: 0, to: values.count, by: laneCount) {
            var vector = Lanes.zero
            for lane in 0..<laneCount { vector[lane] = values[start + lane] }
            let results = function.lanes(vector)
            for lane in 0..<laneCount {
                let scalar = function.scalar(vector[lane])
                guard Self.areSame(results[lane], scalar) else {
                    Issue.record("\(function.name)(\(vector[lane])): \(results[lane]), \(scalar)")
                    return
                }
            }
        }
    }

    @Test("the scalar stays within its bound of the C library", arguments: functions)
    func scalarIsAccurate(function: Function) {
        var worst = 0.0
        for value in Self.arguments(function) {
            let result = function.scalar(value)
            let reference = function.reference(value)
            if Self.areSame(result, reference) || (result == 0 && reference == 0) { continue }
            if reference.magnitude < function.smallest && result == 0 { continue }
            guard result.isFinite, reference.isFinite else {
                Issue.record("\(function.name)(\(value)): \(result), not \(reference)")
                return
            }
            let unit = max(reference.ulp, function.smallest * 0x1p-52)
            // The reference itself may be half a unit off, and more for a quotient.
            worst = max(worst, (result - reference).magnitude / unit)
        }
        #expect(worst <= function.bound + 0.5, "\(function.name): \(worst) ulp")
    }

    @Test("the rounded exponential is the C library's, but for rare last bits")
    func roundedExponential() {
        var random = SplitMix64(seed: 7)
        let count = TestEnvironment.isRelease ? 400_000 : 20_000
        var differing = 0
        for _ in 0..<count {
            let value = -746 + random.nextUnit() * 1456
            let result = value.roundedExponential
            let reference = exp(value)
            if result != reference {
                differing += 1
                #expect((result - reference).magnitude <= reference.ulp, "exp(\(value))")
            }
        }
        // glibc's own error is up to 0.511 ulp: about one of a hundred results.
        #expect(differing < count / 50, "\(differing) of \(count)")
        for special in Self.specials {
            #expect(
                Self.areSame(special.roundedExponential, exp(special))
                    || (special.roundedExponential - exp(special)).magnitude <= exp(special).ulp,
                "exp(\(special))")
        }
    }

    @Test("the functions give these bits on every machine and at every optimisation")
    func storedHash() {
        var hash = ContentHash()
        for function in Self.functions {
            var random = SplitMix64(seed: 99)
            for _ in 0..<2_000 {
                let range = function.range
                let unit = random.nextUnit()
                let value = range.lowerBound + unit * (range.upperBound - range.lowerBound)
                let result = function.scalar(value)
                hash.combine(result.isNaN ? 1 : result.bitPattern)
            }
        }
        #expect(hash.value == 2_048_173_726_388_838_292)
    }
}
