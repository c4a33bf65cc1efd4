import Engine
import KafkaIO
import State

/// Follows what lanes, committers and starting threads tell.
extension ControlLoop {
    mutating func handleNews() {
        for item in news.take() {
            switch item {
            case .lane(let event): follow(event)
            case .startFailed(let task, let failure): follow(failure, of: task)
            case .committer(let task, .retrying(let reason)):
                log.say(
                    .warning, "commits are retried: \(reason); nothing is lost meanwhile",
                    [("task", "\(task)")])
            case .committer(let task, .recovered):
                log.say(.info, "commits go on", [("task", "\(task)")])
            case .loading(let task, .progress(let bytes, let total)):
                var progress = RestoreProgress(isDone: false)
                (progress.loadedBytes, progress.loadBytes) = (bytes, total)
                seats[task]?.progress = progress
                tellProgress(task)
            case .loading(let task, .done(let snapshot, let notes)):
                seats[task]?.loaded = snapshot
                for note in notes { log.say(.warning, note, [("task", "\(task)")]) }
            }
        }
    }

    private mutating func follow(_ item: SnapshotNews, of task: Int) {
        guard let seat = seats[task] else { return }
        let name = ("task", "\(task)")
        switch item {
        case .written(let reference, let milliseconds):
            log.say(
                .debug, "snapshot written",
                [
                    name, ("sequence", "\(reference.sequence)"),
                    ("bytes", "\(reference.byteCount)"), ("milliseconds", "\(milliseconds)"),
                ])
            if seat.cannotSnapshot { log.say(.info, "snapshots are written again", [name]) }
            seats[task]?.cannotSnapshot = false
        case .failed(let error):
            guard !seat.cannotSnapshot else { return }
            seats[task]?.cannotSnapshot = true
            log.say(
                .warning,
                "a snapshot could not be written: \(error.reason); nothing is lost, but until one "
                    + "is, a restart takes longer; trying again", [name])
        case .trimmed: seats[task]?.cannotTrim = false
        case .trimFailed(let error):
            guard !seat.cannotTrim else { return }
            seats[task]?.cannotTrim = true
            log.say(
                .warning,
                "what is not needed any more cannot be deleted: \(error.reason); the topics of "
                    + "journal and state grow until this user may delete records of them (DELETE)",
                [name])
        }
    }

    private mutating func follow(_ event: LaneEvent) {
        switch event {
        case .restoring(let task, let progress):
            seats[task]?.progress = progress
            seats[task]?.restoredRecords += progress.records
            tellProgress(task)
        case .snapshot(let task, let item): follow(item, of: task)
        case .live(let task, let sequence, let note):
            seats[task]?.runner?.closeJournal()
            // The embedded cluster keeps no offsets, so that nothing is amiss there.
            if let note, !parts.options.isEmbedded {
                log.say(.warning, note, [("task", "\(task)")])
            }
            let words = sequence == 0 ? "task started" : "task restored"
            var fields = [("sequence", "\(sequence)")]
            if let loaded = seats[task]?.loaded {
                fields.append(("snapshot", "\(loaded.sequence)"))
                fields.append(("snapshot_bytes", "\(loaded.byteCount)"))
            }
            fields.append(("replayed_records", "\(seats[task]?.restoredRecords ?? 0)"))
            wentLive(task, words, fields)
        case .resumed(let task):
            wentLive(task, "task goes on where it stood", [])
        case .parked(let task, let sequence):
            seats[task]?.parkedSequence = sequence
            seats[task]?.isLive = false
        case .released(let task, let reason):
            seats[task]?.runner?.laneReleased()
            seats[task]?.isLive = false
            follow(reason, of: task)
        }
    }

    private mutating func wentLive(_ task: Int, _ words: String, _ fields: [(String, String)]) {
        guard let seat = seats[task], seat.isOwned else { return }
        seats[task]?.isLive = true
        seats[task]?.failures = 0
        seats[task]?.refusals = 0
        seats[task]?.trouble = nil
        let seconds = Double(monotonicMilliseconds() - seat.restoreStarted) / 1000
        log.say(.info, words, [("task", "\(task)")] + fields + [("seconds", "\(seconds)")])
    }

