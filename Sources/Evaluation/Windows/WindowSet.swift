import Core

/// Which of the last records each window holds.
///
/// All windows share one ring of slots; the evaluators keep what they need of a record in arrays
/// of their own, one element per slot. A window of records holds the last *n*. A window of time
/// holds those in (highest − w, highest]; a record that comes late may leave before others that
/// came earlier, so late ones wait in a small heap of their own.
///
/// - Complexity: O(1) amortised time per record and window, O(log late records) for a late one.
///   Memory for the records of the widest window, at most ``EvaluationSettings/windowRecordsLimit``.
struct WindowSet: Sendable, Equatable {
    let extents: [Extent]
    /// The number of windows.
    let count: Int
    /// The records in each window.
    private(set) var counts: [Int]
    /// The records that each window of time forgot because the ring was full.
    private(set) var truncated: [Int]
    /// The sequence number of the oldest record that some window may hold.
    private(set) var start = 0
    /// The sequence number that the next record gets.
    private(set) var end = 0

    private let limit: Int
    /// The sequence number at which each window's records begin.
    private var heads: [Int]
    private var times: [Int64]
    /// 1 if an earlier record has a higher time.
    private var isLate: [UInt8]
    private var lateRecords: [LateRecordHeap]
    private var highestEvaluated = Int64.min

    /// - Parameter limit: The most slots; a power of two.
    init(_ extents: [Extent], limit: Int = EvaluationSettings.windowRecordsLimit) {
        precondition(limit > 0 && limit & (limit - 1) == 0, "limit \(limit) is no power of two")
        self.extents = extents
        count = extents.count
        self.limit = limit
        counts = [Int](repeating: 0, count: extents.count)
        truncated = counts
        heads = counts
        lateRecords = [LateRecordHeap](repeating: LateRecordHeap(), count: extents.count)
        let widest = extents.map { if case .records(let count) = $0 { count } else { 1024 } }.max()
        var slots = 1
        while slots < min(widest ?? 1, limit) { slots *= 2 }
        times = [Int64](repeating: 0, count: slots)
        isLate = [UInt8](repeating: 0, count: slots)
    }

    /// The slots of the ring, a power of two.
    var slotCount: Int { times.count }
    /// Whether a record must leave, or the ring grow, before the next can come.
    var isFull: Bool { end &- start == times.count }
    /// Whether the ring may not grow further.
    var isAtLimit: Bool { times.count == limit }

    @inline(__always)
    func slot(_ sequence: Int) -> Int { sequence & (times.count &- 1) }

    /// Takes one record that must leave out of a window, and returns its slot; −1 when there is
    /// none.
    ///
    /// - Parameter makesRoom: Whether a record is about to come, so that a full window of records
    ///   loses its oldest. Before each ``append(_:highest:)``, call it with this until it is −1.
    @inline(__always)
    mutating func nextExpired(_ window: Int, highest: Int64, makesRoom: Bool) -> Int {
        switch extents[window] {
        case .records(let limit):
            guard makesRoom, counts[window] == limit else { return -1 }
            counts[window] &-= 1
            heads[window] &+= 1
            return slot(heads[window] &- 1)
        case .time(let span):
            return nextOlder(window, than: Self.threshold(highest, span))
        }
    }

    private mutating func nextOlder(_ window: Int, than threshold: Int64) -> Int {
        while let late = lateRecords[window].first, late.time <= threshold {
            lateRecords[window].removeFirst()
            if late.sequence < start { continue }
            counts[window] &-= 1
            return slot(late.sequence)
        }
        while heads[window] < end {
            let position = slot(heads[window])
            // A late record is preceded by one with a higher time, so nothing after it is older.
            guard times[position] <= threshold else { return -1 }
            heads[window] &+= 1
            if isLate[position] == 0 {
                counts[window] &-= 1
                return position
            }
        }
        return -1
    }

    /// Frees the slots that no window holds any more.
    mutating func release() {
        var oldest = end
        for head in heads { oldest = min(oldest, head) }
        start = oldest
    }

    /// Takes the oldest record out of a window because its slot is needed; −1 if it is not there.
    mutating func nextForced(_ window: Int, highest: Int64) -> Int {
        guard heads[window] == start, start < end else { return -1 }
        let position = slot(start)
        heads[window] &+= 1
        if case .time(let span) = extents[window],
            times[position] <= Self.threshold(highest, span)
        {
            return -1
        }
        counts[window] &-= 1
        truncated[window] &+= 1
        return position
    }

