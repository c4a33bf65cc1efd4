import Engine
import KafkaIO

extension ControlLoop {
    /// Stops intake, commits what is computed, leaves the group, within `shutdown_within`.
    mutating func shutDown() -> PipelineOutcome {
        let began = monotonicMilliseconds()
        let limit = parts.pipeline.delivery.shutdownWithin
        isStopping = true
        log.say(.info, "stopping")
        if outcome == nil {
            // In an outage a short wait shows whether it is just over.
            let wait = parts.kafkaLog.isOutage ? min(500, limit / 8) : limit / 8
            lookForLostStates(deadline: began + wait)
            // Half of the time may go into snapshots; the rest is for a slow group and broker.
            for lane in lanes { lane.drain(deadline: began + limit / 2) }
        }
        for seat in seats.values where outcome != nil || !seat.isLive { seat.runner?.cancel() }
        // A margin for leaving the group.
        let margin = min(1000, limit / 4)
        let deadline = began + limit - margin
        while !isQuiet, monotonicMilliseconds() < deadline {
            parts.member.poll(milliseconds: 0) { event in
                // Commits that are under way belong to the assignment that is about to end.
                if case .revoked = event {
                    wait(milliseconds: min(3000, deadline - monotonicMilliseconds())) {
                        $0.isQuiet
                    }
                }
            }
            parts.reader.serve()
            wait(milliseconds: 2) { $0.isQuiet }
        }
        let isLate = !isQuiet
        for seat in seats.values { seat.runner?.cancel() }
        for lane in lanes { lane.stop() }
        if parts.options.keepsMembership {
            parts.member.close(keepMembership: true) { _ in }
        } else {
            parts.member.leave(milliseconds: Int(max(100, min(5000, margin)))) { _ in }
        }
        if let outcome { return outcome }
        log.say(
            isLate ? .warning : .info, isLate ? "stopped late" : "stopped",
            [("milliseconds", "\(monotonicMilliseconds() - began)")])
        return isLate ? .stoppedLate : .stopped
    }

    /// Has the snapshots looked after once more: one that somebody has deleted since the last look
    /// would be missed too late.
    private mutating func lookForLostStates(deadline: Int64) {
        guard !parts.options.isEmbedded, seats.values.contains(where: \.isLive) else { return }
        storeLostStates()
        let watch = parts.snapshotWatch
        let begun = watch.begunLooks
        while !watch.isAnswered(after: begun), monotonicMilliseconds() < deadline {
            parts.watch.hurry()
            wait(milliseconds: min(200, deadline - monotonicMilliseconds())) { _ in
                watch.isAnswered(after: begun)
            }
        }
        storeLostStates()
        if !watch.isAnswered(after: begun) {
            log.say(
                .warning,
                "it is not known whether the snapshots are still there, because Kafka does not "
                    + "answer: look at them with `tidewheel state verify`")
        }
    }
}
