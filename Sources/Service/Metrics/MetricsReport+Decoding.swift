import Core
package import Engine
package import Evaluation
import Formats

/// A metrics record of a task, as it stands in the metrics topic.
package struct MetricsRecord: Sendable, Equatable {
    package let pipeline: String
    package let task: Int
    /// Records taken, faulty ones included.
    package let records: Int
    /// Records set aside, by the name of the fault, in the order of the record.
    package let faults: [NamedCount]
    /// Alarms by detector, in the order of the pipeline file.
    package let drifts: [NamedCount]
    /// The models by value of a field; `nil` where a task has one model.
    package let models: ModelCounts?
    package let report: MetricsReport

    package init(
        pipeline: String, task: Int, records: Int, faults: [NamedCount], drifts: [NamedCount],
        models: ModelCounts?, report: MetricsReport
    ) {
        self.pipeline = pipeline
        self.task = task
        self.records = records
        self.faults = faults
        self.drifts = drifts
        self.models = models
        self.report = report
    }
}

/// A count with the name of what is counted.
package struct NamedCount: Sendable, Equatable {
    package let name: String
    package var count: Int

    package init(_ name: String, _ count: Int) {
        self.name = name
        self.count = count
    }
}

extension MetricsRecord {
    /// The version of the records that this program reads.
    package static let version: Int = 1

    /// Reads a metrics record; `nil` for other records and other versions.
    package init?(_ json: JSONValue) {
        guard json["type"]?.text == "metrics", json["version"]?.integer == Self.version,
            let pipeline = json["pipeline"]?.text, let task = json["task"]?.integer,
            let records = json["records"]?.integer, let report = MetricsReport(json)
        else { return nil }
        let faults = json["faults"]?.members ?? []
        let drifts = json["drift"]?.list ?? []
        self.init(
            pipeline: pipeline, task: task, records: records,
            faults: faults.map { NamedCount($0.name, $0.value.integer ?? 0) },
            drifts: drifts.map {
                NamedCount($0["detector"]?.text ?? "", $0["drifts"]?.integer ?? 0)
            }, models: json["models"].map { ModelCounts($0) }, report: report)
    }

    /// The records of several tasks as one; their reports must measure the same.
    ///
    /// - Parameter records: In the order of their tasks, at least one.
    package static func merged(_ records: [MetricsRecord]) -> MetricsRecord? {
        guard let first = records.first else { return nil }
        var report = first.report
        var faults = first.faults
        var drifts = first.drifts
        var models = first.models
        for record in records.dropFirst() {
            guard record.report.canMerge(with: report) else { return nil }
            report.merge(record.report)
            faults = NamedCount.added(faults, record.faults)
            drifts = NamedCount.added(drifts, record.drifts)
            if let more = record.models { models = (models ?? ModelCounts()).adding(more) }
        }
        return MetricsRecord(
            pipeline: first.pipeline, task: first.task,
            records: records.reduce(0) { $0 + $1.records }, faults: faults, drifts: drifts,
            models: models, report: report)
    }
}

extension NamedCount {
    /// Adds counts of the same name; new names come at the end.
    static func added(_ first: [NamedCount], _ second: [NamedCount]) -> [NamedCount] {
        var sum = first
        for entry in second {
            if let index = sum.firstIndex(where: { $0.name == entry.name }) {
                sum[index].count += entry.count
            } else {
                sum.append(entry)
            }
        }
        return sum
    }
}

extension ModelCounts {
    fileprivate init(_ json: JSONValue) {
        self.init(
            live: json["live"]?.integer ?? 0, evicted: json["evicted"]?.integer ?? 0,
            unkeyed: json["unkeyed"]?.integer ?? 0)
    }

    /// The counts of two tasks together.
    fileprivate func adding(_ other: ModelCounts) -> ModelCounts {
        ModelCounts(
            live: live + other.live, evicted: evicted + other.evicted,
            unkeyed: unkeyed + other.unkeyed)
    }

    /// As members of a JSON object.
    func write(to json: inout JSONWriter) {
        json.member("live", live)
        json.member("evicted", evicted)
        if unkeyed > 0 { json.member("unkeyed", unkeyed) }
    }

    /// For people: `models: 1,000 live, 20 evicted`.
    var line: String {
        var line = "models: \(NumberText.grouped(live)) live"
        if evicted > 0 { line += ", \(NumberText.grouped(evicted)) evicted" }
        return line
    }
}

extension MetricsReport {
    func canMerge(with other: MetricsReport) -> Bool {
        task == other.task && tracked == other.tracked
            && scopes.map(\.extent) == other.scopes.map(\.extent)
    }

