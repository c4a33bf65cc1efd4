import State

extension PipelineTask {
    /// What is known of the task's snapshots.
    package var snapshots: SnapshotKeeper { keeper }

    /// When snapshots are due; the owner follows its measurements with it.
    package var snapshotPolicy: SnapshotPolicy? {
        get { keeper.policy }
        set { keeper.policy = newValue }
    }

    /// Memory of the state, in bytes.
    package var stateBytes: Int { processor.stateBytes }

    /// Makes a snapshot due whatever the policy's numbers say, as before a planned stop.
    package func requestSnapshot() { keeper.request() }

    /// The next work for the task's snapshots, if there is any; one at a time.
    ///
    /// Asked for in each turn after ``takeCommit(now:force:)``: where nothing is uncommitted in
    /// memory, the state is that of an entry and can be captured. Learning goes on at once.
    package func takeSnapshotJob(now: Int64) -> SnapshotJob? {
        guard isLive else { return nil }
        let isAtBoundary = !building.hasWork && nextSequence > 0 && !announcesPositions
        return keeper.takeJob(now: now, isAtBoundary: isAtBoundary) { journalOffset in
            SnapshotCapture(
                state: processor.captureState(), fingerprint: processor.fingerprint, task: index,
                generation: generation, sequence: nextSequence - 1, inputs: log.partitions,
                nextOffsets: positions, journalOffset: journalOffset,
                settings: processor.settings)
        }
    }

    /// Takes the outcome of the job that was handed out last.
    package func snapshotJobDone(_ outcome: SnapshotOutcome, now: Int64) {
        keeper.jobDone(outcome, now: now)
    }

    /// The hash of a small state every 512 entries; a large one would stop learning for too long,
    /// and the hashes of its snapshots stand for it.
    func dueLearnedHash() -> LearnedHash? {
        guard nextSequence > 0, nextSequence % 512 == 0, processor.stateBytes <= 1 << 19 else {
            return nil
        }
        return LearnedHash(processor.learnedHash())
    }
}
