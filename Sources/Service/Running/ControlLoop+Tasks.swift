import Engine
import KafkaIO
import State
import Synchronization

/// Follows the group's assignments: starts tasks, keeps those that may come back, ends the others.
extension ControlLoop {
    /// How long a revoked assignment is held for commits that are under way, in milliseconds.
    private static let revokeLimit: Int64 = 3000

    mutating func follow(_ event: MemberEvent) {
        switch event {
        case .assigned(let partitions, let token): take(partitions.map(Int.init), token)
        // Followed inside the poll.
        case .revoked, .lost: break
        case .instanceFenced(let reason): outcome = .instanceFenced(reason)
        case .failed(let error):
            if error.kind == .unauthorised || error.kind == .unauthenticated {
                outcome = .failed("\(error)")
            } else {
                log.say(.error, "\(error)")
            }
        }
    }

    /// Why a group has nothing to give to anybody: the topic that it is assigned by is gone.
    ///
    /// A broker may not know a topic yet that was just created, so it is asked for a while.
    private func lostJournal() -> String? {
        let topic = parts.pipeline.output.journalTopic
        let end = monotonicMilliseconds() + 10_000
        let pause = Wakeup()
        repeat {
            do throws(KafkaError) {
                guard try parts.admin.partitionCount(of: topic, milliseconds: 2000) == nil else {
                    return nil
                }
            } catch {
                return nil
            }
            pause.wait(milliseconds: 200)
        } while monotonicMilliseconds() < end
        return "topic \(topic) does not exist any more; it tells what the model has learned from; "
            + "start again to be told what can be done"
    }

    private mutating func take(_ assigned: [Int], _ token: GroupToken) {
        self.token = token
        let taskCount = parts.watch.layout.taskCount
        let tasks = assigned.filter { $0 < taskCount }
        log.say(
            .info, tasks.isEmpty ? "standing by" : "assigned",
            [
                ("tasks", tasks.map(String.init).joined(separator: ",")),
                ("of", "\(taskCount)"), ("generation", "\(token.generation)"),
            ])
        if tasks.isEmpty {
            if let reason = lostJournal() { outcome = .failed(reason) }
            parts.standbyCheck.request()
        }
        for task in tasks {
            var seat = seats[task] ?? Seat()
            seat.isOwned = true
            seat.failures = 0
            seat.trouble = nil
            if let sequence = seat.parkedSequence, let runner = seat.runner {
                seat.restoreStarted = monotonicMilliseconds()
                runner.reclaim(token, sequence: sequence)
            } else {
                seat.restartAt = monotonicMilliseconds()
            }
            seat.parkedSequence = nil
            seats[task] = seat
        }
        for (task, seat) in seats where seat.parkedSequence != nil {
            seats[task]?.parkedSequence = nil
            seat.runner?.cancel()
        }
    }

    /// The assignment is about to end: commits what is computed and keeps the tasks as they are,
    /// because the next assignment often gives them back. What is not committed in time is dropped.
    mutating func giveUpAll() {
        token = nil
        let owned = seats.filter { $0.value.isOwned }
        guard !owned.isEmpty else { return }
        log.say(.info, "revoked")
        for (task, seat) in owned {
            seats[task]?.isOwned = false
            seats[task]?.restartAt = nil
            if seat.isLive, !seat.isRetiring { seat.runner?.park() } else { seat.runner?.cancel() }
        }
        wait(milliseconds: Self.revokeLimit) { loop in
            loop.seats.values.allSatisfy { $0.runner == nil || $0.parkedSequence != nil }
        }
        for (task, seat) in seats where seat.parkedSequence == nil && !seat.isOwned {
            seats[task]?.isLive = false
            seat.runner?.cancel()
        }
    }

    /// The assignment is gone: whatever is not committed never will be.
    mutating func dropAll() {
        token = nil
        let owned = seats.filter { $0.value.isOwned || $0.value.parkedSequence != nil }
        guard !owned.isEmpty else { return }
        log.say(
            .warning,
            "the assignment was lost, because the group did not hear of this process in time; its "
                + "tasks are restored where the group gives them next, nothing is lost")
        for (task, seat) in owned {
            seats[task]?.isOwned = false
            seats[task]?.restartAt = nil
            seats[task]?.parkedSequence = nil
            seats[task]?.isLive = false
            seat.runner?.cancel()
        }
        // Not waited for here: until this is acknowledged the member is neither in the group nor
        // out of it. The next start of each task waits for its end.
    }

    /// Goes on with the tasks' news until a condition holds or the time is over.
    mutating func wait(milliseconds: Int64, until done: (borrowing ControlLoop) -> Bool) {
        let began = monotonicMilliseconds()
        let pause = Wakeup()
        while !done(self), monotonicMilliseconds() - began < milliseconds {
            pause.wait(milliseconds: 2)
            handleNews()
            finishRunners()
        }
    }

