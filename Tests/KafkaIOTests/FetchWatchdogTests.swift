// Method: the watchdog is shown what partitions do, second by second; on a real broker a partition
// whose fetch is stopped must come back without loss or repetition once it is assigned anew.
import KafkaIO
import State
import TestSupport
import Testing

@Suite("Fetch watchdog")
struct FetchWatchdogTests {
    private let partition = TopicPartition(topic: "in", partition: 0)

    private func progress(
        fetched: Int64 = 10, polls: Int, end: Int64? = 20, told: Int64
    ) -> FetchProgress {
        FetchProgress(
            partition: partition, position: fetched, fetchedOffset: fetched, emptyPolls: polls,
            stableEnd: end, endToldAt: told)
    }

    @Test("lag without progress is told after the limit, and again after another")
    func stall() {
        var watchdog = FetchWatchdog(limit: 30_000)
        var told: [Int64] = []
        for second in Int64(0)...65 {
            let now = second * 1000
            let found = watchdog.stalled([progress(polls: Int(second), told: now)], now: now)
            if !found.isEmpty { told.append(second) }
        }
        #expect(told == [30, 60])
    }

    @Test("progress, no lag, silence of the leader and an owner that does not ask are no stalls")
    func others() {
        var moving = FetchWatchdog(limit: 3000)
        var drained = FetchWatchdog(limit: 3000)
        var outage = FetchWatchdog(limit: 3000)
        var blocked = FetchWatchdog(limit: 3000)
        var unknown = FetchWatchdog(limit: 3000)
        for second in Int64(0)...20 {
            let now = second * 1000
            let polls = Int(second)
            let one = progress(fetched: 10 + second / 2, polls: polls, end: 100, told: now)
            #expect(moving.stalled([one], now: now).isEmpty)
            #expect(drained.stalled([progress(polls: polls, end: 10, told: now)], now: now).isEmpty)
            let silent = progress(polls: polls, told: min(now, 2000))
            let isQuiet = outage.stalled([silent], now: now).isEmpty
            #expect(isQuiet == (second != 3 && second != 6))
            #expect(blocked.stalled([progress(polls: 7, told: now)], now: now).isEmpty)
            #expect(
                unknown.stalled([progress(polls: polls, end: nil, told: now)], now: now).isEmpty)
        }
    }

    @Test(
        "reading anew in full flow loses and repeats nothing",
        .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
    func refetchInFlow() throws {
        let pipeline = try TestPipeline.shared()
        try pipeline.feed((0..<1000).map { "\($0)" })
        let reader = try pipeline.reader()
        let input = TopicPartition(topic: pipeline.input, partition: 0)
        let log = try reader.openLog([(input, 0)], wake: -1)
        for round in 0..<10 {
            #expect(try read(log, count: 100) == (0..<100).map { "\(100 * round + $0)" })
            reader.refetch(input)
            log.release(0, 100)
        }
        try reader.close(log)
        reader.close()
    }

    @Test(
        "a partition that gives nothing goes on once it is read anew",
        .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
    func refetch() throws {
        let pipeline = try TestPipeline.shared()
        try pipeline.feed((0..<100).map { "\($0)" })
        let reader = try pipeline.reader()
        let input = TopicPartition(topic: pipeline.input, partition: 0)
        let log = try reader.openLog([(input, 0)], wake: -1)
        #expect(try read(log, count: 100).count == 100)
        log.release(0, 60)
        reader.forget(input)
        try pipeline.feed((100..<150).map { "\($0)" })
        let known = wait {
            reader.wakeFetcher(milliseconds: 1000)
            return reader.stableEnds[input] == 150
        }
        #expect(known)
        var watchdog = FetchWatchdog(limit: 300)
        var now: Int64 = 0
        var refetches = 0
        let came = try wait {
            reader.serve()
            reader.wakeFetcher(milliseconds: 1000)
            try log.poll(0, upTo: 1000)
            now += 10
            let shown = reader.progress().map { one in
                FetchProgress(
                    partition: one.partition, position: one.position,
                    fetchedOffset: one.fetchedOffset, emptyPolls: one.emptyPolls,
                    stableEnd: one.stableEnd, endToldAt: now)
            }
            for stalled in watchdog.stalled(shown, now: now) {
                #expect(stalled.lag == 90)
                refetches += 1
                reader.refetch(stalled.partition)
            }
            return log.queuedCount(0) >= 90
        }
        #expect(came)
        #expect(refetches > 0, "the fetch was stopped, and nothing else starts it again")
        #expect(values(log) == (60..<150).map { "\($0)" })
        try reader.close(log)
        reader.close()
    }
}
