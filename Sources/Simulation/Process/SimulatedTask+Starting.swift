import Core
import Engine
import State

/// How a task starts, in the order that restoring needs: first the producer, which fences and settles
/// the predecessor, then the journal's end, then the snapshot, then the logs.
extension SimulatedTask {
    func initialize() {
        guard !isCancelled else { return endThread() }
        let bug = process.scenario.bug
        do throws(OutputFailure) {
            if bug == .noFenceFirst {
                phase = .opening
                return wakeThread(after: 0)
            }
            if process.scenario.asksEndWhileSettling || bug == .endReadCommitted {
                try output.fence()
                guard let ends = askJournalEnds() else { throw .uncertain("no answer") }
                guard process.isAlive else { return endThread() }
                journalEnds = ends
            }
            try output.initialize()
            guard process.isAlive else { return endThread() }
            phase = .opening
            wakeThread(after: 0)
        } catch {
            guard process.isAlive else { return endThread() }
            switch error {
            case .uncertain(let reason), .abortable(let reason):
                guard world.now - began < 20_000 else {
                    return fail(.fatal("gave up: cannot start the producer: \(reason)"))
                }
                wakeThread(after: 20)
            case .fenced(let reason), .broken(let reason): fail(.again(reason))
            case .instanceFenced(let reason): fail(.instanceFenced(reason))
            case .fatal(let reason): fail(.fatal(reason))
            }
        }
    }

    /// Where the journal begins, and the end of everything in it; not of what is committed only.
    func askJournalEnds() -> (start: Int64, end: Int64)? {
        let journal = process.broker.partition(.journal, index)
        let isCommittedOnly = process.scenario.bug == .endReadCommitted
        return process.network.request(from: process) {
            (Int64(journal.start), Int64(isCommittedOnly ? journal.stable : journal.end))
        }
    }

    /// Where the task stands on the log before it is restored.
    func open() {
        guard !isCancelled else { return endThread() }
        let broker = process.broker
        let index = index
        guard let inputs = process.refreshInputs(ofTask: index) else {
            return fail(.again("no answer"))
        }
        // The journal's ends are asked before and after the offsets: both are of one moment.
        guard let ends = journalEnds ?? askJournalEnds(),
            let committed = process.network.request(
                from: process, to: .group, { inputs.map { broker.group.offsets[$0] ?? -1 } })
        else { return fail(.again("no answer")) }
        if journalEnds == nil {
            guard askJournalEnds()?.end == ends.end else {
                return fail(.again("another process writes"))
            }
        }
        let starts = process.network.request(from: process) {
            inputs.map { Int64(broker.input($0).start) }
        }
        guard let starts else { return fail(.again("no answer")) }
        guard process.isAlive, !isCancelled else { return endThread() }
        self.inputs = inputs
        journalEnds = ends
        let names = inputs.map {
            TopicPartition(topic: SimulatedBroker.inputTopic, partition: Int32($0))
        }
        if process.scenario.bug == nil || process.scenario.bug == .inputsAtGroupOffsets {
            review =
                process.scenario.asksEndWhileSettling
                ? nil
                : OffsetReview(
                    task: index, groupID: "group", inputs: names, committed: committed,
                    firstOffsets: starts, trust: nil, mayLag: process.scenario.isAtLeastOnce)
        }
        if let warm {
            task = warm
            return handOver()
        }
        let journal = SimulatedInputLog(
            process: process,
            [
                (
                    TopicPartition(topic: SimulatedBroker.journalTopic, partition: Int32(index)),
                    broker.partition(.journal, index)
                )
            ], start: [TaskLoading.journalOffset(start: ends.start, end: ends.end)])
        let processor = process.scenario.learning.processor(
            task: index, sharesState: process.scenario.bug == .captureShared)
        self.journal = journal
        loadingProcessor = processor
        loading = TaskLoading(
            task: index, processor: processor, journal: journal, journalStart: ends.start,
            journalEnd: ends.end, confirmedEnd: output.confirmedEnd, store: store, inputs: names,
            startOffsets: starts,
            onLostInput: process.scenario.skipsLostInput ? .continueFromSnapshot : .stop)
        phase = .loading
        wakeThread(after: 0)
    }

