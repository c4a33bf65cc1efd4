// Method: verdicts for chosen positions; then pipelines on a real broker whose group's offsets are
// deleted or changed by Kafka's own tool between two runs.
import Core
import Engine
import Foundation
import KafkaIO
import Service
import State
import TestSupport
import Testing

@Suite("Offsets of the journal and the group")
struct OffsetReviewTests {
    private func review(
        _ committed: [Int64], first: [Int64] = [0, 0], trust: OffsetTrust? = nil,
        mayLag: Bool = false, evidence: CommitEvidence? = nil, remains: String? = nil
    ) -> OffsetReview {
        OffsetReview(
            task: 0, groupID: "g",
            inputs: committed.indices.map { TopicPartition(topic: "in", partition: Int32($0)) },
            committed: committed, firstOffsets: first, trust: trust, mayLag: mayLag,
            evidence: evidence, remains: remains)
    }

    /// Evidence with a prediction of the second input that reaches up to an offset.
    private func evidence(
        _ sequences: [UInt64?], reaching next: Int64 = 7, doubt: String? = nil
    ) -> CommitEvidence {
        CommitEvidence(
            sequences: sequences,
            outputs: [
                CommitEvidence.Output(
                    place: TopicPartition(topic: "out", partition: 1),
                    input: TopicPartition(topic: "in", partition: 1), nextOffset: next)
            ], doubt: doubt)
    }

    private func reason(_ verdict: OffsetReview.Verdict) -> String? {
        if case .refused(let why) = verdict { why } else { nil }
    }

    @Test("equal and absent offsets agree with the journal")
    func agreement() {
        #expect(review([5, 7]).verdict(sequence: 3, positions: [5, 7]) == .agreed(note: nil))
        #expect(review([-1, 7]).verdict(sequence: 3, positions: [0, 7]) == .agreed(note: nil))
        #expect(review([-1, -1]).verdict(sequence: 0, positions: [0, 0]) == .agreed(note: nil))
    }

    @Test("offsets that the group had and has not any more are told")
    func absence() {
        guard
            case .agreed(let note?) = review([-1, 7]).verdict(sequence: 3, positions: [5, 7])
        else {
            Issue.record("absent offsets are passed over in silence")
            return
        }
        #expect(note.contains("in[0]@5") && !note.contains("in[1]"), "\(note)")
        #expect(note.contains("made anew"), "\(note)")
    }

    @Test("a new version goes back to where outputs are certainly written, never on")
    func outputs() {
        #expect(review([5, -1]).withOutputs(upTo: [9, 7]) == [5, 7])
        #expect(review([12, 7]).withOutputs(upTo: [9, 7]) == [9, 7])
    }

    @Test("differing offsets are refused with both")
    func difference() {
        let after = reason(review([9, 7]).verdict(sequence: 3, positions: [5, 7]))
        #expect(after?.contains("in[0]@5") == true && after?.contains("in[0]@9") == true)
        #expect(after?.contains("--trust journal") == true)
        #expect(after?.contains("--trust offsets") == true)
        let before = reason(review([2, 7]).verdict(sequence: 3, positions: [5, 7]))
        #expect(before?.contains("--trust offsets") == false, "a model cannot go back")
    }

    @Test("offsets of the next transaction without its outputs: the journal says where to go on")
    func dividedTransaction() {
        for review in [
            review([9, 9], evidence: evidence([3, 3])),
            review([9, 7], evidence: evidence([3, 2])),
            review([9, 9], evidence: evidence([3, 3], reaching: 4)),
            review([9, 9], evidence: CommitEvidence(sequences: [3, 3], outputs: [])),
        ] {
            let verdict = review.verdict(sequence: 3, positions: [5, 7])
            guard case .agreed(let note?) = verdict else {
                Issue.record("\(verdict)")
                continue
            }
            #expect(note.contains("in[0]@9") && note.contains("transaction 3"), "\(note)")
        }
    }

