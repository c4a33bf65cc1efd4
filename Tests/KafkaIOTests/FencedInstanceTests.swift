// Method: what is seen of a group, at times that the test makes up, and the verdict on it.
import Testing

@testable import KafkaIO

@Suite("Fenced instance")
struct FencedInstanceTests {
    private static let second: Int64 = 1_000_000_000
    private static let news = FencedInstance.Verdict.wait(isNews: true)
    private static let wait = FencedInstance.Verdict.wait(isNews: false)

    @Test("nobody holds the id: it joins anew, at once or when the other is gone")
    func nobody() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000, decides: true)
        #expect(fenced.verdict(on: .nobody, at: 0) == .joinAnew)
        #expect(fenced.verdict(on: .member("a"), at: 0) == Self.news)
        #expect(fenced.verdict(on: .nobody, at: Self.second) == .joinAnew)
    }

    @Test("one member that lasts longer than two sessions and a half is another process")
    func another() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000, decides: true)
        #expect(fenced.patience == 25 * Self.second)
        #expect(fenced.verdict(on: .member("a"), at: 0) == Self.news)
        for time in 1...25 as ClosedRange<Int64> {
            #expect(fenced.verdict(on: .member("a"), at: time * Self.second) == Self.wait)
        }
        #expect(fenced.verdict(on: .member("a"), at: 25 * Self.second + 1) == .replaced)
    }

    @Test("of several groups that two processes share, the one that decides ends one of them first")
    func severalGroups() {
        var decides = FencedInstance(sessionMilliseconds: 10_000, decides: true)
        var other = FencedInstance(sessionMilliseconds: 10_000, decides: false)
        #expect(decides.verdict(on: .member("a"), at: 0) == Self.news)
        #expect(other.verdict(on: .member("b"), at: 0) == Self.news)
        #expect(decides.verdict(on: .member("a"), at: 26 * Self.second) == .replaced)
        #expect(other.verdict(on: .member("b"), at: 50 * Self.second) == Self.wait)
        #expect(other.verdict(on: .member("b"), at: 51 * Self.second) == .replaced)
    }

    @Test("another member's time, and that after a look without an answer, begins anew; said once")
    func anew() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000, decides: true)
        #expect(fenced.verdict(on: .unknown, at: 0) == Self.wait)
        #expect(fenced.verdict(on: .member("a"), at: 0) == Self.news)
        #expect(fenced.verdict(on: .member("b"), at: 20 * Self.second) == Self.wait)
        #expect(fenced.verdict(on: .member("b"), at: 40 * Self.second) == Self.wait)
        #expect(fenced.verdict(on: .unknown, at: 41 * Self.second) == Self.wait)
        #expect(fenced.verdict(on: .member("b"), at: 60 * Self.second) == Self.wait)
        #expect(fenced.verdict(on: .member("b"), at: 85 * Self.second) == Self.wait)
        #expect(fenced.verdict(on: .member("b"), at: 86 * Self.second) == .replaced)
    }

    @Test("looks are half a second apart, the first is due at once")
    func looks() {
        var fenced = FencedInstance(sessionMilliseconds: 10_000, decides: true)
        #expect(fenced.isDue(at: -Self.second))
        _ = fenced.verdict(on: .unknown, at: 0)
        #expect(!fenced.isDue(at: Self.second / 2 - 1))
        #expect(fenced.isDue(at: Self.second / 2))
    }
}