    /// Finds the journal's last entry and loads the snapshot that it refers to, step by step.
    func load() {
        guard !isCancelled else { return endThread() }
        guard var current = loading else { return }
        let progress: TaskLoading.Progress
        do throws(TaskFailure) {
            progress = try current.step()
        } catch {
            guard process.isAlive else { return endThread() }
            if case .stateUnreachable(let reason) = error { return fail(.again(reason)) }
            return fail(.task(error))
        }
        guard process.isAlive else { return endThread() }
        loading = current
        switch progress {
        case .working: wakeThread(after: world.draw(0...1))
        case .waiting:
            guard world.now - began < 20_000 else { return fail(.again("the journal is silent")) }
            wakeThread(after: world.draw(1...4))
        case .done(let start): makeTask(start)
        }
    }

    func makeTask(_ start: TaskStart) {
        guard let processor = loadingProcessor, let journal, let ends = journalEnds else { return }
        let broker = process.broker
        world.note(.loaded, index, Int(start.nextSequence), start.loaded == nil ? 0 : 1)
        if !start.notes.isEmpty {
            world.note(.fellBack, index, Int(start.nextSequence))
            for note in start.notes { world.tell(note) }
            if !broker.damagedTasks[index], !start.hasLostInput {
                world.fail("task \(index) falls back, though nothing was damaged: \(start.notes)")
            }
        }
        if start.hasLostInput { review = review?.afterLostInput }
        var offsets = start.offsets
        if process.scenario.bug == .inputsAtGroupOffsets {
            for (place, input) in inputs.enumerated() {
                offsets[place] = broker.group.offsets[input] ?? offsets[place]
            }
        }
        let log = SimulatedInputLog(
            process: process,
            inputs.map {
                (
                    TopicPartition(topic: SimulatedBroker.inputTopic, partition: Int32($0)),
                    broker.input($0)
                )
            }, start: offsets)
        let scenario = process.scenario
        task = PipelineTask(
            index: index, processor: processor, log: log, start: start, journal: journal,
            journalEnd: ends.end, generation: output.generation,
            policy: CommitPolicy(
                idleInterval: scenario.idleInterval, busyInterval: scenario.busyInterval,
                roundLimit: scenario.roundLimit,
                guarantee: scenario.isAtLeastOnce ? .atLeastOnce : .exactlyOnce),
            snapshots: scenario.snapshots,
            batchLimit: scenario.batchLimit, waitLimit: scenario.waitLimit)
        handOver()
    }

    func handOver() {
        isHandedOver = true
        phase = .committing
        loading = nil
        process.lane.add(self)
    }

    // MARK: Coming back

    /// A new epoch ends whatever another owner has under way; then the journal's last entry tells
    /// whether the state that was kept is still the newest.
    func settleReclaim() {
        guard !isCancelled else { return endThread() }
        guard let (given, sequence) = reclaiming else { return }
        do throws(OutputFailure) {
            output.adopt(given)
            try output.recreate()
            guard process.isAlive else { return endThread() }
        } catch {
            guard process.isAlive else { return endThread() }
            switch error {
            case .uncertain(let reason), .abortable(let reason):
                guard world.now - began < 20_000 else {
                    return refuseReclaim(.fatal("gave up: cannot start the producer: \(reason)"))
                }
                return wakeThread(after: 20)
            case .fenced(let reason), .broken(let reason):
                return refuseReclaim(.again(reason))
            case .instanceFenced(let reason): return refuseReclaim(.instanceFenced(reason))
            case .fatal(let reason): return refuseReclaim(.fatal(reason))
            }
        }
        if isCancelled { return endThread() }
        let journal = process.broker.partition(.journal, index)
        let known = output.lastSequence
        let last = process.network.request(from: process) { journal.lastVisible }
        guard process.isAlive else { return endThread() }
        if isCancelled { return endThread() }
        guard let last else { return refuseReclaim(.again("no answer")) }
        let next = last.flatMap { try? JournalEntry(decoding: $0.value) }.map { $0.sequence + 1 }
        if known.map({ $0 + 1 }) ?? next ?? 0 != sequence, process.scenario.bug != .reclaimUnchecked
        {
            return refuseReclaim(.again("another process has had it meanwhile"))
        }
        membership = given
        reclaiming = nil
        process.lane.resume(self, generation: output.generation)
    }

    func refuseReclaim(_ failure: StartFailure) {
        reclaiming = nil
        process.lane.revoke(self)
        isCancelled = true
        endThread()
        process.startFailed(self, failure)
    }
}
