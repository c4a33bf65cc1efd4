package import Core
package import Evaluation

/// A report as a table for people: the model beside its baselines, then its windows.
package enum MetricsTable {
    /// The table; a metric that is defined for nobody has no row.
    package static func table(_ report: MetricsReport) -> TextTable {
        let total = report.scopes.first { $0.extent == nil }
        let windows = report.scopes.filter { $0.extent != nil }
        let series = total?.series ?? []
        var table = TextTable(
            header: [""] + series.map(\.name) + windows.map { "last \(label($0.extent))" })
        let columns = series + windows.compactMap(\.series.first)
        for name in report.tracked {
            let values = columns.map { $0.value(name) }
            if values.contains(where: { $0 != nil }) {
                table.add([name] + values.map { $0.map(NumberText.measure) ?? "" })
            }
            for index in indices(of: name, in: columns) {
                let key = index < report.classes.count ? report.classes[index] : "\(index)"
                let cells = columns.map { column in
                    column.classValues.first { $0.name == name && $0.index == index }?.value
                }
                table.add(["\(name) \(key)"] + cells.map { $0.map(NumberText.measure) ?? "" })
            }
        }
        return table
    }

    /// `1,000 records`, `1 h`, `90 s`, `250 ms`.
    package static func label(_ extent: Extent?) -> String {
        switch extent {
        case nil: return "all"
        case .records(let count): return "\(NumberText.grouped(count)) records"
        case .time(let milliseconds):
            let units: [(Int64, String)] = [
                (86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1000, "s"),
            ]
            for (unit, name) in units where milliseconds % unit == 0 {
                return "\(milliseconds / unit) \(name)"
            }
            return "\(milliseconds) ms"
        }
    }

    private static func indices(of name: String, in columns: [MetricsSeries]) -> [Int] {
        var found: [Int] = []
        for column in columns {
            for value in column.classValues where value.name == name {
                if !found.contains(value.index) { found.append(value.index) }
            }
        }
        return found.sorted()
    }
}
