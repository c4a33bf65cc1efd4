// Method: seeded random records; one step against the same step written naively over dictionaries,
// and what must hold of any step: a smaller error, unchanged odds at the third class.
import Core
import Models
import TestSupport
import Testing

@Suite("Linear models")
struct LinearModelTests {
    static let layout = ColumnLayout(
        columns: [
            Column(name: "a", kind: .numeric), Column(name: "b", kind: .categorical(limit: 5)),
            Column(name: "c", kind: .numeric),
        ], sparseBits: 6)

    static func regression(
        _ settings: [(key: String, value: SettingValue)] = [], layout: ColumnLayout = layout
    ) throws -> LinearRegression {
        try LinearRegression(
            settings: LinearRegression.declaration.settings(settings), layout: layout)
    }

    /// One record: two numbers and a category, each perhaps missing, and up to three pairs.
    static func record(_ random: inout SplitMix64, known: Int32 = 2) -> Rows {
        var rows = Rows(columnCount: 3, capacity: 1)
        rows.appendRow()
        for column in 0..<3 {
            let value = column == 1 ? Double(random.next(below: 5)) : 2 * random.nextUnit() - 1
            rows.setValue(0, column, random.next(below: 8) == 0 ? .nan : value)
        }
        for _ in 0..<random.next(below: 4) {
            rows.appendSparse(UInt32(random.next(below: 64)), random.nextUnit())
        }
        rows.setTarget(0, 20 * random.nextUnit() - 10)
        rows.setClassLabel(0, Int32(random.next(below: Int(known))))
        rows.setKnownClasses(0, known)
        return rows
    }

    /// The features of a record by name; a category is a feature of value 1.
    static func features(_ rows: borrowing Rows) -> [String: Double] {
        var result: [String: Double] = [:]
        for column in [0, 2] where !rows.value(0, column).isNaN {
            result["x\(column)"] = rows.value(0, column)
        }
        if !rows.value(0, 1).isNaN { result["c\(rows.value(0, 1))"] = 1 }
        for position in rows.sparseRange(0) {
            result["s\(rows.sparseIndices[position])", default: 0] += rows.sparseValues[position]
        }
        return result
    }

    @Test("one step moves the prediction toward the label", arguments: UInt64(1)...50)
    func stepReducesError(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var model = try Self.regression()
        var predictions = Predictions(capacity: 1)
        for _ in 0..<5 {
            let rows = Self.record(&random)
            model.predictAndLearn(rows, 0..<1, into: &predictions)
            let before = abs(predictions.values[0] - rows.targets[0])
            model.predict(rows, 0..<1, into: &predictions)
            let after = abs(predictions.values[0] - rows.targets[0])
            #expect(after < before, "seed \(seed)")
        }
    }

    @Test("dense, categorical and hashed features step alike", arguments: UInt64(1)...20)
    func naiveRegression(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let isInverse = seed % 2 == 0
        let l2 = seed % 3 == 0 ? 0.05 : 0
        var model = try Self.regression([
            ("learning_rate", .number(0.1)), ("l2", .number(l2)),
            ("schedule", .text(isInverse ? "inverse_scaling" : "constant")),
        ])
        var weights: [String: Double] = [:]
        var intercept = 0.0
        var predictions = Predictions(capacity: 1)
        for step in 0..<200 {
            let rows = Self.record(&random)
            let features = Self.features(rows)
            // Two pairs of one index decay twice: the naive model has them as one feature.
            let range = rows.sparseRange(0)
            if Set(range.map { rows.sparseIndices[$0] }).count < range.count { continue }
            model.predictAndLearn(rows, 0..<1, into: &predictions)
            let expected = features.keys.sorted().reduce(intercept) {
                $0 + (weights[$1] ?? 0) * (features[$1] ?? 0)
            }
            let value = predictions.values[0]
            #expect(isClose(value, expected, tolerance: 1e-9), "seed \(seed), step \(step)")
            let gradient = 2 * (expected - rows.targets[0])
            let learned = weights["steps"] ?? 0
            let rate = isInverse ? 0.1 / (learned + 1).squareRoot() : 0.1
            weights["steps"] = learned + 1
            intercept -= 0.01 * gradient
            for (name, x) in features {
                let w = weights[name] ?? 0
                weights[name] = w - rate * (gradient * x + l2 * w)
            }
        }
    }

