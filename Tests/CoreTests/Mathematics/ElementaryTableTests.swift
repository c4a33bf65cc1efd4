// Method: values to 106 bits computed by mpmath (Tests/Reference/elementary-functions.py) over the
// whole range, denser where the methods change; the largest error of each function is compared with
// the bound that its documentation states, and eight lanes with the scalar twin.
import Core
import Foundation
import TestSupport
import Testing

@Suite("Elementary functions against mpmath")
struct ElementaryTableTests {
    struct Function: Sendable, CustomTestStringConvertible {
        let name: String
        /// The name in the table, if it is another one.
        var table: String?
        let scalar: @Sendable (Double) -> Double
        var lanes: (@Sendable (Lanes) -> Lanes)?
        /// The largest error allowed, in units in the last place of the exact value.
        let bound: Double
        /// What the worst value must reach, so that a bound does not outlive its reason.
        let reached: Double
        var testDescription: String { name }
    }

    static let functions: [Function] = [
        Function(
            name: "naturalLogarithm", scalar: \.naturalLogarithm, lanes: \.naturalLogarithm,
            bound: 1, reached: 0.5),
        Function(
            name: "exponential", scalar: \.exponential, lanes: \.exponential, bound: 1,
            reached: 0.5),
        Function(
            name: "roundedExponential", table: "exponential", scalar: \.roundedExponential,
            bound: 0.50001, reached: 0.4),
        Function(
            name: "hyperbolicTangent", scalar: \.hyperbolicTangent, lanes: \.hyperbolicTangent,
            bound: 2, reached: 0.5),
        Function(name: "logistic", scalar: \.logistic, bound: 3, reached: 0.5),
        Function(
            name: "errorFunction", scalar: \.errorFunction, lanes: \.errorFunction, bound: 4,
            reached: 0.5),
        Function(
            name: "complementaryErrorFunction", scalar: \.complementaryErrorFunction,
            lanes: \.complementaryErrorFunction, bound: 1000, reached: 0.5),
        Function(
            name: "normalCDF", scalar: \.normalCDF, lanes: \.normalCDF, bound: 5000, reached: 0.5),
    ]

    /// An argument with the exact value as a sum of two doubles.
    struct Entry: Sendable {
        let argument: Double
        let high: Double
        let low: Double
    }

    static let table: Result<[String: [Entry]], any Error> = Result {
        let file = TestEnvironment.repository.appending(
            path: "Tests/Reference/elementary-functions.txt")
        var table: [String: [Entry]] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            let numbers = try words.dropFirst().map { word in
                Double(bitPattern: try #require(UInt64(word, radix: 16)))
            }
            try #require(numbers.count == 3)
            table[String(words[0]), default: []].append(
                Entry(argument: numbers[0], high: numbers[1], low: numbers[2]))
        }
        return table
    }

    @Test("the error stays within the stated bound", arguments: functions)
    func bound(function: Function) throws {
        let entries = try #require(try Self.table.get()[function.table ?? function.name])
        #expect(entries.count > 250)
        var worst = 0.0
        var place = 0.0
        for entry in entries {
            let result = function.scalar(entry.argument)
            // The exact value is subtracted in two steps, the first of which is exact.
            let error = ((result - entry.high) - entry.low).magnitude / entry.high.ulp
            if !(error <= worst) {
                worst = error
                place = entry.argument
            }
        }
        #expect(worst <= function.bound, "\(function.name)(\(place)): \(worst) ulp")
        #expect(worst >= function.reached, "\(function.name): only \(worst) ulp")
        print("\(function.name): \(worst) ulp at \(place), \(entries.count) values")
    }

    @Test("eight lanes have the scalar's bits", arguments: functions.filter { $0.lanes != nil })
    func lanes(function: Function) throws {
        let lanes = try #require(function.lanes)
        let entries = try #require(try Self.table.get()[function.name])
        for start in stride(from: 0, to: entries.count - laneCount + 1, by: 3) {
            var vector = Lanes.zero
            for lane in 0..<laneCount { vector[lane] = entries[start + lane].argument }
            let results = lanes(vector)
            for lane in 0..<laneCount {
                let expected = function.scalar(vector[lane])
                #expect(
                    results[lane].bitPattern == expected.bitPattern,
                    "\(function.name)(\(vector[lane]))")
            }
        }
    }
}
