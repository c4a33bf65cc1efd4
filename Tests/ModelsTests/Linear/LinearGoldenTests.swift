// Method: weights and predictions after k rows against River's, from the same rows in order.
import Core
import Models
import TestSupport
import Testing

@Suite("Linear models against River")
struct LinearGoldenTests {
    /// The runs of linear models by plain or adaptive gradient steps, by their name in the file.
    static let overrides: [String: [(key: String, value: SettingValue)]] = [
        "LogisticRegression/SGD": [],
        "LogisticRegression/SGD/l2": [("l2", .number(0.1))],
        "LogisticRegression/SGD/l1": [("l1", .number(0.01))],
        "LogisticRegression/SGD/inverse_scaling": [
            ("learning_rate", .number(0.1)), ("schedule", .text("inverse_scaling")),
        ],
        "LogisticRegression/SGD/intercept_lr_0": [("intercept_learning_rate", .number(0))],
        "LogisticRegression/SGD/hinge": [("loss", .text("hinge"))],
        "LogisticRegression/AdaGrad": [("schedule", .text("adagrad"))],
        "LinearRegression/SGD": [],
        "LinearRegression/AdaGrad": [("schedule", .text("adagrad"))],
        "LinearRegression/SGD/huber": [("loss", .text("huber")), ("epsilon", .number(0.5))],
        "LinearRegression/SGD/quantile": [
            ("loss", .text("quantile")), ("quantile", .number(0.9)),
            ("intercept_learning_rate", .number(0.05)),
        ],
        "LinearRegression/SGD/epsilon": [
            ("loss", .text("epsilon_insensitive")), ("epsilon", .number(0.1)),
        ],
    ]

    /// The file's rows; feature c is missing in every fourth.
    static func rows(_ golden: Golden) -> Rows {
        let inputs = golden["inputs"]
        var rows = Rows(columnCount: 3, capacity: 256)
        for (index, values) in inputs["rows"].array.enumerated() {
            let row = rows.appendRow()
            for (column, name) in ["a", "b", "c"].enumerated() {
                rows.setValue(row, column, values[name].exists ? values[name].double : .nan)
            }
            rows.setClassLabel(row, Int32(inputs["y_binary"][index].int))
            rows.setKnownClasses(row, 2)
            rows.setTarget(row, inputs["y_regression"][index].double)
        }
        return rows
    }

    @Test("weights, intercepts and predictions", arguments: overrides.keys.sorted())
    func trajectory(name: String) throws {
        let golden = try Golden.load("linear_models")
        let found = golden["runs"].array.first { $0["model"].string == name }
        let run = try #require(found, "the golden holds no run \(name)")
        var settings: [(key: String, value: SettingValue)] = [("learning_rate", .number(0.05))]
        settings += try #require(Self.overrides[name])
        var rows = Self.rows(golden)
        if name.hasSuffix("/epsilon") {
            // River maps the label of this loss to 2 y − 1, as if it were a class.
            for row in 0..<rows.count { rows.setTarget(row, 2 * rows.targets[row] - 1) }
        }
        let layout = ColumnLayout(numericCount: 3)
        var predictions = Predictions(capacity: rows.count)
        var weights: [[Double]] = []
        var outputs: [Double] = []
        if name.hasPrefix("Logistic") {
            var model = try LogisticRegression(
                settings: LogisticRegression.declaration.settings(preset: "river", settings),
                layout: layout)
            for row in 0..<rows.count {
                model.predictAndLearn(rows, row..<(row + 1), into: &predictions)
                outputs.append(predictions.probabilities[2 * row + 1])
                weights.append((0..<3).map { model.weight(column: $0) } + [model.intercept()])
            }
        } else {
            var model = try LinearRegression(
                settings: LinearRegression.declaration.settings(preset: "river", settings),
                layout: layout)
            for row in 0..<rows.count {
                model.predictAndLearn(rows, row..<(row + 1), into: &predictions)
                outputs.append(predictions.values[row])
                weights.append((0..<3).map { model.weight(column: $0) } + [model.intercept])
            }
        }
        for point in run["trajectory"].array {
            let row = point["after"].int - 1
            let expected =
                ["a", "b", "c"].map { key in
                    point["weights"][key].exists ? point["weights"][key].double : 0
                } + [point["intercept"].double, point["prediction_before_update"].double]
            for (got, value) in zip(weights[row] + [outputs[row]], expected) {
                #expect(abs(got - value) <= 1e-9, "\(name) after \(row + 1): \(got), \(value)")
            }
        }
    }
}
