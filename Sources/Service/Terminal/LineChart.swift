/// Lines over the records of a stream, drawn with Braille dots: two across and four down a cell.
///
/// Where lines meet in a cell, the first one listed gives the colour.
package struct LineChart: Sendable {
    /// One line of the chart.
    package struct Series: Sendable {
        package let name: String
        package let color: TextStyle.Color?
        /// From the left edge to the right; `nil` leaves a gap.
        package let values: [Double?]

        package init(name: String, color: TextStyle.Color?, values: [Double?]) {
            self.name = name
            self.color = color
            self.values = values
        }
    }

    /// A mark on the line below the chart.
    package struct Mark: Sendable, Equatable {
        /// In [0, 1] from the left; others are left out.
        package let place: Double
        package let symbol: Character
        package let color: TextStyle.Color?

        package init(place: Double, symbol: Character = "▲", color: TextStyle.Color? = .red) {
            self.place = place
            self.symbol = symbol
            self.color = color
        }
    }

    private struct Cell {
        var dots: UInt32 = 0
        var series = -1
    }

    /// The dots of a cell by column and row, as Unicode numbers them.
    private static let bits: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

    package let series: [Series]
    /// What the line below the chart shows; in one cell the last one listed.
    package let marks: [Mark]
    /// In cells, without the axis.
    package let width: Int
    /// In cells, without the line of marks.
    package let height: Int

    package init(series: [Series], marks: [Mark] = [], width: Int, height: Int) {
        precondition(width > 0 && height > 0, "a chart of \(width) by \(height)")
        self.series = series
        self.marks = marks
        self.width = width
        self.height = height
    }

    /// The values between the lowest and the highest edge, widened to tenths of their span.
    package var range: ClosedRange<Double>? {
        let all = series.flatMap(\.values).compactMap { $0 }.filter(\.isFinite)
        guard let least = all.min(), let most = all.max() else { return nil }
        let margin = most > least ? (most - least) * 0.05 : max(most.magnitude * 0.05, 0.01)
        return (least - margin)...(most + margin)
    }

    /// The chart's lines: `height` of them and, with marks, one more; empty without values.
    package func lines(style: TextStyle, axisWidth: Int = 8) -> [String] {
        guard let range else { return [] }
        let cells = drawn(range)
        var lines: [String] = []
        for row in 0..<height {
            let value: Double? =
                row == 0 ? range.upperBound : row == height - 1 ? range.lowerBound : nil
            let text = value.map { NumberText.measure($0) } ?? ""
            let gap = String(repeating: " ", count: max(0, axisWidth - text.count))
            var line = gap + style.dim(text) + style.dim(" ┤")
            for cell in cells[(row * width)..<((row + 1) * width)] {
                line += Self.text(cell, style: style, series: series)
            }
            lines.append(line)
        }
        if !marks.isEmpty { lines.append(markLine(style: style, axisWidth: axisWidth)) }
        return lines
    }

    private static func text(_ cell: Cell, style: TextStyle, series: [Series]) -> String {
        guard cell.dots != 0, let scalar = Unicode.Scalar(0x2800 + cell.dots) else { return " " }
        return style.color(String(Character(scalar)), series[cell.series].color)
    }

    /// Draws the last series first, so that the first one lies on top.
    private func drawn(_ range: ClosedRange<Double>) -> [Cell] {
        var cells = [Cell](repeating: Cell(), count: width * height)
        let span = range.upperBound - range.lowerBound
        for index in series.indices.reversed() {
            var previous: Int?
            for column in 0..<(width * 2) {
                guard let value = value(index, column), value.isFinite else {
                    previous = nil
                    continue
                }
                let share = (range.upperBound - value) / span
                let dot = min(height * 4 - 1, max(0, Int(share * Double(height * 4))))
                // A line, not points: the dots between this column and the one before.
                let from = previous.map { $0 < dot ? $0 + 1 : $0 > dot ? $0 - 1 : dot } ?? dot
                for y in min(from, dot)...max(from, dot) {
                    let cell = y / 4 * width + column / 2
                    cells[cell].dots |= Self.bits[column % 2][y % 4]
                    cells[cell].series = index
                }
                previous = dot
            }
        }
        return cells
    }

    /// The value of a series at a column of dots.
    private func value(_ index: Int, _ column: Int) -> Double? {
        let values = series[index].values
        guard !values.isEmpty else { return nil }
        return values[min(values.count - 1, column * values.count / (width * 2))]
    }

    private func markLine(style: TextStyle, axisWidth: Int) -> String {
        var cells = [Mark?](repeating: nil, count: width)
        for mark in marks where (0...1).contains(mark.place) {
            cells[min(width - 1, Int(mark.place * Double(width)))] = mark
        }
        var line = String(repeating: " ", count: axisWidth + 2)
        for mark in cells { line += mark.map { style.color(String($0.symbol), $0.color) } ?? " " }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}
