import Core
import Foundation
import TestSupport

/// The e-mails of the spam stream as sets of words, hashed to 18 bits.
struct HashedWords {
    let layout = ColumnLayout(columns: [], sparseBits: 18)
    private var labels: [Int32] = []
    private var starts = [0]
    private var indices: [UInt32] = []

    init() throws {
        guard let path = TestEnvironment.dataFolder?.appending(path: "spam.jsonl.gz").path else {
            throw ToolFailure.usage(TestEnvironment.dataRemedy)
        }
        // A line: {"y":1,"x":[1,128,571]}
        let text = try ChildProcess.run(["gzip", "-dc", path], seconds: 60)
        var number: UInt32?
        var isLabel = true
        for byte in text.utf8 {
            if byte >= 48, byte <= 57 {
                number = (number ?? 0) * 10 + UInt32(byte - 48)
                continue
            }
            if let value = number {
                if isLabel { labels.append(Int32(value)) } else { indices.append(value) }
                isLabel = false
                number = nil
            }
            if byte == 10 {
                starts.append(indices.count)
                isLabel = true
            }
        }
        // Multiplicative hashing, so that words lie as far apart in the table as texts would.
        indices = indices.map { ($0 &* 0x9E37_79B1) >> 14 }
    }

    func rows() -> Rows {
        var rows = Rows(columnCount: 0, capacity: labels.count)
        for (index, label) in labels.enumerated() {
            let row = rows.appendRow()
            rows.setClassLabel(row, label)
            rows.setKnownClasses(row, 2)
            for place in starts[index]..<starts[index + 1] { rows.appendSparse(indices[place], 1) }
        }
        return rows
    }
}
