/// Rows of cells in aligned columns.
package struct TextTable: Sendable {
    package enum Alignment: Sendable {
        case left
        case right
    }

    private let header: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// - Parameter alignments: For each column; columns beyond are aligned right.
    package init(header: [String], alignments: [Alignment] = [.left]) {
        self.header = header
        self.alignments = alignments
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// Adds a row; missing cells are empty.
    package mutating func add(_ cells: [String]) {
        precondition(cells.count <= header.count, "more cells than columns")
        rows.append(cells + [String](repeating: "", count: header.count - cells.count))
    }

    /// The lines, without trailing spaces.
    package func lines(style: TextStyle = .plain) -> [String] {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() {
                widths[column] = max(widths[column], cell.count)
            }
        }
        return [style.bold(line(header, widths))] + rows.map { line($0, widths) }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (column, cell) in cells.enumerated() {
            if column > 0 { text += "  " }
            let gap = String(repeating: " ", count: widths[column] - cell.count)
            let alignment = column < alignments.count ? alignments[column] : .right
            text += alignment == .left ? cell + gap : gap + cell
        }
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
