// Method: the wall clock cannot be set in a test, so its readings are given; that the client library
// waits by them is seen from the symbol that the dynamic linker finds.
import CPlatform
import Glibc
import Testing

@Suite("A wall clock that is set")
struct ClockTests {
    private static let second: Int64 = 1_000_000_000
    private static let now: Int64 = 1_800_000_000 * second

    @Test("A wait lasts as long as was meant when the clock is set during it")
    func keepsDeadline() {
        let until = Self.now + 5 * Self.second
        let first = tw_monotonic_deadline(until, Self.now, 70 * Self.second)
        #expect(first == 75 * Self.second)
        // Woken after a second, by a clock that was set back by a day.
        let again = tw_monotonic_deadline(
            until, Self.now - 86_399 * Self.second, 71 * Self.second)
        #expect(again == first)
        // The next wait goes by the clock as it is now.
        let next = tw_monotonic_deadline(
            Self.now - 86_390 * Self.second, Self.now - 86_395 * Self.second, 75 * Self.second)
        #expect(next == 80 * Self.second)
    }

    @Test("A moment that has passed ends a wait at once")
    func passed() {
        let until = Self.now - Self.second
        #expect(tw_monotonic_deadline(until, Self.now, 70 * Self.second) == 69 * Self.second)
    }

    @Test("The client library waits by the program's own timed wait")
    func isInterposed() throws {
        let library = try #require(dlopen("libc.so.6", RTLD_NOW))
        defer { dlclose(library) }
        let found = try #require(dlsym(nil, "cnd_timedwait"))
        #expect(found != dlsym(library, "cnd_timedwait"))
    }
}
