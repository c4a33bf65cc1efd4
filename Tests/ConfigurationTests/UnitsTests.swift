// Method: texts with units are compared with values worked out by hand, and written back.
import Configuration
import Core
import Testing

@Suite("Units")
struct UnitsTests {
    @Test(
        "what is written is read again",
        arguments: [
            Int64(0), 1, 999, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000, 172_800_000,
            Int64(9e15),
        ])
    func durations(milliseconds: Int64) throws {
        #expect(try Units.duration(Units.text(duration: milliseconds)) == milliseconds)
        #expect(
            try Units.extent(Units.text(extent: .time(milliseconds))) == .time(milliseconds))
        #expect(
            try Units.extent(Units.text(extent: .records(Int(milliseconds))))
                == .records(Int(milliseconds)))
        #expect(try Units.byteSize(Units.text(byteSize: Int(milliseconds))) == Int(milliseconds))
    }

    @Test("the largest unit that gives a whole number is written")
    func largest() {
        #expect(Units.text(duration: 7_200_000) == "2 h")
        #expect(Units.text(duration: 90_000) == "90 s")
        #expect(Units.text(byteSize: 64 << 20) == "64 MiB")
        #expect(Units.text(byteSize: 1025) == "1025 bytes")
    }

    @Test(
        "what is no amount is refused with the reason",
        arguments: [
            ("", Units.Failure.noNumber), ("s", .noNumber), ("1..2 s", .noNumber), ("5", .noUnit),
            ("5 seconds", .unknownUnit("seconds")), ("-1 s", .outOfRange), ("0.5 ms", .outOfRange),
            ("1e3 s", .unknownUnit("e3 s")), ("99999999999999999 h", .outOfRange),
            ("5 s s", .unknownUnit("s s")),
        ])
    func refused(text: String, failure: Units.Failure) {
        #expect(throws: failure) { try Units.duration(text) }
    }
}
