/// The sums and counts behind a series' metrics.
package enum MetricSums: Sendable, Equatable {
    case classification(ClassificationSums)
    case regression(RegressionSums)
    case clustering(ClusteringSums)

    /// A metric by name; `nil` if it is undefined, or is one of classes or clusters.
    func value(_ metric: String, positiveClass: Int?) -> Double? {
        switch self {
        case .classification(let sums): sums.value(metric, positiveClass: positiveClass)
        case .regression(let sums): sums.value(metric)
        case .clustering(let sums): sums.value(metric)
        }
    }

    /// A metric of each class or cluster for which it is defined.
    func classValues(_ metric: String) -> [ClassMetricValue] {
        switch self {
        case .classification(let sums): sums.classValues(metric)
        case .regression: []
        case .clustering(let sums): sums.classValues(metric)
        }
    }

    /// - Precondition: both are of the same task.
    mutating func merge(_ addend: MetricSums, own: ClassMapping, other: ClassMapping) {
        switch (self, addend) {
        case (.classification(var sums), .classification(let addend)):
            sums.merge(addend, own: own, other: other)
            self = .classification(sums)
        case (.regression(var sums), .regression(let addend)):
            sums.merge(addend)
            self = .regression(sums)
        case (.clustering(var sums), .clustering(let addend)):
            sums.merge(addend)
            self = .clustering(sums)
        default:
            preconditionFailure("sums of different tasks do not merge")
        }
    }
}
