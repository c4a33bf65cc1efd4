/// The sums of squared distances, and the weight of each cluster.
package struct ClusteringSums: Sendable, Equatable {
    /// The weight of the records assigned to each cluster.
    package var sizes: [Double]
    /// Σ weight · squared distance to the assigned centre.
    package var squaredDistance: Double

    package init(sizes: [Double], squaredDistance: Double) {
        self.sizes = sizes
        self.squaredDistance = squaredDistance
    }

    func value(_ metric: String) -> Double? {
        let weight = sizes.reduce(0, +)
        guard weight > 0 else { return nil }
        switch metric {
        case "inertia": return squaredDistance
        case "mean_squared_distance": return squaredDistance / weight
        default: return nil
        }
    }

    func classValues(_ metric: String) -> [ClassMetricValue] {
        guard metric == "cluster_sizes" else { return [] }
        return sizes.indices.map { ClassMetricValue(metric, index: $0, sizes[$0]) }
    }

    /// Clusters are matched by their index: the sizes of several tasks' clusters add up by place.
    mutating func merge(_ addend: ClusteringSums) {
        for (index, size) in addend.sizes.enumerated() {
            if index < sizes.count { sizes[index] += size } else { sizes.append(size) }
        }
        squaredDistance += addend.squaredDistance
    }
}
