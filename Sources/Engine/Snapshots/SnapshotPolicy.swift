/// When a task's snapshot is due; its owner follows measurements with it.
package struct SnapshotPolicy: Sendable, Equatable {
    /// Records since the last snapshot that make one due.
    package var recordsBetween: Int
    /// With any record since the last one, the age in milliseconds that makes one due, so that an
    /// idle pipeline does not need input that its topic's retention deletes.
    package var ageMilliseconds: Int64
    /// The first pause after a failure, in milliseconds; doubles up to a minute.
    package var retryMilliseconds: Int64

    package init(
        recordsBetween: Int, ageMilliseconds: Int64 = 600_000, retryMilliseconds: Int64 = 1000
    ) {
        precondition(recordsBetween > 0, "recordsBetween must be positive, got \(recordsBetween)")
        self.recordsBetween = recordsBetween
        self.ageMilliseconds = ageMilliseconds
        self.retryMilliseconds = retryMilliseconds
    }
}

/// How long loading and replaying a task takes, from what was measured.
///
/// Replaying costs what computing live does, since it is the same code on the same batches. So the
/// time that a lane is busy for a task tells how long its records take again.
package struct RestoreEstimate: Sendable, Equatable {
    /// Bounds what is remembered, so that the estimate follows changes.
    private static let recordsRemembered: Double = 1_000_000

    /// The most records between snapshots, whatever the measurements allow.
    package var recordsBetweenMax: Int = .max

    private var busyNanoseconds: Double = 0
    private var records: Double = 0
    /// Reading, checking and decoding a state, in bytes per millisecond; slower than it should be
    /// until a snapshot was written or read.
    private var bytesPerMillisecond: Double = 50_000
    /// What storing the last snapshot took, in milliseconds.
    private var writeMilliseconds: Double = 0

    package init() {}

    /// Notes the time that a lane was busy with a task and the records that it took meanwhile.
    package mutating func note(busyNanoseconds nanoseconds: Int64, records count: Int) {
        busyNanoseconds += Double(nanoseconds)
        records += Double(count)
        if records > Self.recordsRemembered {
            busyNanoseconds /= 2
            records /= 2
        }
    }

    /// Notes how long a state of this size took to be stored, the time in which other tasks' states
    /// were not counted; loading it takes no longer.
    package mutating func noteWrite(byteCount: Int, milliseconds: Int64) {
        writeMilliseconds = Double(max(1, milliseconds))
        bytesPerMillisecond = max(1, Double(byteCount) / writeMilliseconds)
    }

    /// The time of one record, in nanoseconds; 2 µs before anything was measured.
    package var nanosecondsPerRecord: Double {
        records < 1000 ? 2000 : max(20, busyNanoseconds / records)
    }

    /// How long loading a state of this size takes.
    package func loadMilliseconds(byteCount: Int) -> Double {
        Double(byteCount) / bytesPerMillisecond
    }

    /// How long replaying these records takes, with nothing else on the lane.
    package func replayMilliseconds(records: Int) -> Double {
        Double(records) * nanosecondsPerRecord / 1_000_000
    }

    /// The records after which a snapshot keeps the replay within a time, in milliseconds.
    ///
    /// Half of what the time allows, because learning goes on while a snapshot is written and the
    /// journal's older half may be needed; and never so few that more than a fifth of the time
    /// would go into writing snapshots, however short the time is.
    package func recordsBetween(replayWithin milliseconds: Double) -> Int {
        let wanted = max(milliseconds / 2, 4 * writeMilliseconds, 20)
        let count = max(1000, Int(min(1e15, wanted * 1_000_000 / nanosecondsPerRecord)))
        return min(count, recordsBetweenMax)
    }
}