    private mutating func follow(_ reason: ReleaseReason, of task: Int) {
        switch reason {
        case .drained(let isLost):
            if isLost {
                log.say(
                    .error,
                    "ended before its model was stored again, so that no snapshot of it exists any "
                        + "more: the next start replays the whole journal, if it has its beginning; "
                        + "else restore the state topic, or use `tidewheel state reset` to begin a "
                        + "new model where this one ended", [("task", "\(task)")])
            }
            // It made room for itself with more inputs.
            if seats[task]?.isOwned == true { seats[task]?.restartAt = monotonicMilliseconds() }
        case .revoked: break
        case .refused(let why): refuse(task, why)
        case .failed(.otherInputs(let named)) where isBehind(task, named):
            retry(task, "its journal names partitions that this process does not see yet")
        case .failed(.stateUnreachable(let why)): retry(task, why)
        case .failed(.overtaken): retry(task, TaskFailure.overtaken.message)
        case .failed(let failure): outcome = outcome ?? .failed("task \(task): \(failure.message)")
        case .dropped(.instanceFenced(let why)):
            askAgainWhoOwns(task, why)
        case .dropped(.broken(let why)): replaceProducer(task, why)
        case .dropped(.fatal(let why)): outcome = outcome ?? .failed("task \(task): \(why)")
        case .dropped(.fenced(let why)), .dropped(.uncertain(let why)),
            .dropped(.abortable(let why)):
            guard !isStopping, seats[task]?.isOwned == true else { return }
            log.say(
                .warning, "dropped (\(why)); restoring it from its journal", [("task", "\(task)")])
            restartLater(task)
        }
    }

    /// Whether a task's journal was written with more partitions than this process knows; not for
    /// ever: the topic may have been made anew with fewer.
    private func isBehind(_ task: Int, _ named: [TopicPartition]) -> Bool {
        guard let seat = seats[task], let inputs = seat.runner?.inputs else { return false }
        return named.count > inputs.count && Array(named.prefix(inputs.count)) == inputs
            && seat.failures < 8
    }

    private mutating func follow(_ failure: TaskRunner.StartFailure, of task: Int) {
        switch failure {
        case .again(let reason): retry(task, reason)
        case .fatal(let reason): outcome = outcome ?? .failed("task \(task): \(reason)")
        case .instanceFenced(let reason): askAgainWhoOwns(task, reason)
        case .broken(let reason): replaceProducer(task, reason)
        case .task(let failure): follow(.failed(failure), of: task)
        }
    }

    /// A process that was overtaken in the middle of its start sees journal and offsets of two
    /// moments. Its next start fences the other one first, and looks at the outputs, too; what does
    /// not fit then is for a person.
    private mutating func refuse(_ task: Int, _ why: String) {
        let refusals = (seats[task]?.refusals ?? 0) + 1
        seats[task]?.refusals = refusals
        if refusals < 3 {
            retry(task, "journal, outputs and offsets of the group do not fit")
        } else {
            outcome = outcome ?? .failed(why)
        }
    }

    /// A producer that breaks is replaced with the task; what breaks it again and again needs a person.
    private mutating func replaceProducer(_ task: Int, _ why: String) {
        let now = monotonicMilliseconds()
        let limit = parts.options.giveUpAfter
        let breaks = (seats[task]?.breaks ?? []).filter { now - $0 < limit } + [now]
        seats[task]?.breaks = breaks
        guard breaks.count <= Self.breaksMax else {
            outcome =
                outcome
                ?? .failed("task \(task): \(why) (\(breaks.count) times in \(limit / 1000) s)")
            return
        }
        guard !isStopping, seats[task]?.isOwned == true else { return }
        log.say(
            .warning, "its producer broke (\(why)); restoring it from its journal",
            [("task", "\(task)")])
        restartLater(task)
    }

    /// How often a task's producer may break until the process gives up.
    private static let breaksMax = 5

    /// After a lost session this process itself may have replaced the member that a commit names; the
    /// membership tells within a heartbeat whether it was another one.
    private mutating func askAgainWhoOwns(_ task: Int, _ reason: String) {
        guard !isStopping, seats[task]?.isOwned == true else { return }
        retry(task, reason)
        seats[task]?.restartAt = monotonicMilliseconds() + 2500
    }

    private mutating func retry(_ task: Int, _ reason: String) {
        guard !isStopping, let seat = seats[task], seat.isOwned else { return }
        if seat.trouble != reason {
            seats[task]?.trouble = reason
            log.say(.warning, "not started yet: \(reason); trying again", [("task", "\(task)")])
        }
        restartLater(task)
    }

    /// Says once a second how far a restore is and how long it will take.
    private mutating func tellProgress(_ task: Int) {
        let now = monotonicMilliseconds()
        guard let seat = seats[task], let progress = seat.progress,
            now - lastProgressLine >= 1000, now - seat.restoreStarted >= 1000
        else { return }
        lastProgressLine = now
        if progress.loadBytes > 0 {
            log.say(
                .info, "loading the snapshot",
                [
                    ("task", "\(task)"),
                    ("percent", "\(progress.loadedBytes * 100 / progress.loadBytes)"),
                    ("bytes", "\(progress.loadBytes)"),
                ])
            return
        }
        let restoring = RestoringTask(
            task: task, share: progress.share, milliseconds: now - seat.restoreStarted)
        var fields = [
            ("task", "\(task)"), ("percent", "\(Int(restoring.share * 100))"),
            ("replayed_records", "\(seat.restoredRecords)"),
        ]
        if let left = restoring.millisecondsLeft {
            fields.append(("seconds_left", "\(left / 1000)"))
        }
        log.say(.info, "restoring", fields)
    }
}
