// Method: rows transformed after learning them against River's figures; batches against rows.
import Core
import Features
import TestSupport
import Testing

@Suite("Standardize")
struct StandardizeTests {
    @Test("the values of River's scaler", arguments: [true, false])
    func golden(withStandardDeviation: Bool) throws {
        let golden = try Golden.load("scalers")
        let names = ["a", "b", "c", "k"]
        let layout = ColumnLayout(numericCount: names.count)
        let key = withStandardDeviation ? "standard" : "standard_without_std"
        var step = try Standardize(
            settings: Standardize.declaration.settings([
                ("with_std", .boolean(withStandardDeviation))
            ]), layout: layout)
        var expected: [Int: Golden] = [:]
        for point in golden["expected"][key].array {
            expected[point["after"].int] = point["transform_of_this_row"]
        }
        #expect(expected.count > 3)
        for (index, values) in golden["inputs"]["rows"].array.enumerated() {
            // River learns a row before it transforms it: learn one copy, transform another.
            var rows = Rows(columnCount: names.count, capacity: 2)
            for _ in 0..<2 {
                let row = rows.appendRow()
                for (column, name) in names.enumerated() {
                    rows.setValue(row, column, values[name].double)
                }
            }
            step.transformAndLearn(&rows, 0..<1)
            step.transform(&rows, 1..<2)
            guard let figures = expected[index + 1] else { continue }
            for (column, name) in names.enumerated() {
                let value = rows.value(1, column)
                let figure = figures[name].double
                #expect(isClose(value, figure, tolerance: 1e-10), "\(name): \(value), \(figure)")
            }
        }
    }
}
