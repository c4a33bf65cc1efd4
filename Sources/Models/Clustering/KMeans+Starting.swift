import Core

extension KMeans {
    /// Picks centres among the collected records by k-means++, then learns the records in order.
    mutating func begin() {
        let points = start.filled()
        let rows = start.count
        var distances = [Double](repeating: 1, count: rows)
        for cluster in 0..<k {
            let row = draw(distances)
            centres += points[(row * vectorCount)..<((row + 1) * vectorCount)]
            for other in 0..<rows {
                let distance = Self.distance(points.span, other, row, vectorCount)
                distances[other] = cluster == 0 ? distance : min(distances[other], distance)
            }
        }
        resetWeights()
        let records = start
        start = Reservoir(capacity: records.capacity, vectorCount: vectorCount)
        for row in 0..<rows {
            let range = (row * vectorCount)..<((row + 1) * vectorCount)
            let x = records.vectors.span.extracting(range)
            absorb(x, records.weights[row], records.times[row], carefulNearest(x))
        }
    }

    /// A collected record, by chance proportional to its weight times a square of distance.
    private mutating func draw(_ distances: [Double]) -> Int {
        var total = 0.0
        for row in distances.indices { total += start.weights[row] * distances[row] }
        guard total > 0, total.isFinite else { return random.next(below: distances.count) }
        let threshold = random.nextUnit() * total
        var sum = 0.0
        for row in distances.indices {
            sum += start.weights[row] * distances[row]
            if sum > threshold { return row }
        }
        return distances.count - 1
    }

    private static func distance(
        _ points: Span<Lanes>, _ a: Int, _ b: Int, _ width: Int
    ) -> Double {
        var sum = Lanes.zero
        for index in 0..<width {
            let difference = points[a * width + index] - points[b * width + index]
            sum += LinearWeights.bounded(difference * difference, by: 1e280)
        }
        return sum.folded
    }
}
