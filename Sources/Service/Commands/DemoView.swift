/// What the demo shows: pure functions of what has been seen so far.
package struct DemoView: Sendable, Equatable {
    /// The metrics after so many records.
    package struct Sample: Sendable, Equatable {
        package let records: Int
        /// The accuracy over the last window, of each series; `nil` where undefined.
        package let accuracies: [Double?]

        package init(records: Int, accuracies: [Double?]) {
            self.records = records
            self.accuracies = accuracies
        }
    }

    /// The records that the stream will have.
    package let total: Int
    /// Where the concept changes, in records.
    package let planned: [Int]
    /// The names of the series: the model, then its baselines.
    package let seriesNames: [String]
    /// What the accuracies are taken over.
    package let window: String
    package var samples: [Sample] = []
    /// Where the detector gave alarm, in records.
    package var alarms: [Int] = []
    /// Records with a committed prediction.
    package var records = 0
    /// Since the first record.
    package var seconds = 0.0
    /// The cumulative accuracy of each series.
    package var accuracies: [Double?] = []

    package init(total: Int, planned: [Int], seriesNames: [String], window: String) {
        self.total = total
        self.planned = planned
        self.seriesNames = seriesNames
        self.window = window
    }

    private static let colors: [TextStyle.Color] = [.green, .yellow, .magenta]

    /// The frame for a terminal.
    package func frame(title: String, style: TextStyle, width: Int) -> [String] {
        let chartWidth = min(100, max(20, width - 14))
        let progress = ProgressLine(
            records: records, fraction: Double(records) / Double(max(1, total)), seconds: seconds)
        var lines = [style.bold(title), progress.text, ""]
        lines.append("accuracy over the last \(window)")
        let series = seriesNames.indices.map { index in
            LineChart.Series(
                name: seriesNames[index], color: Self.colors[index % Self.colors.count],
                values: values(of: index, columns: chartWidth * 2))
        }
        let chart = LineChart(series: series, marks: marks, width: chartWidth, height: 10)
        let drawn = chart.lines(style: style)
        // The place is kept before there is anything to draw, so that the frame does not jump.
        lines += drawn.isEmpty ? [String](repeating: "", count: 11) : drawn
        if !drawn.isEmpty, marks.isEmpty { lines.append("") }
        lines.append("")
        lines.append(legend(style: style))
        lines.append(alarmLine(style: style))
        return lines
    }

    /// One line where no terminal is.
    package var line: String {
        var parts = ["records=\(records)"]
        if seconds > 0 { parts.append("rate=\(Int(Double(records) / seconds))/s") }
        if let last = samples.last {
            for (name, value) in zip(seriesNames, last.accuracies) {
                if let value { parts.append("\(name)=\(NumberText.fixed(value, decimals: 4))") }
            }
        }
        parts.append("drift_alarms=\(alarms.count)")
        return parts.joined(separator: " ")
    }

    /// What to say at the end.
    package func summary(style: TextStyle) -> [String] {
        let rate = seconds > 0 ? Double(records) / seconds : 0
        var lines = [
            style.bold("Summary"),
            "  \(NumberText.grouped(records)) records, each with one committed prediction, in "
                + "\(NumberText.fixed(seconds, decimals: 1)) s (\(NumberText.short(rate))/s)",
        ]
        let parts = zip(seriesNames, accuracies).compactMap { name, value in
            value.map { "\(name) \(NumberText.fixed($0, decimals: 4))" }
        }
        if !parts.isEmpty { lines.append("  accuracy: \(parts.joined(separator: ", "))") }
        let matched = detections
        let found = matched.compactMap(\.delay)
        var text = "  drift: \(found.count) of \(matched.count) planted changes found"
        if !found.isEmpty {
            let mean = found.reduce(0, +) / found.count
            text += ", on average after \(NumberText.grouped(mean)) records"
        }
        let others = alarms.count - found.count
        if others > 0 { text += "; \(others) other alarm\(others == 1 ? "" : "s")" }
        lines.append(text)
        return lines
    }

    /// For each planted change that lies in the records seen, how many records later the first
    /// alarm before the next change came; `nil` if none did.
    package var detections: [(change: Int, delay: Int?)] {
        let seen = planned.filter { $0 < records }
        return seen.enumerated().map { index, change in
            let end = index + 1 < seen.count ? seen[index + 1] : Int.max
            let alarm = alarms.first { $0 >= change && $0 < end }
            return (change, alarm.map { $0 - change })
        }
    }

    // MARK: Parts

    /// The accuracies of a series at so many places between the first and the last record.
    private func values(of series: Int, columns: Int) -> [Double?] {
        var result = [Double?](repeating: nil, count: columns)
        var next = 0
        for column in 0..<columns {
            let end = (column + 1) * total / columns
            while next + 1 < samples.count, samples[next + 1].records <= end { next += 1 }
            guard next < samples.count, samples[next].records <= end,
                column * total / columns <= (samples.last?.records ?? 0)
            else { continue }
            result[column] = samples[next].accuracies[series]
        }
        return result
    }

    private var marks: [LineChart.Mark] {
        guard total > 0 else { return [] }
        return planned.map {
            LineChart.Mark(place: Double($0) / Double(total), symbol: "┆", color: nil)
        } + alarms.map { LineChart.Mark(place: Double($0) / Double(total)) }
    }

    private func legend(style: TextStyle) -> String {
        let last = samples.last?.accuracies ?? []
        var parts: [String] = []
        for (index, name) in seriesNames.enumerated() {
            let value = index < last.count ? last[index] : nil
            let text = value.map { " \(NumberText.fixed($0, decimals: 4))" } ?? ""
            parts.append(
                style.color("━━", Self.colors[index % Self.colors.count]) + " \(name)\(text)")
        }
        return parts.joined(separator: "   ")
    }

    private func alarmLine(style: TextStyle) -> String {
        let places = alarms.suffix(6).map { NumberText.grouped($0) }
        let text = places.isEmpty ? "" : " at records \(places.joined(separator: "  "))"
        return
            "\(style.color("▲", .red)) \(alarms.count) drift alarm\(alarms.count == 1 ? "" : "s")"
            + "\(text)   ┆ the concept changes"
    }
}
