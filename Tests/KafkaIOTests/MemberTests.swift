// Method: members of one group on a real broker; who is given what, and how fast after what.
import CPlatform
import Core
import KafkaIO
import State
import TestSupport
import Testing

@Suite(
    "Member",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct MemberTests {
    @Test(
        "two members share the journal's partitions; leaving hands over at once"
    )
    func handOver() throws {
        let pipeline = try TestPipeline.shared(partitions: 4)
        let first = try pipeline.member("a", session: 45_000)
        try first.subscribe()
        #expect(try #require(assignment(first)).partitions == [0, 1, 2, 3])
        let second = try pipeline.member("b", session: 45_000)
        try second.subscribe()

        var events: [String] = []
        var owned: [Int32] = []
        var others: [Int32] = []
        let shared = wait {
            first.poll(milliseconds: 5) { event in
                switch event {
                case .assigned(let partitions, _):
                    events.append("assigned")
                    owned = partitions
                case .revoked:
                    events.append("revoked")
                    owned = []
                default: events.append("\(event)")
                }
            }
            second.poll(milliseconds: 5) { event in
                if case .assigned(let partitions, _) = event { others = partitions }
            }
            return owned == [0, 1] && others == [2, 3]
        }
        #expect(shared, "\(owned) and \(others)")
        #expect(events == ["revoked", "assigned"])

        let start = tw_monotonic_nanoseconds()
        var left: [String] = []
        first.leave { left.append("\($0)") }
        #expect(left == ["revoked"])
        let taken = try #require(assignment(second, where: { $0.count == 4 }))
        #expect(taken.partitions == [0, 1, 2, 3])
        // The session would have lasted 45 s.
        #expect(tw_monotonic_nanoseconds() - start < 20_000_000_000)
        second.leave { _ in }
    }

    @Test("a static member that comes back gets its partitions without a rebalance")
    func restart() throws {
        let pipeline = try TestPipeline.shared(partitions: 2)
        let first = try pipeline.member("a", session: 30_000)
        try first.subscribe()
        let before = try #require(assignment(first))
        first.close(keepMembership: true) { _ in }
        let again = try pipeline.member("a", session: 30_000)
        try again.subscribe()
        let after = try #require(assignment(again))
        #expect(after.partitions == before.partitions)
        #expect(after.token.generation == before.token.generation)
        again.leave { _ in }
    }

    @Test("the older of two processes with one instance id is told to end")
    func instanceFenced() throws {
        let pipeline = try TestPipeline.shared()
        let first = try pipeline.member("same")
        try first.subscribe()
        let token = try #require(assignment(first)).token
        let second = try pipeline.member("same")
        try second.subscribe()
        _ = try #require(assignment(second))
        var isFenced = false
        // It is told after two sessions and a half, in which the other one has shown that it lives.
        _ = wait(seconds: 300) {
            first.poll(milliseconds: 20) { event in
                if case .instanceFenced = event { isFenced = true }
                if case .assigned = event { Issue.record("the older one is a member again") }
            }
            second.poll(milliseconds: 20) { event in
                if case .instanceFenced = event { Issue.record("the younger one ends, too") }
            }
            return isFenced
        }
        #expect(isFenced)

        // Its transactions are refused in the same words.
        let output = pipeline.output(token)
        try definite(output.initialize)
        try output.begin()
        let position = InputPosition(
            partition: TopicPartition(topic: pipeline.input, partition: 0), nextOffset: 1)
        let failed = failure { () throws(OutputFailure) in
            try output.sendOffsets([position], sequence: 1)
        }
        if case .instanceFenced? = failed {} else { Issue.record("\(String(describing: failed))") }
        first.close(keepMembership: true) { _ in }
        second.leave { _ in }
    }

    @Test("a replaced process loses its tasks at once, and has them back when the other goes")
    func replacedForAWhile() throws {
        let pipeline = try TestPipeline.shared(partitions: 1)
        let first = try pipeline.member("same", session: 30_000)
        try first.subscribe()
        _ = try #require(assignment(first))
        let second = try pipeline.member("same", session: 30_000)
        try second.subscribe()
        _ = try #require(assignment(second))
        var events: [String] = []
        let follow: (MemberEvent) -> Void = { event in
            switch event {
            case .assigned(let partitions, _): events.append("assigned \(partitions)")
            default: events.append("\(event)")
            }
        }
        let looks = wait {
            first.poll(milliseconds: 20, follow)
            second.poll(milliseconds: 20) { _ in }
            return pipeline.lines.contains("another member has this process's group instance id")
        }
        #expect(looks)
        #expect(events == ["lost"])
        second.leave { _ in }
        let isBack = wait {
            first.poll(milliseconds: 20, follow)
            return events.last?.hasPrefix("assigned") == true
        }
        #expect(isBack)
        #expect(events == ["lost", "assigned [0]"])
        first.leave { _ in }
    }

    @Test("a standby is assigned nothing, and takes over when the owner leaves")
    func standby() throws {
        let pipeline = try TestPipeline.shared(partitions: 1)
        let owner = try pipeline.member("a", session: 45_000)
        try owner.subscribe()
        #expect(try #require(assignment(owner)).partitions == [0])
        let standby = try pipeline.member("b", session: 45_000)
        try standby.subscribe()
        var given: [Int32]?
        let standing = wait {
            owner.poll(milliseconds: 5) { _ in }
            standby.poll(milliseconds: 5) { event in
                if case .assigned(let partitions, _) = event { given = partitions }
            }
            return given != nil
        }
        #expect(standing)
        #expect(given == [])
        owner.leave { _ in }
        #expect(try #require(assignment(standby, where: { !$0.isEmpty })).partitions == [0])
        standby.leave { _ in }
    }

    @Test("a member whose session times out here, but not there, joins anew")
    func lostSession() throws {
        let cluster = try KafkaCluster(proxied: true)
        let proxy = try NetworkProxy(routes: cluster.proxyRoutes)
        defer { proxy.end() }
        let bootstrap = cluster.proxyRoutes.map { "127.0.0.1:\($0.from)" }.joined(separator: ",")
        let direct = try TestPipeline(bootstrap: cluster.bootstrap)
        try direct.createTopics(partitions: 1)
        let member = try KafkaMember(
            settings: KafkaSettings(common: [TextPair("bootstrap.servers", bootstrap)]),
            groupID: direct.name, instanceID: "a", topics: [direct.input],
            journalTopic: direct.journal, sessionMilliseconds: 6000, log: direct.log)
        try member.subscribe()
        #expect(try #require(assignment(member)).partitions == [0])

        // Each heartbeat arrives in time for the broker, its answer too late for the member, which
        // then goes on with heartbeats that have no member's id until the loss is acknowledged. On a
        // busy machine the broker may lose the session too: provoked until it does not.
        for _ in 0..<10 where !direct.lines.contains("joining the group anew") {
            proxy.set(.slow(milliseconds: 3500))
            var events: [String] = []
            let isBack = wait(seconds: 300) {
                member.poll(milliseconds: 20) { event in
                    switch event {
                    case .lost:
                        events.append("lost")
                        proxy.set(.fair)
                        _ = tw_wait_readable(-1, 4000)
                    case .assigned(let partitions, _):
                        events.append("assigned \(partitions)")
                    default: events.append("\(event)")
                    }
                }
                return events.contains { $0.hasPrefix("assigned") || $0.hasPrefix("instance") }
            }
            #expect(isBack)
            #expect(events == ["lost", "assigned [0]"])
        }
        #expect(direct.lines.contains("joining the group anew"))
        member.leave { _ in }
    }
}
