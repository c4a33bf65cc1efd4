import Core

/// The first records of a stream, kept until a start can be made with them.
struct Reservoir: Sendable {
    /// The most records.
    let capacity: Int
    let vectorCount: Int
    private(set) var vectors: [Lanes] = []
    private(set) var weights: [Double] = []
    /// Event times, in milliseconds.
    private(set) var times: [Int64] = []

    init(capacity: Int, vectorCount: Int) {
        self.capacity = capacity
        self.vectorCount = vectorCount
    }

    var count: Int { weights.count }
    var isFull: Bool { count == capacity }

    var stateBytes: Int { vectors.count * MemoryLayout<Lanes>.stride + 16 * count }

    /// - Precondition: there is room.
    mutating func append(_ x: Span<Lanes>, weight: Double, time: Int64) {
        precondition(count < capacity, "more than \(capacity) records")
        for index in x.indices { vectors.append(x[index]) }
        weights.append(weight)
        times.append(time)
    }

    /// The records with their missing values replaced by the mean of the column; 0 without any.
    func filled() -> [Lanes] {
        var result = vectors
        for place in 0..<vectorCount {
            for lane in 0..<laneCount {
                var sum = 0.0
                var present = 0.0
                for row in 0..<count {
                    let value = vectors[row * vectorCount + place][lane]
                    guard value.isFinite else { continue }
                    // A running mean, so that no sum overflows.
                    present += 1
                    sum += value / present - sum / present
                }
                for row in 0..<count where !vectors[row * vectorCount + place][lane].isFinite {
                    result[row * vectorCount + place][lane] = sum
                }
            }
        }
        return result
    }
}

extension Reservoir {
    func encode(to encoder: inout StateEncoder) {
        encoder.write(vectors)
        encoder.write(weights)
        encoder.write(times)
    }

    init(
        from decoder: inout StateDecoder, capacity: Int, vectorCount: Int
    ) throws(StateError) {
        self.init(capacity: capacity, vectorCount: vectorCount)
        vectors = try decoder.readLanes()
        weights = try decoder.readDoubles()
        times = try decoder.readIntegers(Int64.self)
        guard
            count <= capacity, times.count == count, vectors.count == count * vectorCount,
            weights.allSatisfy({ $0 > 0 && $0.isFinite })
        else { throw .invalidValue("\(count) records of a start do not fit together") }
    }
}
