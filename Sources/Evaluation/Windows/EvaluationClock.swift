import Core

/// Counts records, follows event time, and knows when the next report is due.
struct EvaluationClock: Sendable, Equatable {
    private(set) var records = 0
    var evaluated = 0
    var unlabelled = 0
    var unpredicted = 0
    /// The highest event time seen; meaningless before the first record.
    private(set) var highestTime = Int64.min
    /// Whether a multiple of `every` was crossed since the last report.
    private(set) var isReportDue = false
    /// The count or time that makes the next report due; −1 in records if time decides.
    private let everyRecords: Int
    private let everyTime: Int64
    private var nextTime = Int64.max

    init(every: Extent) {
        switch every {
        case .records(let count): (everyRecords, everyTime) = (count, 0)
        case .time(let milliseconds): (everyRecords, everyTime) = (0, milliseconds)
        }
    }

    /// Takes note of a record and its event time.
    @inline(__always)
    mutating func see(_ time: Int64) {
        records &+= 1
        if time > highestTime { advance(to: time) }
    }

    private mutating func advance(to time: Int64) {
        highestTime = time
        guard everyTime > 0, records == 1 || time >= nextTime else { return }
        if records > 1 { isReportDue = true }
        // The smallest multiple above `time`, also for times before 1970.
        var remainder = time % everyTime
        if remainder < 0 { remainder += everyTime }
        let (next, overflow) = time.addingReportingOverflow(everyTime - remainder)
        nextTime = overflow ? .max : next
    }

    /// Takes note of a measured record.
    @inline(__always)
    mutating func countEvaluated() {
        evaluated &+= 1
        if everyRecords > 0, evaluated % everyRecords == 0 { isReportDue = true }
    }

    mutating func reported() { isReportDue = false }
}

extension EvaluationClock {
    func encode(to encoder: inout StateEncoder) {
        for value in [records, evaluated, unlabelled, unpredicted] { encoder.write(value) }
        encoder.write(highestTime)
        encoder.write(nextTime)
        encoder.write(isReportDue)
    }

    mutating func decode(from decoder: inout StateDecoder) throws(StateError) {
        records = try decoder.readInt()
        evaluated = try decoder.readInt()
        unlabelled = try decoder.readInt()
        unpredicted = try decoder.readInt()
        highestTime = try decoder.readInt64()
        nextTime = try decoder.readInt64()
        isReportDue = try decoder.readBool()
    }
}
