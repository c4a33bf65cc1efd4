import Engine
import State

/// Follows the group's assignments as the service's control loop: starts tasks, keeps those that may
/// come back, ends the others.
extension SimulatedProcess {
    /// A new assignment: tasks that were kept go on if they can.
    func take(_ tasks: [Int], _ given: Membership) {
        for task in tasks {
            var seat = seats[task] ?? Seat()
            seat.isOwned = true
            seat.failures = 0
            if let sequence = seat.parkedSequence, let runner = seat.runner {
                runner.reclaim(given, sequence: sequence)
            } else {
                seat.restartAt = world.now
            }
            seat.parkedSequence = nil
            seats[task] = seat
        }
        for task in seats.keys.sorted() where seats[task]?.parkedSequence != nil {
            seats[task]?.parkedSequence = nil
            seats[task]?.runner?.cancel()
        }
    }

    /// The assignment is about to end: commits what is computed and keeps the tasks as they are,
    /// because the next assignment often gives them back.
    func giveUpAll() {
        if scenario.bug == .warmTaskKept || scenario.bug == .zombieInitializes { return dropAll() }
        membership = nil
        for task in seats.keys.sorted() where seats[task]?.isOwned == true {
            seats[task]?.isOwned = false
            seats[task]?.restartAt = nil
            guard let seat = seats[task], let runner = seat.runner else { continue }
            if seat.isLive, !seat.isRetiring {
                lane.finish(runner, keepsTask: true)
            } else {
                runner.cancel()
            }
        }
        state = .revoking(until: world.now + Int64(scenario.session / 4))
    }

    /// What is not committed in time is dropped.
    func dropUncommitted() {
        for task in seats.keys.sorted() {
            guard let seat = seats[task], seat.parkedSequence == nil, !seat.isOwned else {
                continue
            }
            seats[task]?.isLive = false
            seat.runner?.cancel()
        }
    }

    /// The assignment is gone: whatever is not committed never will be.
    func dropAll() {
        membership = nil
        for task in seats.keys.sorted() {
            seats[task]?.isOwned = false
            seats[task]?.restartAt = nil
            seats[task]?.parkedSequence = nil
            if scenario.bug == .warmTaskKept, seats[task]?.isLive == true {
                kept[task] = seats[task]?.runner?.task
            }
            seats[task]?.isLive = false
            seats[task]?.runner?.cancel()
        }
        state = .revoking(until: world.now + Int64(scenario.session / 4))
    }

    /// Ends the tasks that have fewer inputs than there are now, after a commit; they are restored
    /// with all of them.
    func growTasks() {
        guard scenario.mayGrow, world.now - lastLook >= 100 else { return }
        lastLook = world.now
        for task in seats.keys.sorted() {
            guard let seat = seats[task], seat.isLive, seat.isOwned, !seat.isRetiring,
                let runner = seat.runner, let all = refreshInputs(ofTask: task), isAlive,
                seats[task]?.runner === runner, runner.inputs.count < all.count
            else { continue }
            seats[task]?.isRetiring = true
            lane.finish(runner, keepsTask: false)
        }
    }

    func startDueTasks() {
        guard let membership else { return }
        for task in seats.keys.sorted() {
            guard var seat = seats[task], seat.isOwned, seat.runner == nil,
                let time = seat.restartAt, world.now >= time
            else { continue }
            seat.runner = SimulatedTask(
                process: self, index: task, membership: membership,
                warm: kept.removeValue(forKey: task))
            seat.restartAt = nil
            seat.isLive = false
            seat.isRetiring = false
            seats[task] = seat
        }
    }

    func finishRunners() {
        for task in seats.keys.sorted() {
            guard let runner = seats[task]?.runner, runner.isFinished else { continue }
            runner.close()
            seats[task]?.runner = nil
            seats[task]?.isLive = false
            seats[task]?.parkedSequence = nil
            if seats[task]?.isOwned == false { seats[task] = nil }
        }
    }

    func restartLater(_ task: Int) {
        guard var seat = seats[task], seat.isOwned else { return }
        seat.restartAt = world.now + min(2000, 20 << Int64(min(7, seat.failures)))
        seat.failures += 1
        seats[task] = seat
    }
}
