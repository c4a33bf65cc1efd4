import Core
import Evaluation

/// One record with what a classifier and its baselines said of it.
struct ClassifiedRecord: Sendable {
    /// −1 without a label.
    var label: Int
    /// −1 for `null`.
    var prediction: Int
    var majority = -1
    var noChange = -1
    /// Of the classes known before the record.
    var probabilities: [Double] = []
    var weight = 1.0
    var time: Int64 = 0
}

/// One record with what a regressor and its baselines said of it; NaN is absent.
struct RegressedRecord: Sendable {
    var target: Double
    var prediction: Double
    var mean = Double.nan
    var noChange = Double.nan
    var weight = 1.0
    var time: Int64 = 0
}

extension Evaluator {
    /// Takes records in batches and returns the reports that fall due.
    mutating func run(
        _ records: [ClassifiedRecord], batch: Int = 64, classes: [String] = [],
        probabilities: Bool = true
    ) -> [MetricsReport] {
        let capacity = max(1, records.map(\.probabilities.count).max() ?? 1)
        var reports: [MetricsReport] = []
        for start in stride(from: 0, to: records.count, by: batch) {
            let part = records[start..<min(start + batch, records.count)]
            var rows = Rows(columnCount: 0, capacity: batch)
            var model = Predictions(
                capacity: batch, classCapacity: capacity, wantsProbabilities: probabilities)
            var majority = Predictions(capacity: batch, wantsProbabilities: false)
            var noChange = Predictions(capacity: batch, wantsProbabilities: false)
            for record in part {
                let row = rows.appendRow()
                rows.setClassLabel(row, Int32(record.label))
                rows.setKnownClasses(row, Int32(record.probabilities.count))
                rows.setWeight(row, record.weight)
                rows.setEventTime(row, record.time)
                model.setLabel(row, Int32(record.prediction))
                majority.setLabel(row, Int32(record.majority))
                noChange.setLabel(row, Int32(record.noChange))
                if probabilities {
                    for (code, value) in record.probabilities.enumerated() {
                        model.setProbability(row, code, value)
                    }
                }
            }
            var row = 0
            while row < rows.count {
                row = update(
                    rows, row..<rows.count, model, baseline: majority, noChange: noChange)
                if isReportDue { reports.append(makeReport(classes: classes)) }
            }
        }
        return reports
    }

    /// Takes records in batches and returns the reports that fall due.
    mutating func run(_ records: [RegressedRecord], batch: Int = 64) -> [MetricsReport] {
        var reports: [MetricsReport] = []
        for start in stride(from: 0, to: records.count, by: batch) {
            let part = records[start..<min(start + batch, records.count)]
            var rows = Rows(columnCount: 0, capacity: batch)
            var model = Predictions(capacity: batch, wantsProbabilities: false)
            var mean = Predictions(capacity: batch, wantsProbabilities: false)
            var noChange = Predictions(capacity: batch, wantsProbabilities: false)
            for record in part {
                let row = rows.appendRow()
                rows.setTarget(row, record.target)
                rows.setWeight(row, record.weight)
                rows.setEventTime(row, record.time)
                model.setValue(row, record.prediction)
                mean.setValue(row, record.mean)
                noChange.setValue(row, record.noChange)
            }
            var row = 0
            while row < rows.count {
                row = update(rows, row..<rows.count, model, baseline: mean, noChange: noChange)
                if isReportDue { reports.append(makeReport()) }
            }
        }
        return reports
    }

    /// The bytes of the state.
    func encoded() -> [UInt8] {
        var encoder = StateEncoder()
        encode(to: &encoder)
        return encoder.bytes
    }
}

extension MetricsReport {
    /// A metric of one class.
    func classValue(_ name: String, _ index: Int, over extent: Extent? = nil) -> Double? {
        scopes.first { $0.extent == extent }?.series[0].classValues
            .first { $0.name == name && $0.index == index }?.value
    }
}
