// Method: what is seen of a group, at times that the test makes up, and the verdict on it.
import Testing

@testable import KafkaIO

@Suite("Fenced instance")
struct FencedInstanceTests {
    private static let second: Int64 = 1_000_000_000

    @Test("nobody holds the id: it joins anew, at once or when the other is gone")
    func nobody() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000)
        #expect(fenced.verdict(on: .nobody, at: 0) == .joinAnew)
        #expect(fenced.verdict(on: .member("a"), at: 0) == .wait)
        #expect(fenced.verdict(on: .nobody, at: Self.second) == .joinAnew)
    }

    @Test("one member that lasts longer than two sessions and a half is another process")
    func another() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000)
        #expect(fenced.patience == 25 * Self.second)
        for time in 0...25 {
            #expect(fenced.verdict(on: .member("a"), at: Int64(time) * Self.second) == .wait)
        }
        #expect(fenced.verdict(on: .member("a"), at: 25 * Self.second + 1) == .replaced)
    }

    @Test("another member's time, and that after a look without an answer, begins anew")
    func anew() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000)
        #expect(fenced.verdict(on: .member("a"), at: 0) == .wait)
        #expect(fenced.verdict(on: .member("b"), at: 20 * Self.second) == .wait)
        #expect(fenced.verdict(on: .member("b"), at: 40 * Self.second) == .wait)
        #expect(fenced.verdict(on: .unknown, at: 41 * Self.second) == .wait)
        #expect(fenced.verdict(on: .member("b"), at: 60 * Self.second) == .wait)
        #expect(fenced.verdict(on: .member("b"), at: 85 * Self.second) == .wait)
        #expect(fenced.verdict(on: .member("b"), at: 86 * Self.second) == .replaced)
    }
}
