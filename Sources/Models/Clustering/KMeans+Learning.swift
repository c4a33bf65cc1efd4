package import Core

extension KMeans {
    /// The cluster of a row and the squared distance to its centre.
    struct Hit {
        var cluster = -1
        var distance = Double.nan
    }

    package func predict(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        for row in range { Self.write(nearest(rows, row), row, into: &predictions) }
    }

    package mutating func learn(_ rows: borrowing Rows, _ range: Range<Int>) {
        for row in range { learn(rows, row, nearest(rows, row)) }
    }

    package mutating func predictAndLearn(
        _ rows: borrowing Rows, _ range: Range<Int>, into predictions: inout Predictions
    ) {
        var row = range.lowerBound
        while row < range.upperBound {
            if decay == .none, hasCentres {
                row = Self.plainSteps(
                    rows, row..<range.upperBound, &centres, &counts, vectorCount,
                    into: &predictions)
                if row == range.upperBound { return }
            }
            let hit = nearest(rows, row)
            Self.write(hit, row, into: &predictions)
            learn(rows, row, hit)
            row += 1
        }
    }

    @inline(__always)
    private static func write(_ hit: Hit, _ row: Int, into predictions: inout Predictions) {
        predictions.setLabel(row, Int32(truncatingIfNeeded: hit.cluster))
        predictions.setValue(row, hit.distance)
    }

    /// Predicts and learns rows without decay, until one has a missing value or overflows.
    ///
    /// - Returns: The first row that was not taken.
    private static func plainSteps(
        _ rows: borrowing Rows, _ range: Range<Int>, _ centres: inout [Lanes],
        _ counts: inout [Double], _ width: Int, into predictions: inout Predictions
    ) -> Int {
        precondition(rows.vectorsPerRow >= width, "the rows are narrower than the layout")
        let stride = rows.vectorsPerRow
        let vectors = rows.vectors
        let weights = rows.weights
        var centre = centres.mutableSpan
        var count = counts.mutableSpan
        for row in range {
            let x = vectors.extracting((row &* stride)..<(row &* stride &+ width))
            let hit = nearest(x, centre.span, count.count)
            guard hit.distance < .infinity else { return row }
            write(hit, row, into: &predictions)
            let weight = weights[row]
            guard weight > 0 else { continue }
            let sum = count[hit.cluster] + weight
            count[hit.cluster] = sum
            let share = weight / sum
            let base = hit.cluster &* width
            for index in x.indices {
                let old = centre[base &+ index]
                centre[base &+ index] = old + (x[index] - old) * share
            }
        }
        return range.upperBound
    }

    /// The nearest of all centres; the distance is infinite if a value is missing.
    @inline(__always)
    private static func nearest(_ x: Span<Lanes>, _ centres: Span<Lanes>, _ k: Int) -> Hit {
        let width = x.count
        precondition(centres.count == k &* width, "the centres differ from the layout")
        var best = 0
        var shortest = Double.infinity
        if width == 1 {
            let point = x[0]
            for cluster in 0..<k {
                let difference = point - centres[cluster]
                let distance = (difference * difference).folded
                if distance < shortest {
                    shortest = distance
                    best = cluster
                }
            }
        } else {
            for cluster in 0..<k {
                let centre = centres.extracting((cluster &* width)..<(cluster &* width &+ width))
                var sum = Lanes.zero
                for index in x.indices {
                    let difference = x[index] - centre[index]
                    sum += difference * difference
                }
                let distance = sum.folded
                if distance < shortest {
                    shortest = distance
                    best = cluster
                }
            }
        }
        return Hit(cluster: best, distance: shortest)
    }

    private func nearest(_ rows: borrowing Rows, _ row: Int) -> Hit {
        guard hasCentres else { return Hit() }
        let x = rows.vectors.extracting(rowVectors(rows, row))
        let hit = Self.nearest(x, centres.span, k)
        return hit.distance < .infinity ? hit : carefulNearest(x)
    }

    private func rowVectors(_ rows: borrowing Rows, _ row: Int) -> Range<Int> {
        precondition(rows.vectorsPerRow >= vectorCount, "the rows are narrower than the layout")
        let start = row * rows.vectorsPerRow
        return start..<(start + vectorCount)
    }

    /// The nearest centre over the values that are there; none if there is no value.
    func carefulNearest(_ x: Span<Lanes>) -> Hit {
        let present = presentCount(x)
        guard present > 0 else { return Hit() }
        let scale = Double(layout.columns.count) / Double(present)
        var best = Hit(cluster: 0, distance: .infinity)
        for cluster in 0..<k {
            var sum = Lanes.zero
            for index in x.indices {
                let centre = centres[cluster * vectorCount + index]
                let difference = (x[index] - centre)
                    .replacing(with: 0.0, where: .!Self.isPresent(x[index]))
                sum += LinearWeights.bounded(difference * difference, by: 1e290)
            }
            let distance = sum.folded * scale
            if distance < best.distance { best = Hit(cluster: cluster, distance: distance) }
        }
        return best
    }

    private func presentCount(_ x: Span<Lanes>) -> Int {
        var count = 0
        for column in 0..<layout.columns.count
        where x[column / laneCount][column % laneCount].isFinite {
            count += 1
        }
        return count
    }

    @inline(__always)
    private static func isPresent(_ x: Lanes) -> SIMDMask<SIMD8<Int64>> {
        (x - x) .== Lanes.zero
    }

    // MARK: - Learning