    /// Reads the members of a metrics record that were measured.
    init?(_ json: JSONValue) {
        guard let task = json["learning"]?.text.flatMap({ LearningTask(rawValue: $0) }),
            let records = json["records"]?.integer, let evaluated = json["evaluated"]?.integer,
            let unlabelled = json["unlabelled"]?.integer,
            let unpredicted = json["unpredicted"]?.integer, let list = json["scopes"]?.list
        else { return nil }
        let classes = (json["classes"]?.list ?? []).compactMap(\.text)
        var scopes: [MetricsScope] = []
        for entry in list {
            guard let scope = MetricsScope(entry, task: task, classes: classes) else { return nil }
            scopes.append(scope)
        }
        self.init(
            task: task, tracked: Self.tracked(scopes, task: task), records: records,
            evaluated: evaluated, unlabelled: unlabelled, unpredicted: unpredicted,
            highestEventTime: json["event_time"]?.integer.map { Int64($0) }, classes: classes,
            positiveClass: json["positive"]?.text.flatMap { classes.firstIndex(of: $0) },
            scopes: scopes)
    }

    /// The metrics that any series of any scope has: a record does not name those that are
    /// undefined everywhere.
    private static func tracked(_ scopes: [MetricsScope], task: LearningTask) -> [String] {
        let series = scopes.flatMap(\.series)
        return MetricCatalogue.names(of: task).filter { name in
            series.contains { entry in
                entry.values.contains { $0.name == name }
                    || entry.classValues.contains { $0.name == name }
            }
        }
    }
}

extension MetricsScope {
    init?(_ json: JSONValue, task: LearningTask, classes: [String]) {
        guard let window = json["window"]?.text, let count = json["count"]?.integer,
            let members = json["series"]?.members
        else { return nil }
        var extent: Extent?
        if window != "all" {
            guard let read = Extent(text: window) else { return nil }
            extent = read
        }
        var series: [MetricsSeries] = []
        for (name, value) in members {
            guard let entry = MetricsSeries(name, value, task: task, classes: classes) else {
                return nil
            }
            series.append(entry)
        }
        self.init(
            extent: extent, count: count, truncated: json["truncated"]?.integer ?? 0,
            series: series)
    }
}

extension MetricsSeries {
    init?(_ name: String, _ json: JSONValue, task: LearningTask, classes: [String]) {
        guard let sums = json["sums"].flatMap({ MetricSums($0, task: task, classes: classes) }),
            let metrics = json["metrics"]?.members
        else { return nil }
        var values: [MetricValue] = []
        var classValues: [ClassMetricValue] = []
        for (metric, value) in metrics {
            if let number = value.double {
                values.append(MetricValue(metric, number))
            } else {
                for (key, entry) in value.members ?? [] {
                    guard let index = classes.firstIndex(of: key) ?? Int(key),
                        let number = entry.double
                    else { return nil }
                    classValues.append(ClassMetricValue(metric, index: index, number))
                }
            }
        }
        self.init(name: name, sums: sums, values: values, classValues: classValues)
    }
}

extension MetricSums {
    init?(_ json: JSONValue, task: LearningTask, classes: [String]) {
        func number(_ name: String) -> Double? { json[name]?.double }
        func numbers(_ name: String) -> [Double]? { json[name]?.list?.compactMap(\.double) }
        switch task {
        case .classification:
            guard let actual = numbers("actual"), let predicted = numbers("predicted"),
                let correct = numbers("correct"), let null = number("predicted_null"),
                let unchanged = number("unchanged"), actual.count == classes.count,
                predicted.count == classes.count, correct.count == classes.count
            else { return nil }
            var probabilistic: ProbabilisticSums?
            if let logLoss = number("log_loss"), let brier = number("brier") {
                var scores: ScoreHistograms?
                if let lists = json["scores"]?.list {
                    guard lists.count == (classes.count <= 2 ? 1 : classes.count) else {
                        return nil
                    }
                    scores = ScoreHistograms(
                        classCount: classes.count, bins: lists.map { Self.bins($0.list ?? []) })
                }
                probabilistic = ProbabilisticSums(logLoss: logLoss, brier: brier, scores: scores)
            }
            self = .classification(
                ClassificationSums(
                    actual: actual, predicted: predicted, correct: correct, predictedNull: null,
                    unchanged: unchanged, probabilistic: probabilistic))
        case .regression:
            guard let weight = number("weight"), let absolute = number("absolute_error"),
                let squared = number("squared_error"), let targetWeight = number("target_weight"),
                let target = number("target"), let deviation = number("target_deviation")
            else { return nil }
            self = .regression(
                RegressionSums(
                    weight: weight, absoluteError: absolute, squaredError: squared,
                    targetWeight: targetWeight, target: target, targetDeviation: deviation))
        case .clustering:
            guard let sizes = numbers("sizes"), let distance = number("squared_distance") else {
                return nil
            }
            self = .clustering(ClusteringSums(sizes: sizes, squaredDistance: distance))
        }
    }

    private static func bins(_ list: [JSONValue]) -> [ScoreHistograms.Bin] {
        list.compactMap { entry in
            guard let parts = entry.list, parts.count == 3, let index = parts[0].integer,
                let positive = parts[1].double, let negative = parts[2].double
            else { return nil }
            return ScoreHistograms.Bin(index: index, positive: positive, negative: negative)
        }
    }
}

extension Extent {
    /// Reads `1000 records` or `3600000 ms`.
    init?(text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let number = Int(parts[0]) else { return nil }
        switch parts[1] {
        case "records": self = .records(number)
        case "ms": self = .time(Int64(number))
        default: return nil
        }
    }
}