    @Test("outputs beyond the journal's end are refused by name, and so are doubts")
    func outputsBeyond() {
        let beyond = reason(
            review([9, 9], evidence: evidence([3, 3], reaching: 8))
                .verdict(sequence: 3, positions: [5, 7]))
        #expect(beyond?.contains("out[1], which has outputs up to offset 8 of in[1]") == true)
        #expect(beyond?.contains("--trust journal") == true)
        #expect(beyond?.contains("--trust offsets") == true)
        let doubt = reason(
            review([9, 9], evidence: evidence([3, 3], doubt: "out[0] is empty"))
                .verdict(sequence: 3, positions: [5, 7]))
        #expect(doubt?.contains("cannot be told: out[0] is empty") == true)
    }

    @Test("offsets of no task, of another transaction or behind the journal are refused as ever")
    func changedByHand() {
        for sequences: [UInt64?] in [[nil, nil], [3, nil], [4, 4], [2, 3]] {
            let verdict = review([9, 9], evidence: evidence(sequences))
                .verdict(sequence: 3, positions: [5, 7])
            #expect(reason(verdict)?.contains("somebody changed") == true, "\(sequences)")
        }
        let behind = review([9, 6], evidence: evidence([3, 3]))
            .verdict(sequence: 3, positions: [5, 7])
        #expect(reason(behind)?.contains("somebody changed") == true)
        #expect(reason(review([9, 9]).verdict(sequence: 3, positions: [5, 7])) != nil)
    }

    @Test("an empty journal beside outputs is refused until somebody trusts it")
    func outputsWithoutJournal() {
        for trust: OffsetTrust? in [nil, .offsets] {
            let verdict = review([-1, 0], trust: trust, remains: "out[0] has predictions")
                .verdict(sequence: 0, positions: [0, 0])
            let why = reason(verdict)
            #expect(why?.contains("but out[0] has predictions") == true, "\(verdict)")
            #expect(why?.contains("--trust journal") == true, "\(verdict)")
        }
        let trusted = review([-1, 0], trust: .journal, remains: "out[0] has predictions")
        #expect(trusted.verdict(sequence: 0, positions: [0, 0]) == .agreed(note: nil))
    }

    @Test("at least once offsets may lag behind the journal, but not run ahead of it")
    func lagging() {
        let review = review([2, 7], mayLag: true)
        #expect(review.verdict(sequence: 3, positions: [5, 7]) == .agreed(note: nil))
        #expect(!review.confirmsOutputs(at: [5, 7]))
        #expect(review.confirmsOutputs(at: [2, 7]))
        #expect(
            reason(review.verdict(sequence: 3, positions: [1, 9]))?.contains("in[0]@2") == true)
    }

    @Test("trust decides, but never sends a model back")
    func trust() {
        let journal = review([9, 7], trust: .journal).verdict(sequence: 3, positions: [5, 7])
        guard case .agreed(.some) = journal else {
            Issue.record("\(journal)")
            return
        }
        let forward = review([9, -1], trust: .offsets).verdict(sequence: 3, positions: [5, 7])
        guard case .moveOn([9, 7], .some(let note)) = forward else {
            Issue.record("\(forward)")
            return
        }
        #expect(note.contains("up to 4 records"))
        let back = review([9, 6], trust: .offsets).verdict(sequence: 3, positions: [5, 7])
        #expect(reason(back)?.contains("cannot go back") == true)
    }

    @Test("an empty journal begins at the first offsets, unless the group was further")
    func empty() {
        let latest = review([-1, 0], first: [10, 20])
        #expect(latest.verdict(sequence: 0, positions: [10, 20]) == .agreed(note: nil))
        #expect(
            latest.verdict(sequence: 0, positions: [0, 0]) == .moveOn(to: [10, 20], note: nil),
            "only aborted entries: the logs were opened at their beginnings")
        let lost = review([4, -1])
        #expect(reason(lost.verdict(sequence: 0, positions: [0, 0]))?.contains("deleted") == true)
        let offsets = review([4, -1], trust: .offsets).verdict(sequence: 0, positions: [0, 0])
        guard case .moveOn([4, 0], .some) = offsets else {
            Issue.record("\(offsets)")
            return
        }
        let journal = review([4, -1], trust: .journal).verdict(sequence: 0, positions: [0, 0])
        guard case .moveOn([0, 0], .some) = journal else {
            Issue.record("\(journal)")
            return
        }
    }
}

