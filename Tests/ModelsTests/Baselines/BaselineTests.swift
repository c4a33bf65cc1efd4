// Method: short sequences of labels whose predictions are worked out by hand.
import Core
import Models
import Testing

@Suite("Baselines")
struct BaselineTests {
    static func rows(_ labels: [Int32], known: [Int32], weights: [Double] = []) -> Rows {
        var rows = Rows(columnCount: 0, capacity: labels.count)
        for (index, label) in labels.enumerated() {
            let row = rows.appendRow()
            rows.setClassLabel(row, label)
            rows.setTarget(row, label < 0 ? .nan : Double(label))
            rows.setKnownClasses(row, known[index])
            if !weights.isEmpty { rows.setWeight(row, weights[index]) }
        }
        return rows
    }

    static func labels(_ model: inout some Classifier, _ rows: borrowing Rows) -> [Int32] {
        var predictions = Predictions(capacity: rows.count, classCapacity: 4)
        model.predictAndLearn(rows, 0..<rows.count, into: &predictions)
        return (0..<rows.count).map { predictions.labels[$0] }
    }

    static func values(_ model: inout some Regressor, _ rows: borrowing Rows) -> [Double] {
        var predictions = Predictions(capacity: rows.count)
        model.predictAndLearn(rows, 0..<rows.count, into: &predictions)
        return (0..<rows.count).map { predictions.values[$0] }
    }

    static let layout = ColumnLayout(columns: [])

    @Test("majority predicts the heaviest class, the lowest among equals")
    func majority() throws {
        var model = try Majority(settings: Settings(), layout: Self.layout)
        let rows = Self.rows(
            [1, 0, 0, 2, -1, 2], known: [0, 2, 2, 2, 3, 3], weights: [1, 1, 0.5, 9, 5, 1])
        #expect(Self.labels(&model, rows) == [-1, 1, 0, 0, 2, 2])
    }

    @Test("majority's probabilities are shares")
    func shares() throws {
        var model = try Majority(settings: Settings(), layout: Self.layout)
        let rows = Self.rows([1, 0, 1, 1], known: [2, 2, 2, 2])
        var predictions = Predictions(capacity: 4)
        model.predict(rows, 0..<1, into: &predictions)
        let before = predictions.probabilities[0]
        #expect(before == 0.5)
        model.learn(rows, 0..<4)
        model.predict(rows, 0..<1, into: &predictions)
        let after = predictions.probabilities[1]
        #expect(after == 0.75)
    }

    @Test("no_change predicts the label before; at first class 0 of the known ones")
    func noChange() throws {
        var model = try NoChange(settings: Settings(), layout: Self.layout)
        let first = Self.labels(&model, Self.rows([1, 2, -1, 0], known: [0, 2, 3, 3]))
        #expect(first == [-1, 1, 2, 2])
        model.reset()
        #expect(Self.labels(&model, Self.rows([1, 1], known: [2, 2])) == [0, 1])
    }

    @Test("mean and last value")
    func numbers() throws {
        let rows = Self.rows([4, 1, -1, 7], known: [0, 0, 0, 0], weights: [1, 2, 1, 1])
        var mean = try Mean(settings: Settings(), layout: Self.layout)
        #expect(Self.values(&mean, rows) == [0, 4, 2, 2])
        var last = try LastValue(settings: Settings(), layout: Self.layout)
        #expect(Self.values(&last, rows) == [0, 4, 1, 1])
    }

    @Test("each task's baselines are in the catalogue")
    func catalogue() {
        for task in LearningTask.allCases {
            for baseline in ModelCatalogue.baselines(of: task) {
                #expect(ModelCatalogue.task(of: baseline.model) == task)
            }
        }
    }
}
