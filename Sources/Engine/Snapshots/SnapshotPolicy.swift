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

/// How long restoring a task would take, from what was measured.
///
/// Replaying costs what computing live does, since it is the same code on the same batches. So the
/// time that a lane is busy for a task tells how long its records take again.
package struct RestoreEstimate: Sendable, Equatable {
    /// Bounds what is remembered, so that the estimate follows changes.
    private static let recordsRemembered: Double = 1_000_000
    /// A process starts, joins its group and fences its predecessor: not counted, but a moment of
    /// opening logs and reading the index is.
    private static let openingMilliseconds: Double = 100

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

    /// Notes how long a state of this size took to be stored; loading it takes no longer.
    package mutating func noteWrite(byteCount: Int, milliseconds: Int64) {
        writeMilliseconds = Double(max(1, milliseconds))
        bytesPerMillisecond = max(1, Double(byteCount) / writeMilliseconds)
    }

    /// The time of one record, in nanoseconds; 2 µs before anything was measured.
    package var nanosecondsPerRecord: Double {
        records < 1000 ? 2000 : max(20, busyNanoseconds / records)
    }

    /// How long a restore would take now: load a state of this size, replay these records.
    package func milliseconds(byteCount: Int, records: Int) -> Int64 {
        let load = byteCount == 0 ? 0 : Double(byteCount) / bytesPerMillisecond
        let replay = Double(records) * nanosecondsPerRecord / 1_000_000
        return Int64(Self.openingMilliseconds + load + replay)
    }

    /// The records after which a snapshot keeps a restore within a time.
    ///
    /// Half of what the time allows, because learning goes on while a snapshot is written and the
    /// journal's older half may be needed; and never so few that more than a fifth of the time
    /// would go into writing snapshots.
    package func recordsBetween(restoreWithin: Int64, byteCount: Int) -> Int {
        let load = Double(byteCount) / bytesPerMillisecond
        let allowed = (Double(restoreWithin) - Self.openingMilliseconds - load) / 2
        let wanted = max(allowed, 4 * writeMilliseconds, 20)
        let count = max(1000, Int(min(1e15, wanted * 1_000_000 / nanosecondsPerRecord)))
        return min(count, recordsBetweenMax)
    }
}