    mutating func startDueTasks() {
        guard let token else { return }
        let now = monotonicMilliseconds()
        for task in seats.keys.sorted() {
            guard var seat = seats[task], seat.isOwned, seat.runner == nil,
                let time = seat.restartAt, now >= time
            else { continue }
            let news = news
            let runner = TaskRunner(
                index: task, token: token, wasRefused: seat.refusals > 0,
                lane: lanes[task % lanes.count],
                surroundings: TaskRunner.Surroundings(
                    pipeline: parts.pipeline, settings: parts.settings, admin: parts.admin,
                    reader: parts.reader, log: parts.kafkaLog, policy: policy,
                    options: parts.options, watch: parts.watch,
                    snapshots: parts.snapshots, chunks: parts.chunks,
                    onLoading: { news.add(.loading(task: $0, $1)) },
                    onStartFailure: { news.add(.startFailed(task: $0, $1)) },
                    onCommitterNews: { news.add(.committer(task: $0, $1)) }))
            seat.runner = runner
            seat.restartAt = nil
            seat.isLive = false
            seat.isRetiring = false
            seat.progress = nil
            seat.restoredRecords = 0
            seat.loaded = nil
            seat.restoreStarted = now
            seats[task] = seat
            runner.start()
        }
    }

    /// Frees the tasks that no thread touches any more.
    mutating func finishRunners() {
        for task in seats.keys.sorted() {
            guard let runner = seats[task]?.runner, runner.isFinished else { continue }
            runner.close()
            seats[task]?.runner = nil
            seats[task]?.isLive = false
            seats[task]?.parkedSequence = nil
            if seats[task]?.isOwned == false {
                seats[task] = nil
            } else if seats[task]?.restartAt == nil {
                // What its end has to say may come a turn later, and sets another time. One that was
                // taken away and given back in between has nothing to say.
                seats[task]?.restartAt = monotonicMilliseconds() + 1000
            }
        }
    }

    /// Starts a task again after a while, doubling from 100 ms to 10 s.
    mutating func restartLater(_ task: Int) {
        guard var seat = seats[task], seat.isOwned else { return }
        let pause: Int64 = min(10_000, 100 << Int64(min(7, seat.failures)))
        seat.failures += 1
        seat.restartAt = monotonicMilliseconds() + pause
        seats[task] = seat
    }

    /// Has the tasks write a snapshot whose last one was found to be gone.
    mutating func storeLostStates() {
        let live = seats.filter { $0.value.isLive && $0.value.isOwned }
        parts.snapshotWatch.follow(live.compactMapValues { $0.runner?.gauge })
        for task in parts.snapshotWatch.takeLost() { live[task]?.runner?.storeState() }
    }

    /// The lane whose tasks take longest to be restored, and how long; lanes do it side by side.
    var slowestRestore: (lane: Int, milliseconds: Int64) {
        var slowest: (lane: Int, milliseconds: Int64) = (0, 0)
        for (index, lane) in lanes.enumerated() {
            let time = lane.restoreMilliseconds.load(ordering: .relaxed)
            if time > slowest.milliseconds { slowest = (index, time) }
        }
        return slowest
    }

    /// Says that a restart would take too long, once for each time that it becomes so.
    mutating func tellRestoreTimes() {
        let wanted = parts.pipeline.state.restoreWithin
        let (lane, time) = slowestRestore
        guard isRestartSlow || time > max(2 * wanted, 2000) else { return }
        let isSlow = time > wanted
        if isSlow, !isRestartSlow {
            let tasks = seats.keys.sorted().filter { lanes[$0 % lanes.count] === lanes[lane] }
            log.say(
                .warning,
                "a restart would take about \(time / 1000) s to restore these tasks on their core, more "
                    + "than state.restore_within asks for; snapshots are not written, or take long, "
                    + "or the tasks are too many for a core",
                [("tasks", tasks.map(String.init).joined(separator: ","))])
        } else if !isSlow {
            log.say(.info, "a restart is quick again")
        }
        isRestartSlow = isSlow
    }

    /// Ends the tasks that have fewer inputs than there are now, after a commit; they are restored
    /// with all of them.
    mutating func growTasks() {
        let layout = parts.watch.layout
        for (task, seat) in seats where seat.isLive && seat.isOwned && !seat.isRetiring {
            // One whose model stands in memory alone goes on with what it has until it is stored.
            guard let runner = seat.runner, !parts.snapshotWatch.isLost(task),
                runner.inputs.count < layout.inputs(ofTask: task).count
            else { continue }
            seats[task]?.isRetiring = true
            runner.retire()
        }
    }
}
