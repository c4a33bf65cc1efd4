package import Core

/// What a task's predictions were worth, cumulatively and over each window.
///
/// Holds sums and counts beside the ratios, so that the reports of several tasks merge.
package struct MetricsReport: Sendable, Equatable {
    package let task: LearningTask
    /// The metrics reported, in order.
    package let tracked: [String]
    /// Records seen, labelled or not.
    package var records: Int
    /// Records that were measured.
    package var evaluated: Int
    /// Records without a label; not measured.
    package var unlabelled: Int
    /// Records for which the model predicted `null`: wrong in classification, else not measured.
    package var unpredicted: Int
    /// The highest event time seen, in milliseconds since 1970; `nil` before the first record.
    package var highestEventTime: Int64?
    /// The texts of the classes in the order of their codes; empty for other tasks.
    package var classes: [String]
    /// The position of the positive class in ``classes``.
    package var positiveClass: Int?
    /// The cumulative scope first, then one for each window in the order of the settings.
    package var scopes: [MetricsScope]

    package init(
        task: LearningTask, tracked: [String], records: Int, evaluated: Int, unlabelled: Int,
        unpredicted: Int, highestEventTime: Int64?, classes: [String], positiveClass: Int?,
        scopes: [MetricsScope]
    ) {
        self.task = task
        self.tracked = tracked
        self.records = records
        self.evaluated = evaluated
        self.unlabelled = unlabelled
        self.unpredicted = unpredicted
        self.highestEventTime = highestEventTime
        self.classes = classes
        self.positiveClass = positiveClass
        self.scopes = scopes
    }

    /// A metric of the model: over a window, or cumulative without one; `nil` if undefined.
    package func value(_ name: String, over extent: Extent? = nil) -> Double? {
        scopes.first { $0.extent == extent }?.series.first?.value(name)
    }
}

/// The metrics of model and baselines over one stretch of records.
package struct MetricsScope: Sendable, Equatable {
    /// The window; `nil` for everything since the start.
    package let extent: Extent?
    /// The records that it holds.
    package var count: Int
    /// Records that a window of time forgot early, because it was full.
    package var truncated: Int
    /// The model first, then the baselines.
    package var series: [MetricsSeries]

    package init(extent: Extent?, count: Int, truncated: Int, series: [MetricsSeries]) {
        self.extent = extent
        self.count = count
        self.truncated = truncated
        self.series = series
    }
}

/// The metrics of one predictor over one stretch of records.
package struct MetricsSeries: Sendable, Equatable {
    /// `model`, or the name of a baseline.
    package let name: String
    package var sums: MetricSums
    /// The tracked metrics that are defined, in order; those of classes and clusters are in
    /// ``classValues``.
    package var values: [MetricValue]
    /// The tracked metrics of each class, or sizes of each cluster, that are defined, in order.
    package var classValues: [ClassMetricValue]

    package init(
        name: String, sums: MetricSums, values: [MetricValue], classValues: [ClassMetricValue]
    ) {
        self.name = name
        self.sums = sums
        self.values = values
        self.classValues = classValues
    }

    /// A series with the values that its sums give.
    ///
    /// - Parameter exactROCAUC: Replaces the value from the histograms, where scores are at hand.
    init(
        name: String, sums: MetricSums, tracked: [String], positiveClass: Int?,
        exactROCAUC: Double?? = nil
    ) {
        self.name = name
        self.sums = sums
        values = []
        classValues = []
        for metric in tracked {
            var value = sums.value(metric, positiveClass: positiveClass)
            if metric == "roc_auc", name == MetricsSeries.modelName, let exactROCAUC {
                value = exactROCAUC
            }
            if let value, value.isFinite { values.append(MetricValue(metric, value)) }
            classValues += sums.classValues(metric)
        }
    }

    /// The name of the series that is not a baseline.
    package static let modelName = "model"

    package func value(_ name: String) -> Double? { values.first { $0.name == name }?.value }
}

/// A metric by name; never NaN or infinite.
package struct MetricValue: Sendable, Equatable {
    package let name: String
    package let value: Double

    package init(_ name: String, _ value: Double) {
        self.name = name
        self.value = value
    }
}

/// A metric of one class (by its code) or cluster.
package struct ClassMetricValue: Sendable, Equatable {
    package let name: String
    package let index: Int
    package let value: Double

    package init(_ name: String, index: Int, _ value: Double) {
        self.name = name
        self.index = index
        self.value = value
    }
}
