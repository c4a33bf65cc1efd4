// Method: an output that fails at chosen calls records the calls made; they must be exactly those
// that bring the same bytes out once.
import Core
import Engine
import State
import TestSupport
import Testing

@Suite("Commit cycle")
struct CommitCycleTests {
    private func request(isPart: Bool = false) -> CommitRequest {
        var buffer = OutputBuffer()
        let key: [UInt8] = [1]
        buffer.open(key: key.span, hasKey: true)
        buffer.content.append("value")
        buffer.close(.predictions, partition: 2)
        let position = InputPosition(
            partition: TopicPartition(topic: "in", partition: 2), nextOffset: 9)
        return CommitRequest(
            buffer: buffer, positions: isPart ? [] : [position], sequence: 1, recordCount: 1)
    }

    /// Runs one commit; returns its end and the waits on the way.
    private func run(
        _ cycle: inout CommitCycle, _ output: MemoryOutput, isPart: Bool = false,
        now: () -> Int64 = { 0 }
    ) -> (CommitProgress, waits: Int) {
        let request = request(isPart: isPart)
        cycle.start()
        var waits = 0
        for _ in 0..<1000 {
            switch cycle.step(request, on: output, now: now()) {
            case .again: continue
            case .wait: waits += 1
            case let end: return (end, waits)
            }
        }
        return (.again, waits)
    }

    @Test("an untroubled commit makes four calls")
    func plain() {
        let output = MemoryOutput()
        var cycle = CommitCycle(giveUpAfter: 1000)
        #expect(run(&cycle, output).0 == .committed)
        #expect(output.calls == [.begin, .send, .sendOffsets, .commit])
        #expect(output.committed.count == 1)
    }

    @Test("outputs ahead of their entry are written without offsets")
    func part() {
        let output = MemoryOutput()
        var cycle = CommitCycle(giveUpAfter: 1000)
        #expect(run(&cycle, output, isPart: true).0 == .committed)
        #expect(output.calls == [.begin, .send, .commit])
        #expect(output.positions.isEmpty)
    }

    @Test(
        "an abortable failure sends the same bytes again",
        arguments: [
            MemoryOutput.Call.send, .sendOffsets, .commit,
        ])
    func abortable(call: MemoryOutput.Call) {
        let output = MemoryOutput()
        var isFirst = true
        output.failure = {
            guard $0 == call, isFirst else { return nil }
            isFirst = false
            return .abortable("test")
        }
        var cycle = CommitCycle(giveUpAfter: 1000)
        let end = run(&cycle, output)
        #expect(end.0 == .committed)
        #expect(end.waits == 1, "it does not hammer the broker")
        #expect(output.calls.count { $0 == .abort } == 1)
        #expect(output.committed.count == 1)
    }

    @Test("a commit that failed and cannot be aborted may have happened: nothing is sent again")
    func refusedAbort() {
        let output = MemoryOutput()
        output.failure = {
            switch $0 {
            case .commit: .abortable("an error after the commit")
            case .abort: .abortable("not open")
            default: nil
            }
        }
        var cycle = CommitCycle(giveUpAfter: 1000)
        let end = run(&cycle, output).0
        #expect(end == .dropped(.fenced("whether it is committed, the journal tells: not open")))
        #expect(output.calls == [.begin, .send, .sendOffsets, .commit, .abort])
    }

    @Test("an abort that fails before a commit was asked for is left to a new epoch")
    func failedAbort() {
        let output = MemoryOutput()
        var isFirst = true
        output.failure = {
            switch $0 {
            case .sendOffsets where isFirst: return .abortable("test")
            case .abort:
                isFirst = false
                return .abortable("not open")
            default: return nil
            }
        }
        var cycle = CommitCycle(giveUpAfter: 1000)
        #expect(run(&cycle, output).0 == .committed)
        #expect(
            output.calls == [
                .begin, .send, .sendOffsets, .abort, .recreate, .begin, .send, .sendOffsets,
                .commit,
            ])
        #expect(output.committed.count == 1)
    }

    @Test("an uncertain commit is asked again, and a new epoch comes before the next")
    func uncertain() {
        let output = MemoryOutput()
        var left = 3
        output.failure = {
            guard $0 == .commit, left > 0 else { return nil }
            left -= 1
            return .uncertain("test")
        }
        var cycle = CommitCycle(giveUpAfter: 1000)
        #expect(run(&cycle, output).0 == .committed)
        #expect(output.calls == [.begin, .send, .sendOffsets, .commit, .commit, .commit, .commit])
        #expect(run(&cycle, output).0 == .committed)
        #expect(output.calls[7...] == [.recreate, .begin, .send, .sendOffsets, .commit])
    }

    @Test("a send that was cut off is aborted, never repeated in the same transaction")
    func uncertainSend() {
        let output = MemoryOutput()
        var isFirst = true
        output.partialSend = {
            defer { isFirst = false }
            return isFirst ? (records: 1, failure: .uncertain("test")) : nil
        }
        var cycle = CommitCycle(giveUpAfter: 1000)
        #expect(run(&cycle, output).0 == .committed)
        #expect(
            output.calls == [
                .begin, .send, .abort, .recreate, .begin, .send, .sendOffsets, .commit,
            ])
        #expect(output.committed.count == 1, "what was handed over before the failure is aborted")
    }

    @Test("a fenced task is dropped at once", arguments: MemoryOutput.Call.allCases)
    func fenced(call: MemoryOutput.Call) {
        let output = MemoryOutput()
        var first = true
        output.failure = {
            if $0 == call { return .fenced("test") }
            // Leads to an abort and to a new epoch.
            if $0 == .send, first, call == .abort || call == .recreate {
                first = false
                return call == .abort ? .abortable("test") : .uncertain("test")
            }
            return nil
        }
        var cycle = CommitCycle(giveUpAfter: 1000)
        if call == .recreate { _ = run(&cycle, output) }
        #expect(run(&cycle, output).0 == .dropped(.fenced("test")))
    }

    @Test("retrying ends after the bound, and says so")
    func bounded() {
        let output = MemoryOutput()
        output.failure = { $0 == .commit ? .uncertain("no answer") : nil }
        var cycle = CommitCycle(giveUpAfter: 1000)
        var clock: Int64 = 0
        let end = run(&cycle, output) {
            clock += 100
            return clock
        }
        #expect(end.0 == .dropped(.fatal("gave up after retrying for 1 s: no answer")))
    }
}