@Suite(
    "Offsets changed between two runs",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)),
    .serialized)
struct ChangedOffsetTests {
    private func fixture() throws -> PipelineFixture {
        let fixture = try PipelineFixture("offsets", partitions: 1)
        try fixture.produce(0..<200)
        let running = fixture.start()
        try fixture.waitForPredictions(200)
        #expect(running.stop() == .stopped)
        return fixture
    }

    private func groups(_ fixture: PipelineFixture, _ words: [String]) throws {
        try KafkaCluster.tool(
            [
                "groups", "--bootstrap-server", fixture.cluster.bootstrap, "--group",
                fixture.pipeline.groupID, "--topic", "\(fixture.name):0",
            ] + words)
    }

    private func committedOffset(_ fixture: PipelineFixture) throws -> Int64 {
        let admin = try KafkaAdmin(
            settings: fixture.settings, groupID: fixture.pipeline.groupID, log: fixture.log)
        defer { admin.close() }
        return try admin.committedOffsets(
            of: fixture.pipeline.groupID, [TopicPartition(topic: fixture.name, partition: 0)])[0]
    }

    @Test("absent offsets are written again with the next transaction")
    func absent() throws {
        let fixture = try fixture()
        try groups(fixture, ["--delete-offsets"])
        #expect(try committedOffset(fixture) == -1)
        let running = fixture.start()
        try fixture.produce(200..<260)
        try fixture.waitForPredictions(260)
        #expect(running.stop() == .stopped)
        #expect(try committedOffset(fixture) == 260)
        #expect(try fixture.coverageProblem() == nil)
    }

    @Test("offsets that were set back stop the pipeline; the journal can be trusted")
    func setBack() throws {
        let fixture = try fixture()
        try groups(fixture, ["--reset-offsets", "--to-offset", "50", "--execute"])
        let refused = fixture.start().wait(seconds: 180)
        guard case .failed(let reason)? = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(reason.contains("[0]@200") && reason.contains("[0]@50"), "\(reason)")
        let running = fixture.start { $0.trust = .journal }
        try fixture.produce(200..<230)
        try fixture.waitForPredictions(230)
        #expect(running.stop() == .stopped)
        #expect(try committedOffset(fixture) == 230)
        #expect(try fixture.coverageProblem() == nil)
    }

    @Test("offsets that were set forward can be trusted: the records between are skipped for good")
    func setForward() throws {
        let fixture = try fixture()
        try fixture.produce(200..<300)
        try groups(fixture, ["--reset-offsets", "--to-offset", "250", "--execute"])
        let running = fixture.start { $0.trust = .offsets }
        try fixture.waitForPredictions(250)
        #expect(running.stop() == .stopped)
        #expect(fixture.said.contains { $0.contains("up to 50 records") })
        let keys = try fixture.committed(.predictions)[0].map {
            String(decoding: $0.key ?? [], as: UTF8.self)
        }
        #expect(keys == (Array(0..<200) + Array(250..<300)).map { "k\($0)" })
        // The journal knows: a later start needs no trust and replays to the same hashes.
        let again = fixture.start()
        try fixture.produce(300..<310)
        try fixture.waitForPredictions(260)
        #expect(again.stop() == .stopped)
    }

    @Test("a deleted journal is no new model in silence")
    func deletedJournal() throws {
        let fixture = try fixture()
        let admin = try KafkaAdmin(settings: fixture.settings, log: fixture.log)
        defer { admin.close() }
        try admin.delete(fixture.pipeline.output.journalTopic)
        try fixture.wait("the journal is gone") {
            try admin.partitionCount(of: fixture.pipeline.output.journalTopic) == nil
        }
        let refused = fixture.start().wait(seconds: 180)
        guard case .failed(let reason)? = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(reason.contains("deleted or emptied"), "\(reason)")
    }
}
