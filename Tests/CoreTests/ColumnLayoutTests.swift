// Method: layouts are written and read back; cut bytes and impossible sizes are refused.
import Core
import Testing

@Suite("Column layout")
struct ColumnLayoutTests {
    @Test("a layout survives its bytes")
    func roundTrip() throws {
        let layout = ColumnLayout(
            columns: [
                Column(name: "price", kind: .numeric),
                Column(name: "area", kind: .categorical(limit: 12)),
            ], sparseBits: 18)
        var encoder = StateEncoder()
        layout.encode(to: &encoder)
        var decoder = StateDecoder(encoder.bytes)
        #expect(try ColumnLayout(from: &decoder) == layout)
        try decoder.finish()
        for length in 0..<encoder.bytes.count {
            var cut = StateDecoder(Array(encoder.bytes.prefix(length)))
            #expect(throws: StateError.self) { try ColumnLayout(from: &cut) }
        }
    }
}
