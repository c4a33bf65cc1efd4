package import Core
import Foundation

/// A public stream from ``TestEnvironment/dataFolder``: rows in file order, the target last.
///
/// Classes are numbered in the order of their texts, as the golden files declare them.
package struct Dataset: Sendable {
    package let columnNames: [String]
    /// Row-major, without the target.
    package let values: [Double]
    /// The target of each row as it stands in the file.
    package let targetTexts: [String]
    /// The distinct targets in the order of their texts.
    package let classes: [String]
    /// The class code of each row.
    package let classCodes: [Int32]
    /// The target of each row as a number; NaN if it is none.
    package let targets: [Double]

    package var count: Int { targetTexts.count }
    package var columnCount: Int { columnNames.count }
    package var layout: ColumnLayout {
        ColumnLayout(columns: columnNames.map { Column(name: $0, kind: .numeric) })
    }

    /// Electricity prices: 45,312 rows, two classes.
    package static let elec: Result<Dataset, any Error> = Result { try load("elec") }
    /// SEA concepts: 60,000 rows, two classes.
    package static let sea: Result<Dataset, any Error> = Result { try load("sea") }
    /// Friedman's function: 40,768 rows, a number.
    package static let fried: Result<Dataset, any Error> = Result { try load("fried") }

    /// Reads `NAME.csv.gz`: a header, then numbers.
    package static func load(_ name: String) throws -> Dataset {
        guard let folder = TestEnvironment.dataFolder else {
            throw DatasetError(problem: TestEnvironment.dataRemedy)
        }
        let bytes = try unpacked(folder.appending(path: "\(name).csv.gz"))
        var lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard !lines.isEmpty else { throw DatasetError(problem: "\(name) is empty") }
        let header = fields(lines.removeFirst())
        var values: [Double] = []
        values.reserveCapacity(lines.count * header.count)
        var targets: [String] = []
        targets.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated() {
            let cells = fields(line)
            guard cells.count == header.count else {
                throw DatasetError(problem: "\(name): row \(index) has \(cells.count) fields")
            }
            for cell in cells.dropLast() { values.append(Double(cell) ?? .nan) }
            targets.append(cells[cells.count - 1])
        }
        return Dataset(
            columnNames: Array(header.dropLast()), values: values, targetTexts: targets)
    }

    package init(columnNames: [String], values: [Double], targetTexts: [String]) {
        self.columnNames = columnNames
        self.values = values
        self.targetTexts = targetTexts
        targets = targetTexts.map { Double($0) ?? .nan }
        var distinct = Set(targetTexts)
        // A number as target has no classes worth counting.
        if distinct.count > 1_000 { distinct = [] }
        classes = distinct.sorted()
        let codes = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        classCodes = targetTexts.map { Int32(codes[$0] ?? -1) }
    }

    /// A batch of these rows, with class labels (all classes declared) and targets.
    package func rows(_ range: Range<Int>) -> Rows {
        var rows = Rows(columnCount: columnCount, capacity: max(1, range.count))
        for index in range {
            let row = rows.appendRow()
            for column in 0..<columnCount {
                rows.setValue(row, column, values[index * columnCount + column])
            }
            rows.setClassLabel(row, classCodes[index])
            rows.setKnownClasses(row, Int32(classes.count))
            rows.setTarget(row, targets[index])
        }
        return rows
    }

    private static func fields(_ line: ArraySlice<UInt8>) -> [String] {
        line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
            String(decoding: $0.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        }
    }

    private static func unpacked(_ file: URL) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DatasetError(problem: "gzip cannot unpack \(file.path)")
        }
        return Array(data)
    }
}

/// Why a stream could not be read.
package struct DatasetError: Error, CustomStringConvertible {
    package let problem: String
    package var description: String { problem }
}