    @Test("the third class keeps the odds between the first two", arguments: UInt64(1)...20)
    func thirdClass(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var model = try LogisticRegression(
            settings: LogisticRegression.declaration.settings([("learning_rate", .number(0.2))]),
            layout: Self.layout)
        var predictions = Predictions(capacity: 1, classCapacity: 3)
        for _ in 0..<100 {
            let rows = Self.record(&random)
            model.learn(rows, 0..<1)
        }
        #expect(model.classCount == 2)
        var probe = Self.record(&random)
        model.predict(probe, 0..<1, into: &predictions)
        let binary = predictions.probabilities[1]
        // A third class of a record that tells nothing but the intercept, hardly weighing.
        var third = Rows(columnCount: 3, capacity: 1)
        third.appendRow()
        third.setValue(0, 1, .nan)
        third.setClassLabel(0, 2)
        third.setKnownClasses(0, 2)
        third.setWeight(0, 1e-14)
        model.learn(third, 0..<1)
        #expect(model.classCount == 3)
        model.predict(probe, 0..<1, into: &predictions)
        let restricted = predictions.probabilities[1]
        #expect(isClose(restricted, binary, tolerance: 1e-12), "seed \(seed)")
        probe.setKnownClasses(0, 3)
        model.predict(probe, 0..<1, into: &predictions)
        let first = predictions.probabilities[0]
        let second = predictions.probabilities[1]
        #expect(isClose(second / (first + second), binary, tolerance: 1e-12), "seed \(seed)")
    }

    @Test("three declared classes learn by softmax", arguments: [false, true])
    func softmax(isDeclared: Bool) throws {
        var random = SplitMix64(seed: 5)
        let layout = ColumnLayout(numericCount: 2)
        var model = try LogisticRegression(
            settings: LogisticRegression.declaration.settings([("learning_rate", .number(0.1))]),
            layout: layout, declaredClasses: isDeclared ? 3 : 0)
        var rows = Rows(columnCount: 2, capacity: 3000)
        for _ in 0..<3000 {
            let row = rows.appendRow()
            let label = random.next(below: 3)
            rows.setValue(row, 0, (label == 0 ? 2.0 : 0) + random.nextUnit())
            rows.setValue(row, 1, (label == 1 ? 2.0 : 0) + random.nextUnit())
            rows.setClassLabel(row, Int32(label))
            rows.setKnownClasses(row, isDeclared || row > 20 ? 3 : 2)
        }
        var predictions = Predictions(capacity: 3000, classCapacity: 3)
        model.predictAndLearn(rows, 0..<3000, into: &predictions)
        var hits = 0
        for row in 2000..<3000 where predictions.labels[row] == rows.classLabels[row] { hits += 1 }
        #expect(hits > 980)
    }

    @Test("a learned overflow heals instead of staying", arguments: [1e200, 1e308])
    func overflow(value: Double) throws {
        var model = try Self.regression(layout: ColumnLayout(numericCount: 1))
        var rows = Rows(columnCount: 1, capacity: 2000)
        for index in 0..<2000 {
            let row = rows.appendRow()
            rows.setValue(row, 0, index < 20 ? value : 1)
            rows.setTarget(row, index < 20 ? -value : 3)
        }
        var predictions = Predictions(capacity: 2000)
        model.predictAndLearn(rows, 0..<2000, into: &predictions)
        for row in 0..<2000 {
            let prediction = predictions.values[row]
            #expect(prediction.isFinite, "row \(row)")
        }
        // The weight was bounded, so that a gradient of at most 1e12 can be taken from there.
        #expect(abs(model.weight(column: 0)) <= 1e100)
    }

    @Test("tables beyond a gigabyte are refused")
    func tableLimit() {
        let layout = ColumnLayout(
            columns: [Column(name: "a", kind: .categorical(limit: 200_000_000))])
        #expect(throws: SettingsError.self) { try Self.regression(layout: layout) }
    }

    @Test("settings are declared with defaults, and River's preset fills some")
    func declarations() {
        for declaration in [LogisticRegression.declaration, LinearRegression.declaration] {
            let settings = declaration.settings()
            for key in declaration.settings.map(\.key) {
                #expect(settings.has(key), "\(declaration.name) has no default of \(key)")
            }
            #expect(declaration.settings(preset: "river").number("learning_rate") == 0.01)
        }
    }
}
