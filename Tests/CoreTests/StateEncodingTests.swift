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

    @Test("arrays of numbers are written as one number after the other")
    func arrays() throws {
        let doubles = [1.5, -0.0, .infinity, Double(bitPattern: 0x7FF8_0000_0000_0001)]
        let integers: [Int32] = [.min, -1, 0, 7]
        let lanes = [Lanes(0, 1, 2, 3, 4, 5, 6, 7)]
        var whole = StateEncoder()
        whole.write(doubles)
        whole.write(integers)
        whole.write(lanes)
        var single = StateEncoder()
        single.write(doubles.count)
        for value in doubles { single.write(value) }
        single.write(integers.count)
        for value in integers { single.write(value) }
        single.write(lanes.count)
        for lane in 0..<laneCount { single.write(lanes[0][lane]) }
        #expect(whole.bytes == single.bytes)
        #expect(whole.bytes[8..<16] == [0, 0, 0, 0, 0, 0, 0xF8, 0x3F])
        var decoder = StateDecoder(whole.bytes)
        #expect(try decoder.readDoubles().map(\.bitPattern) == doubles.map(\.bitPattern))
        #expect(try decoder.readIntegers(Int32.self) == integers)
        #expect(try decoder.readLanes() == lanes)
        try decoder.finish()
    }

    @Test("counts beyond the bytes are refused before memory is reserved")
    func counts() {
        var encoder = StateEncoder()
        encoder.write(Int.max / 4)
        for read in 0..<3 {
            var decoder = StateDecoder(encoder.bytes)
            #expect(throws: StateError.truncated) {
                switch read {
                case 0: _ = try decoder.readDoubles()
                case 1: _ = try decoder.readLanes()
                default: _ = try decoder.readIntegers(UInt16.self)
                }
            }
        }
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
