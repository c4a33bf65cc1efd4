import Core
import Engine
import Evaluation

/// What `metrics` shows of a running pipeline: pure functions of the tasks' last records.
package enum MetricsView {
    /// The frame for a terminal.
    package static func frame(
        _ record: MetricsRecord, taskCount: Int, style: TextStyle
    ) -> [String] {
        // A task with one model per value of a field has many.
        let unit = record.models == nil ? "model" : "task"
        let tasks = taskCount == 1 ? "1 \(unit)" : "\(taskCount) \(unit)s, merged"
        var lines = [
            "\(style.bold(record.pipeline)): \(NumberText.grouped(record.records)) records, \(tasks)",
            "",
        ]
        lines += MetricsTable.table(record.report).lines(style: style) + [""]
        lines += BacktestSummary.notes(
            record.report, records: record.records, faults: record.faults, style: style)
        if let models = record.models { lines.append(models.line) }
        for drift in record.drifts {
            let count = drift.count
            lines.append("drift: \(drift.name) gave \(count) alarm\(count == 1 ? "" : "s")")
        }
        return lines
    }

    /// One line for logs and pipes: the first metric beside its baselines, and over each window.
    package static func line(_ record: MetricsRecord) -> String {
        let report = record.report
        var parts = ["records=\(record.records)"]
        let total = report.scopes.first { $0.extent == nil }
        for name in report.tracked.prefix(3) {
            for series in total?.series ?? [] {
                guard let value = series.value(name) else { continue }
                let owner = series.name == MetricsSeries.modelName ? "" : "\(series.name)."
                parts.append("\(owner)\(name)=\(NumberText.measure(value))")
            }
            for scope in report.scopes where scope.extent != nil {
                guard let value = scope.series.first?.value(name) else { continue }
                let window = MetricsTable.label(scope.extent).replacing(",", with: "")
                parts.append(
                    "\(name)[\(window.replacing(" ", with: "_"))]=\(NumberText.measure(value))")
            }
        }
        if let models = record.models {
            parts.append("live_models=\(models.live) evicted_models=\(models.evicted)")
        }
        for drift in record.drifts { parts.append("\(drift.name)_drifts=\(drift.count)") }
        let faults = record.faults.reduce(0) { $0 + $1.count }
        if faults > 0 { parts.append("set_aside=\(faults)") }
        return parts.joined(separator: " ")
    }
}
