package import Evaluation
package import Formats

/// Writes reports as JSON for scripts: metrics by name, without the sums behind them.
package enum MetricsJSON {
    /// The members `evaluated`, `unlabelled`, `unpredicted`, `metrics`, `baselines` and `windows`.
    package static func write(_ report: MetricsReport, to json: inout JSONWriter) {
        json.member("evaluated", report.evaluated)
        json.member("unlabelled", report.unlabelled)
        json.member("unpredicted", report.unpredicted)
        if let total = report.scopes.first(where: { $0.extent == nil }) {
            write(total, of: report, to: &json)
        }
        json.list("windows") { json in
            for scope in report.scopes where scope.extent != nil {
                json.object { json in
                    json.member("window", MetricsTable.label(scope.extent))
                    json.member("count", scope.count)
                    write(scope, of: report, to: &json)
                }
            }
        }
    }

    private static func write(
        _ scope: MetricsScope, of report: MetricsReport, to json: inout JSONWriter
    ) {
        json.object("metrics") { json in
            if let model = scope.series.first { write(model, of: report, to: &json) }
        }
        json.object("baselines") { json in
            for baseline in scope.series.dropFirst() {
                json.object(baseline.name) { json in write(baseline, of: report, to: &json) }
            }
        }
    }

    private static func write(
        _ series: MetricsSeries, of report: MetricsReport, to json: inout JSONWriter
    ) {
        for value in series.values { json.member(value.name, value.value) }
        for name in report.tracked {
            let values = series.classValues.filter { $0.name == name }
            guard !values.isEmpty else { continue }
            json.object(name) { json in
                for value in values {
                    let isClass = value.index < report.classes.count
                    json.member(
                        isClass ? report.classes[value.index] : "\(value.index)", value.value)
                }
            }
        }
    }
}