    private mutating func learn(_ rows: borrowing Rows, _ row: Int, _ hit: Hit) {
        let weight = rows.weights[row]
        guard weight > 0 else { return }
        let x = rows.vectors.extracting(rowVectors(rows, row))
        if hasCentres {
            absorb(x, weight, rows.eventTimes[row], hit)
        } else if presentCount(x) > 0 {
            start.append(x, weight: weight, time: rows.eventTimes[row])
            if start.isFull { begin() }
        }
    }

    /// Lets a centre take in a record.
    mutating func absorb(_ x: Span<Lanes>, _ weight: Double, _ time: Int64, _ hit: Hit) {
        guard hit.cluster >= 0 else { return }
        fade(to: time)
        let cluster = hit.cluster
        counts[cluster] += weight
        let share = weight / counts[cluster]
        for index in x.indices {
            let old = centres[cluster * vectorCount + index]
            let moved = old + (x[index] - old) * share
            let taken = Self.isPresent(x[index]) .& Self.isPresent(moved)
            centres[cluster * vectorCount + index] = old.replacing(with: moved, where: taken)
        }
        if decay != .none {
            vitality[cluster] = min(vitality[cluster] + weight, 1e300)
            reviveWeakest()
        }
    }

    /// Lowers all weights for one more record, or for the event time that passed.
    private mutating func fade(to time: Int64) {
        let factor: Double
        switch decay {
        case .none:
            return
        case .records(let halfLife):
            factor = (-0.693147180559945309417 / halfLife).exponential
        case .time(let halfLife):
            let latest = latestTime ?? time
            latestTime = max(latest, time)
            guard time > latest else { return }
            let span = Double(time) - Double(latest)
            factor = (-0.693147180559945309417 * (span / halfLife)).exponential
        }
        for cluster in 0..<k {
            counts[cluster] *= factor
            vitality[cluster] *= max(factor, 0.5)
        }
    }

    /// Revives the weakest centre if its vitality fell below 1e-8 of the strongest's.
    ///
    /// It moves beside the strongest, and the two share that one's records: they part by a
    /// ten-millionth of each coordinate (at least 1e-7), in random directions, and take half its
    /// weight each. At most one centre is revived per record, and silence alone kills none: a
    /// single record halves the others' vitality at most, however much time has passed.
    mutating func reviveWeakest() {
        var weakest = 0
        var strongest = 0
        for cluster in 1..<max(1, k) {
            if vitality[cluster] < vitality[weakest] { weakest = cluster }
            if vitality[cluster] > vitality[strongest] { strongest = cluster }
        }
        guard vitality[weakest] < 1e-8 * vitality[strongest] else { return }
        for column in 0..<layout.columns.count {
            let place = column / laneCount
            let lane = column % laneCount
            let old = centres[strongest * vectorCount + place][lane]
            let size = 1e-7 * max(abs(old), 1)
            let shift = random.next() >> 63 == 0 ? size : -size
            centres[weakest * vectorCount + place][lane] = old + shift
            centres[strongest * vectorCount + place][lane] = old - shift
        }
        for cluster in [weakest, strongest] {
            counts[cluster] = cluster == weakest ? 0.5 * counts[strongest] : counts[weakest]
            vitality[cluster] = cluster == weakest ? 0.5 * vitality[strongest] : vitality[weakest]
        }
    }
}

// MARK: - State

extension KMeans {
    package func encode(to encoder: inout StateEncoder) {
        encoder.section(Self.declaration.name, version: 1)
        layout.encode(to: &encoder)
        encoder.write(k)
        switch decay {
        case .none:
            encoder.write(0 as UInt8)
        case .records(let halfLife):
            encoder.write(1 as UInt8)
            encoder.write(halfLife)
        case .time(let halfLife):
            encoder.write(2 as UInt8)
            encoder.write(halfLife)
        }
        encoder.write(givenCentres)
        random.encode(to: &encoder)
        encoder.write(centres)
        encoder.write(counts)
        encoder.write(vitality)
        encoder.write(optional: latestTime) { $0.write($1) }
        start.encode(to: &encoder)
    }

    package init(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section(Self.declaration.name, through: 1)
        layout = try ColumnLayout(from: &decoder)
        k = try decoder.readInt(in: 1...1000, "k")
        vectorCount = layout.vectorsPerRow
        guard vectorCount > 0 else { throw .invalidValue("k-means has no columns") }
        switch try decoder.readInteger(UInt8.self) {
        case 0: decay = .none
        case 1: decay = .records(try decoder.readSize("a half-life"))
        case 2: decay = .time(try decoder.readSize("a half-life"))
        case let other: throw .invalidValue("a decay is \(other)")
        }
        givenCentres = try decoder.readLanes()
        random = try SplitMix64(from: &decoder)
        centres = try decoder.readLanes()
        counts = try decoder.readDoubles()
        vitality = try decoder.readDoubles()
        latestTime = try decoder.readOptional { (decoder) throws(StateError) in
            try decoder.readInt64()
        }
        start = try Reservoir(
            from: &decoder, capacity: max(100, 10 * k), vectorCount: vectorCount)
        let sizes = [givenCentres.count, centres.count]
        guard sizes.allSatisfy({ $0 == 0 || $0 == k * vectorCount }) else {
            throw .invalidValue("there are \(centres.count) vectors for \(k) centres")
        }
        let expected = centres.isEmpty ? 0 : k
        guard counts.count == expected, vitality.count == expected, !start.isFull else {
            throw .invalidValue("there are \(counts.count) weights for \(expected) centres")
        }
    }
}
