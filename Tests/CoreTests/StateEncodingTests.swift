// Method: values written are read back equal; cut or foreign bytes are refused.
import Core
import Testing

@Suite("State encoding")
struct StateEncodingTests {
    @Test("what is written is read back")
    func roundTrip() throws {
        var encoder = StateEncoder()
        encoder.section("test", version: 3)
        encoder.write(Int32(-5))
        encoder.write(-0.0)
        encoder.write(["a", "é"])
        encoder.write([Lanes(0, 1, 2, 3, 4, 5, 6, .infinity)])
        var decoder = StateDecoder(encoder.bytes)
        #expect(try decoder.section("test", through: 3) == 3)
        #expect(try decoder.readInteger(Int32.self) == -5)
        #expect(try decoder.readDouble().bitPattern == (-0.0).bitPattern)
        #expect(try decoder.readStrings() == ["a", "é"])
        #expect(try decoder.readLanes() == [Lanes(0, 1, 2, 3, 4, 5, 6, .infinity)])
        try decoder.finish()
    }

    @Test("cut bytes are refused at every length")
    func truncation() {
        var encoder = StateEncoder()
        encoder.write([1.0, 2.0])
        for length in 0..<encoder.bytes.count {
            var decoder = StateDecoder(Array(encoder.bytes.prefix(length)))
            #expect(throws: StateError.truncated) { try decoder.readDoubles() }
        }
    }
}
