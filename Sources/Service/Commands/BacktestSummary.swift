import Core
package import Engine
package import Evaluation
import Formats

/// What came out of a backtest, for people and for scripts.
package struct BacktestSummary: Sendable {
    package let pipeline: String
    package let counters: ProcessorCounters
    package let report: MetricsReport
    package let drifts: [DriftCollector.Event]
    /// The names of the pipeline's detectors.
    package let detectors: [String]

    package init(_ backtest: Backtest, drifts: [DriftCollector.Event]) {
        pipeline = backtest.pipeline.name
        counters = backtest.processor.counters
        report = backtest.processor.report()
        self.drifts = drifts
        detectors = backtest.pipeline.detectors.map(\.component.name)
    }

    /// One JSON object with a line end; depends on nothing but pipeline and data.
    package var json: String {
        var json = JSONWriter()
        json.object { json in
            json.member("pipeline", pipeline)
            json.member("records", counters.records)
            MetricsJSON.write(report, to: &json)
            if let models = counters.models {
                json.object("models") { json in models.write(to: &json) }
            }
            json.object("faults") { json in
                for fault in Self.faults(counters) { json.member(fault.name, fault.count) }
            }
            json.list("drift") { json in
                for event in drifts {
                    let bytes = Array(event.json.utf8)
                    json.value(literal: bytes.span)
                }
            }
        }
        return json.text + "\n"
    }

    /// The summary for people.
    package func lines(seconds: Double, style: TextStyle) -> [String] {
        let rate = seconds > 0 ? Double(counters.records) / seconds : 0
        var lines = [
            style.bold(pipeline)
                + ": \(NumberText.grouped(counters.records)) records in "
                + "\(NumberText.fixed(seconds, decimals: 2)) s (\(NumberText.short(rate))/s)"
        ]
        let table = MetricsTable.table(report)
        if !table.isEmpty { lines += [""] + table.lines(style: style) + [""] }
        lines += Self.notes(
            report, records: counters.records, faults: Self.faults(counters), style: style)
        if let models = counters.models { lines.append(models.line) }
        for (index, detector) in detectors.enumerated() {
            let count = counters.drifts[index]
            let places = drifts.filter { $0.isDrift && $0.detector == detector }.suffix(8)
                .map { NumberText.grouped($0.offset) }
            var line = "drift: \(detector) gave \(count) alarm\(count == 1 ? "" : "s")"
            if !places.isEmpty {
                line += count > places.count ? ", the last at records " : " at records "
                line += places.joined(separator: "  ")
            }
            lines.append(line)
        }
        return lines
    }

    /// The faults that occurred, in the order of their codes.
    static func faults(_ counters: ProcessorCounters) -> [NamedCount] {
        RecordFault.allCases.compactMap { fault in
            let count = counters.faults[Int(fault.rawValue)]
            return count > 0 ? NamedCount(fault.name, count) : nil
        }
    }

    /// What a reader must know to trust the numbers; nothing if all is well.
    static func notes(
        _ report: MetricsReport, records: Int, faults: [NamedCount], style: TextStyle
    ) -> [String] {
        var lines: [String] = []
        if report.unlabelled > 0, report.task != .clustering {
            lines.append(
                "without label: \(NumberText.grouped(report.unlabelled)) of "
                    + "\(NumberText.grouped(records)) records, predicted, "
                    + "neither evaluated nor learned from")
        }
        if !faults.isEmpty {
            let parts = faults.map { "\(NumberText.grouped($0.count)) \($0.name)" }
            let total = faults.reduce(0) { $0 + $1.count }
            lines.append(
                style.color("set aside", .yellow)
                    + ": \(NumberText.grouped(total)) of \(NumberText.grouped(records)) records ("
                    + parts.joined(separator: ", ") + ")")
        }
        return lines
    }
}
