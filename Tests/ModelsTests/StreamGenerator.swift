import Core
import Models

/// Rows with everything that can come: missing values, new classes, weights, hashed features.
enum StreamGenerator {
    /// The classes that appear: the third after half of the rows, the fourth after three quarters.
    static let classes = 4

    static func rows(
        _ count: Int, of model: ModelCase, seed: UInt64, furtherColumns: Int = 0
    ) -> Rows {
        let layout = model.layout
        var random = SplitMix64(seed: seed)
        var rows = Rows(columnCount: layout.columns.count + furtherColumns, capacity: count)
        var known: Int32 = 0
        for _ in 0..<count {
            let row = rows.appendRow()
            var score = 0.0
            for (column, kind) in layout.columns.map(\.kind).enumerated() {
                let isMissing = random.next(below: 20) == 0 && random.next(below: 2) == 0
                switch kind {
                case .numeric:
                    let value = 3 * random.nextUnit() - 1
                    if column < 3 { score += value }
                    rows.setValue(row, column, isMissing ? .nan : value)
                case .categorical(let limit):
                    let code = random.next(below: limit)
                    score += code == 1 ? 1 : -0.3
                    rows.setValue(row, column, isMissing ? .nan : Double(code))
                }
            }
            if layout.hasSparse {
                for _ in 0..<random.next(below: 6) {
                    let index = random.next(below: 1 << layout.sparseBits)
                    if index % 7 == 0 { score += 1 }
                    rows.appendSparse(UInt32(index), 1 + Double(random.next(below: 3)))
                }
            }
            rows.setTarget(row, 2 * score + random.nextUnit())
            var label: Int32 = score > 1.5 ? 1 : 0
            if row > count / 2, score > 3 { label = 2 }
            if row > 3 * count / 4, score < -1 { label = 3 }
            rows.setKnownClasses(row, known)
            if random.next(below: 15) == 0 {
                label = -1
                rows.setTarget(row, .nan)
            }
            rows.setClassLabel(row, label)
            known = max(known, label + 1)
            let weights = [1, 1, 1, 1, 1, 1, 2.5, 0]
            rows.setWeight(row, weights[random.next(below: weights.count)])
            rows.setEventTime(row, Int64(row) * 100 + Int64(random.next(below: 500)))
        }
        return rows
    }
}
