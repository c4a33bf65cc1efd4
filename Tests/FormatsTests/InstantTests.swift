// Method: times at the edges of the calendar by hand, and random ones against Foundation's calendar.
import Core
import Formats
import Foundation
import Testing

@Suite("Instant")
struct InstantTests {
    private func instant(_ text: String, _ unit: TimeUnit = .rfc3339) -> Instant? {
        let bytes = Array(text.utf8)
        return Instant(bytes.span, unit: unit)
    }

    @Test(
        "valid times",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("2000-02-29t12:00:00.123456789123z", 951_825_600, 123_456_789),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799, 999_000_000),
            ("2016-12-31 23:59:60Z", 1_483_228_799, 0),
            ("1970-01-01T05:30:00+05:30", 0, 0), ("1969-12-31T19:00:00-05:00", 0, 0),
        ] as [(String, Int64, Int64)])
    func valid(text: String, seconds: Int64, nanoseconds: Int64) {
        let found = instant(text)
        #expect(found?.seconds == seconds)
        #expect(found?.nanoseconds == nanoseconds)
    }

    @Test(
        "invalid times",
        arguments: [
            "", "2020", "2020-01-01", "2020-01-01T00:00:00", "2020-00-01T00:00:00Z",
            "2020-13-01T00:00:00Z", "2020-01-00T00:00:00Z", "2020-04-31T00:00:00Z",
            "1900-02-29T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:60:00Z",
            "2020-01-01T00:00:61Z", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00.5",
            "2020-01-01T00:00:00+1:00", "2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00Zx",
            "2020-01-01T00:00:00+01:0x", "+020-01-01T00:00:00Z", "2020-01-01X00:00:00Z",
            "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        ])
    func invalid(text: String) {
        #expect(instant(text) == nil)
    }

    @Test("integers of each unit round down")
    func integers() {
        #expect(instant("-1", .milliseconds)?.milliseconds == -1)
        #expect(instant("-1", .nanoseconds)?.milliseconds == -1)
        #expect(instant("1999999", .nanoseconds)?.milliseconds == 1)
        #expect(instant("1700000000", .seconds)?.value == 1_700_000_000)
        for text in ["", "-", "+1", "1.0", "1e3", " 1", "99999999999999999999", "253402300800"] {
            #expect(instant(text, .seconds) == nil)
        }
    }

    @Test("parts agree with Foundation's calendar", arguments: UInt64(1)...20)
    func parts(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for _ in 0..<100 {
            let seconds = random.next(below: 10_000_000_000) - 2_000_000_000
            let found = try #require(instant("\(seconds)", .seconds))
            let parts = calendar.dateComponents(
                [.hour, .weekday, .day, .month],
                from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(found.part(.hour) == Double(try #require(parts.hour)))
            // Foundation's week begins on Sunday.
            #expect(found.part(.weekday) == Double((try #require(parts.weekday) + 5) % 7 + 1))
            #expect(found.part(.day) == Double(try #require(parts.day)))
            #expect(found.part(.month) == Double(try #require(parts.month)))
        }
    }
}
