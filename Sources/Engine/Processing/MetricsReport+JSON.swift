import Core
import Evaluation
import Formats

extension MetricsReport {
    /// Writes the members of a metrics record that were measured: counts, then for each window the
    /// ratios and the sums that they come from, of the model and of each baseline.
    func write(to json: inout JSONWriter) {
        json.member("learning", task.rawValue)
        json.member("evaluated", evaluated)
        json.member("unlabelled", unlabelled)
        json.member("unpredicted", unpredicted)
        if let highestEventTime { json.member("event_time", highestEventTime) }
        if task == .classification {
            json.list("classes") { json in for name in classes { json.value(name) } }
            if let positiveClass { json.member("positive", classes[positiveClass]) }
        }
        json.list("scopes") { json in
            for scope in scopes { scope.write(to: &json, classes: classes) }
        }
    }
}

extension MetricsScope {
    func write(to json: inout JSONWriter, classes: [String]) {
        json.object { json in
            json.member("window", extent.map(\.text) ?? "all")
            json.member("count", count)
            if truncated > 0 { json.member("truncated", truncated) }
            json.object("series") { json in
                for entry in series {
                    json.key(entry.name)
                    entry.write(to: &json, classes: classes)
                }
            }
        }
    }
}

extension MetricsSeries {
    func write(to json: inout JSONWriter, classes: [String]) {
        json.object { json in
            json.object("metrics") { json in
                for value in values { json.member(value.name, value.value) }
                var open: String?
                for value in classValues where value.name != open {
                    open = value.name
                    json.object(value.name) { json in
                        for entry in classValues where entry.name == value.name {
                            let name =
                                entry.index < classes.count
                                ? classes[entry.index] : "\(entry.index)"
                            json.member(name, entry.value)
                        }
                    }
                }
            }
            json.object("sums") { json in sums.write(to: &json) }
        }
    }
}

extension MetricSums {
    func write(to json: inout JSONWriter) {
        switch self {
        case .classification(let sums): sums.write(to: &json)
        case .regression(let sums):
            json.member("weight", sums.weight)
            json.member("absolute_error", sums.absoluteError)
            json.member("squared_error", sums.squaredError)
            json.member("target_weight", sums.targetWeight)
            json.member("target", sums.target)
            json.member("target_deviation", sums.targetDeviation)
        case .clustering(let sums):
            json.list("sizes") { json in for size in sums.sizes { json.value(size) } }
            json.member("squared_distance", sums.squaredDistance)
        }
    }
}

extension ClassificationSums {
    func write(to json: inout JSONWriter) {
        json.list("actual") { json in for value in actual { json.value(value) } }
        json.list("predicted") { json in for value in predicted { json.value(value) } }
        json.list("correct") { json in for value in correct { json.value(value) } }
        json.member("predicted_null", predictedNull)
        json.member("unchanged", unchanged)
        guard let probabilistic else { return }
        json.member("log_loss", probabilistic.logLoss)
        json.member("brier", probabilistic.brier)
        guard let scores = probabilistic.scores else { return }
        // Each bin as [index, weight of the class, weight of the others].
        json.list("scores") { json in
            for bins in scores.bins {
                json.list { json in
                    for bin in bins {
                        json.list { json in
                            json.value(bin.index)
                            json.value(bin.positive)
                            json.value(bin.negative)
                        }
                    }
                }
            }
        }
    }
}

extension Extent {
    /// As in the pipeline file: `1000 records`, `3600000 ms`.
    package var text: String {
        switch self {
        case .records(let count): "\(count) records"
        case .time(let milliseconds): "\(milliseconds) ms"
        }
    }
}