    /// Whether a window takes a record of this time.
    @inline(__always)
    func admits(_ window: Int, _ time: Int64, highest: Int64) -> Bool {
        switch extents[window] {
        case .records: true
        case .time(let span): time > Self.threshold(highest, span)
        }
    }

    /// Adds a record to the ring and to the windows that admit it, and returns its slot.
    @inline(__always)
    mutating func append(_ time: Int64, highest: Int64) -> Int {
        let position = slot(end)
        times[position] = time
        let late = time < highestEvaluated
        isLate[position] = late ? 1 : 0
        highestEvaluated = max(highestEvaluated, time)
        for window in extents.indices {
            if admits(window, time, highest: highest) {
                counts[window] &+= 1
                if late, case .time = extents[window] {
                    lateRecords[window].insert(LateRecord(time: time, sequence: end))
                }
            } else if !late {
                // Too old already, and so is everything before it: the window begins after it.
                heads[window] = end &+ 1
            }
        }
        end &+= 1
        return position
    }

    /// The slots of a window's records, oldest arrival first; right after the expired have left.
    func slots(_ window: Int, highest: Int64) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(counts[window])
        for sequence in min(heads[window], end)..<end {
            let position = slot(sequence)
            if admits(window, times[position], highest: highest) { result.append(position) }
        }
        return result
    }

    /// Doubles the ring; every array with an element per slot must follow through ``regrown``.
    mutating func grow() {
        times = Self.regrown(times, from: start, to: end, fill: 0)
        isLate = Self.regrown(isLate, from: start, to: end, fill: 0)
    }

    /// A ring of twice the slots with the same records, `stride` elements to each.
    static func regrown<Element>(
        _ ring: [Element], from start: Int, to end: Int, stride: Int = 1, fill: Element
    ) -> [Element] {
        guard stride > 0 else { return [] }
        let slots = ring.count / stride
        var larger = [Element](repeating: fill, count: 2 * ring.count)
        for sequence in start..<end {
            let old = (sequence & (slots - 1)) * stride
            let new = (sequence & (2 * slots - 1)) * stride
            for index in 0..<stride { larger[new + index] = ring[old + index] }
        }
        return larger
    }

    @inline(__always)
    private static func threshold(_ highest: Int64, _ span: Int64) -> Int64 {
        let (threshold, overflow) = highest.subtractingReportingOverflow(span)
        return overflow ? .min : threshold
    }
}

// MARK: - State

extension WindowSet {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("windows", version: 1)
        for values in [counts, truncated, heads] { encoder.write(values) }
        for value in [start, end, slotCount] { encoder.write(value) }
        encoder.write(highestEvaluated)
        for sequence in start..<end {
            encoder.write(times[slot(sequence)])
            encoder.write(isLate[slot(sequence)])
        }
        for heap in lateRecords {
            encoder.write(heap.records.map(\.time))
            encoder.write(heap.records.map(\.sequence))
        }
    }

    /// Reads the state of windows with the same extents.
    init(_ extents: [Extent], from decoder: inout StateDecoder) throws(StateError) {
        self.init(extents)
        _ = try decoder.section("windows", through: 1)
        counts = try decoder.readIntegers(Int.self)
        truncated = try decoder.readIntegers(Int.self)
        heads = try decoder.readIntegers(Int.self)
        guard [counts.count, truncated.count, heads.count].allSatisfy({ $0 == extents.count })
        else { throw .invalidValue("stored windows are not those of the settings") }
        start = try decoder.readInt(in: 0...Int(Int64.max), "the windows' start")
        end = try decoder.readInt(in: start...Int(Int64.max), "the windows' end")
        let slots = try decoder.readInt(in: 1...limit, "the windows' slots")
        guard slots & (slots - 1) == 0, end - start <= slots, heads.allSatisfy({ $0 >= start })
        else { throw .invalidValue("stored windows hold \(end - start) records in \(slots) slots") }
        times = [Int64](repeating: 0, count: slots)
        isLate = [UInt8](repeating: 0, count: slots)
        highestEvaluated = try decoder.readInt64()
        for sequence in start..<end {
            times[slot(sequence)] = try decoder.readInt64()
            isLate[slot(sequence)] = try decoder.readInteger(UInt8.self)
        }
        for window in extents.indices {
            let lateTimes = try decoder.readIntegers(Int64.self)
            let sequences = try decoder.readIntegers(Int.self)
            guard lateTimes.count == sequences.count else { throw .truncated }
            for (time, sequence) in zip(lateTimes, sequences) {
                lateRecords[window].insert(LateRecord(time: time, sequence: sequence))
            }
        }
    }
}
