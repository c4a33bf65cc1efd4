// Method: the generator that the nominal reference file describes, draw by draw.
import Core
import TestSupport

/// The stream of `hoeffding_tree_nominal`: three categorical columns, four numeric ones.
struct NominalStream {
    static let layout = ColumnLayout(
        columns: [2, 4, 6].enumerated().map {
            Column(name: "n\($0)", kind: .categorical(limit: $1))
        } + (0..<4).map { Column(name: "x\($0)", kind: .numeric) })

    /// Seven values a row; NaN is missing.
    var values: [[Double]] = []
    var classes: [Int32] = []

    init(seed: Int, rows: Int, missing: Bool) {
        var random = Lehmer(seed: seed)
        for _ in 0..<rows {
            let n0 = Int(2 * random.unit())
            let n1 = Int(4 * random.unit())
            let n2 = Int(6 * random.unit())
            let x = (0..<4).map { _ in (random.unit() * 1000).rounded(.toNearestOrEven) / 1000 }
            var label =
                n1 < 2
                ? (x[0] > 0.5 ? (n0 == 0 ? 0 : 1) : 2)
                : n2 < 3 ? (x[1] > 0.3 ? 1 : 0) : (x[2] + x[3] > 1 ? 2 : 0)
            if random.unit() < 0.1 { label = Int(3 * random.unit()) }
            var row = [Double(n0), Double(n1), Double(n2)] + x
            if missing {
                for column in 0..<7 where random.unit() < 0.05 { row[column] = .nan }
            }
            values.append(row)
            classes.append(Int32(label))
        }
    }

    /// A row as the reference file prints it.
    func text(_ row: Int) -> [String] {
        values[row].enumerated().map { column, value in
            if value.isNaN { return "?" }
            return column < 3 ? String("abcdef".map { String($0) }[Int(value)]) : "\(value)"
        } + ["\(classes[row])"]
    }

    func rows(_ range: Range<Int>) -> Rows {
        var rows = Rows(columnCount: 7, capacity: max(1, range.count))
        for index in range {
            let row = rows.appendRow()
            for column in 0..<7 { rows.setValue(row, column, values[index][column]) }
            rows.setClassLabel(row, classes[index])
            rows.setKnownClasses(row, 3)
        }
        return rows
    }
}
