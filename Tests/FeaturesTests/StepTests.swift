// Method: small rows whose transformed values are worked out by hand or known from River.
import Core
import Features
import TestSupport
import Testing

@Suite("Steps")
struct StepTests {
    /// The values of the columns after the step, row by row.
    static func transformed(
        _ step: inout some PreparationStep, _ values: [[Double]], weights: [Double] = []
    ) -> [[Double]] {
        let width = step.output.columns.count
        var rows = Rows(columnCount: width, capacity: values.count)
        for (index, line) in values.enumerated() {
            let row = rows.appendRow()
            for (column, value) in line.enumerated() { rows.setValue(row, column, value) }
            if !weights.isEmpty { rows.setWeight(row, weights[index]) }
        }
        step.transformAndLearn(&rows, 0..<values.count)
        return (0..<values.count).map { row in (0..<width).map { rows.value(row, $0) } }
    }

    static let one = ColumnLayout(numericCount: 1)

    @Test("a weight equals repeats in standardize", arguments: UInt64(1)...10)
    func weightedStandardize(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let values = (0..<40).map { _ in [100 + random.nextUnit()] }
        let weights = (0..<40).map { _ in Double(random.next(below: 4)) }
        var repeated: [[Double]] = []
        for (value, weight) in zip(values, weights) {
            for _ in 0..<Int(weight) { repeated.append(value) }
        }
        var first = try Standardize(settings: Standardize.declaration.settings(), layout: Self.one)
        var second = first
        _ = Self.transformed(&first, values, weights: weights)
        _ = Self.transformed(&second, repeated)
        let probe = Self.transformed(&first, [[100.25]])[0][0]
        let expected = Self.transformed(&second, [[100.25]])[0][0]
        #expect(isClose(probe, expected, tolerance: 1e-9), "seed \(seed)")
    }

    @Test("standardize survives values whose square overflows")
    func hugeStandardize() throws {
        var step = try Standardize(settings: Standardize.declaration.settings(), layout: Self.one)
        let result = Self.transformed(&step, [[1], [3], [1e300], [-1e300], [3]])
        #expect(result[4] == [1])
    }

    @Test("the range of min_max is that of the rows before")
    func minMax() throws {
        var step = try MinMax(settings: MinMax.declaration.settings(), layout: Self.one)
        let result = Self.transformed(
            &step, [[4], [4], [8], [6], [.nan], [0], [2]].map { $0 })
        #expect(result.map { $0[0] }.prefix(4) == [0, 0, 0, 0.5])
        #expect(result[4][0].isNaN)
        #expect(result[5] == [-1])
        #expect(result[6] == [0.25])
    }

    @Test("the values of River's min-max scaler")
    func minMaxGolden() throws {
        let golden = try Golden.load("scalers")
        let names = ["a", "b", "c", "k"]
        var step = try MinMax(
            settings: MinMax.declaration.settings(), layout: ColumnLayout(numericCount: 4))
        var rows = Rows(columnCount: 4, capacity: 1)
        rows.appendRow()
        let inputs = golden["inputs"]["rows"].array
        var learned = 0
        for point in golden["expected"]["minmax"].array {
            while learned < point["after"].int {
                for (column, name) in names.enumerated() {
                    rows.setValue(0, column, inputs[learned][name].double)
                }
                step.transformAndLearn(&rows, 0..<1)
                learned += 1
            }
            for (column, name) in names.enumerated() {
                rows.setValue(0, column, inputs[learned - 1][name].double)
            }
            step.transform(&rows, 0..<1)
            for (column, name) in names.enumerated() {
                let value = rows.value(0, column)
                let expected = point["transform_of_this_row"][name].double
                #expect(isClose(value, expected, tolerance: 1e-10), "after \(learned): \(name)")
            }
        }
        #expect(learned == inputs.count)
    }

    @Test(
        "missing values become what the rows before say",
        arguments: [
            ("mean", [.nan, 2, 2, 4, 6, 4]), ("most_frequent", [.nan, 2, 2, 4, 6, 2]),
            ("previous", [.nan, 2, 2, 4, 6, 6]), ("constant", [9, 2, 9, 4, 6, 9]),
        ] as [(String, [Double])])
    func impute(strategy: String, expected: [Double]) throws {
        var step = try Impute(
            settings: Impute.declaration.settings([
                ("strategy", .text(strategy)), ("value", .number(9)),
            ]), layout: Self.one)
        let result = Self.transformed(&step, [[.nan], [2], [.nan], [4], [6], [.nan]])
        for (row, value) in expected.enumerated() {
            #expect(result[row][0] == value || (result[row][0].isNaN && value.isNaN), "row \(row)")
        }
    }

    @Test("most frequent goes by weight, the first among equals")
    func mostFrequent() throws {
        var step = try Impute(
            settings: Impute.declaration.settings([("strategy", .text("most_frequent"))]),
            layout: ColumnLayout(columns: [Column(name: "a", kind: .categorical(limit: 4))]))
        let result = Self.transformed(
            &step, [[3], [1], [.nan], [2], [.nan], [1], [.nan]], weights: [1, 1, 1, 5, 1, 4, 1])
        #expect([result[2], result[4], result[6]] == [[3], [2], [1]])
    }

    @Test("a category becomes columns of 0 and 1")
    func oneHot() throws {
        let layout = ColumnLayout(columns: [
            Column(name: "a", kind: .categorical(limit: 3)), Column(name: "x", kind: .numeric),
            Column(name: "b", kind: .categorical(limit: 2)),
        ])
        var step = try OneHot(settings: OneHot.declaration.settings(), layout: layout)
        #expect(step.output.columns.map(\.name) == ["a=0", "x", "b=0", "a=1", "a=2", "b=1"])
        #expect(step.output.columns.allSatisfy { $0.kind == .numeric })
        let result = Self.transformed(
            &step, [[0, 5, 1], [2, 6, 0], [.nan, 7, .nan], [1, 8, 0]])
        #expect(
            result == [
                [1, 5, 0, 0, 0, 1], [0, 6, 1, 0, 1, 0], [0, 7, 0, 0, 0, 0], [0, 8, 1, 1, 0, 0],
            ])
    }

    @Test("one_hot refuses to make too many columns")
    func oneHotLimit() {
        let layout = ColumnLayout(columns: [Column(name: "a", kind: .categorical(limit: 70_000))])
        #expect(throws: SettingsError.self) {
            try OneHot(settings: OneHot.declaration.settings(), layout: layout)
        }
    }
}
