// Method: one small document for each kind of feature; columns, codes and hashed pairs compared with
// values worked out by hand, hashes with published vectors.
import Core
import Formats
import TestSupport
import Testing

@Suite("Feature kinds")
struct FeatureKindTests {
    private func schema(_ kinds: FeatureKind...) -> Schema {
        Schema(
            features: kinds.enumerated().map { index, kind in
                Feature(name: "f\(index)", path: ["f\(index)"], kind: kind)
            }, label: nil)
    }

    private func pair(_ token: String, _ value: Double, _ name: String = "f0") -> PlainDecoder.Pair
    {
        let bytes = Array(name.utf8) + [0] + Array(token.utf8)
        return PlainDecoder.Pair(index: Murmur3.hash32(bytes.span) & 0x3FFFF, value: value)
    }

    @Test(
        "Murmur3 gives the published hashes",
        arguments: [
            ("", 0, 0), ("", 1, 0x514E_28B7), ("a", 0x9747_B28C, 0x7FA0_9EA6),
            ("abc", 0x9747_B28C, 0xC84A_62DD), ("Hello, world!", 0x9747_B28C, 0x2488_4CBA),
            ("The quick brown fox jumps over the lazy dog", 0x9747_B28C, 0x2FA8_26CD),
        ] as [(String, UInt32, UInt32)])
    func murmur(text: String, seed: UInt32, hash: UInt32) {
        let bytes = Array(text.utf8)
        let found = Murmur3.hash32(bytes.span, seed: seed)
        #expect(found == hash)
    }

    @Test("declared categories come first, others follow, and past the limit comes other")
    func categories() throws {
        let decoded = try decode(
            schema(.categorical(values: ["b", "a"], limit: 4)), .json,
            values([
                #"{"f0":"a"}"#, #"{"f0":"c"}"#, #"{"f0":"d"}"#, #"{"f0":"c"}"#, #"{"f0":false}"#,
                #"{}"#, #"{"f0":"b"}"#, #"{"f0":[]}"#,
            ]))
        let codes = decoded.rows.map { Double(bitPattern: $0.columns[0]) }
        #expect(codes.filter { !$0.isNaN } == [1, 2, 3, 2, 3, 0])
        #expect(codes[5].isNaN)
        #expect(decoded.faults == [.wrongType])
    }

    @Test("a faulty record leaves the dictionaries alone")
    func faultyRecord() throws {
        let schema = Schema(
            features: [
                Feature(name: "c", path: ["c"], kind: .categorical(values: [], limit: 9)),
                Feature(name: "n", path: ["n"], kind: .numeric),
            ], label: classLabel(limit: 1), weightPath: ["w"])
        var decoder = try RecordDecoder(schema: schema, format: .json)
        let decoded = decode(
            &decoder,
            values([
                #"{"c":"a","class":"x","n":true,"w":1}"#, #"{"c":"b","class":"x","w":-1}"#,
                #"{"c":"c","class":"x""#, #"{"c":"d","class":"x","w":1}"#,
                #"{"c":"e","class":"y","w":1}"#,
            ]))
        #expect(
            decoded.faults == [.wrongType, .invalidWeight, .malformed, .tooManyClasses])
        let features = decoder.dictionaries.map(\.count)
        let first = decoder.dictionaries[0].text(0)
        let classes = decoder.classCount
        #expect(features == [1] && first == "d" && classes == 1)
    }

    @Test("booleans are 1 and 0")
    func booleans() throws {
        let decoded = try decode(
            schema(.boolean), .json,
            values([#"{"f0":true}"#, #"{"f0":false}"#, #"{"f0":1}"#, #"{"f0":"true"}"#]))
        #expect(decoded.rows.indices.map { decoded.columns($0) } == [[1], [0]])
        #expect(decoded.faults == [.wrongType, .wrongType])
    }

    @Test("timestamps become seconds and their parts in UTC")
    func timestamps() throws {
        let parts = TimePart.allCases
        let decoded = try decode(
            schema(
                .timestamp(unit: .rfc3339, derived: parts),
                .timestamp(unit: .milliseconds, derived: [.hour])), .json,
            values([
                #"{"f0":"2026-11-21T23:30:00.25-01:00","f1":-1000}"#,
                #"{"f0":"1969-12-31T23:59:59Z","f1":1700000000123}"#, #"{"f1":1.5}"#,
                #"{"f0":"2026-13-01T00:00:00Z"}"#, #"{"f0":7}"#,
            ]))
        #expect(decoded.columns(0) == [1_795_307_400.25, 0, 7, 22, 11, -1, 23])
        #expect(decoded.columns(1) == [-1, 23, 3, 31, 12, 1_700_000_000.123, 22])
        #expect(decoded.faults == [.invalidTime, .invalidTime, .wrongType])
    }

    @Test("words are counted without regard to case")
    func text() throws {
        let decoded = try decode(
            schema(.text), .json,
            values([#"{"f0":"The cat, the DOG; l'été 42 the"}"#, #"{"f0":""}"#, #"{"f0":3}"#]))
        let wanted = [
            pair("the", 3), pair("cat", 1), pair("dog", 1), pair("l", 1), pair("été", 1),
            pair("42", 1),
        ]
        #expect(decoded.rows.map(\.sparse) == [wanted, []])
        #expect(decoded.faults == [.wrongType])
    }

    @Test("a map gives its numbers, a set each member once")
    func mapsAndSets() throws {
        let decoded = try decode(
            schema(.map, .set), .json,
            values([
                #"{"f0":{"a":1.5,"b":null,"\u0063":-2},"f1":[1,"1","x",true,null,20]}"#,
                #"{"f0":{"a":1,"a":2}}"#, #"{"f0":{"a":"1"}}"#, #"{"f1":[[1]]}"#,
                #"{"f0":{"a":1e999}}"#,
            ]))
        let wanted = [
            pair("a", 1.5), pair("c", -2), pair("1", 1, "f1"), pair("x", 1, "f1"),
            pair("true", 1, "f1"), pair("20", 1, "f1"),
        ]
        #expect(decoded.rows.map(\.sparse) == [wanted])
        #expect(decoded.faults == [.duplicateField, .wrongType, .wrongType, .notFinite])
    }

    @Test("the dictionaries survive encoding, and another schema's are refused")
    func state() throws {
        let schema = Schema(
            features: [
                Feature(name: "c", path: ["c"], kind: .categorical(values: ["z"], limit: 9))
            ], label: classLabel(limit: 5))
        var decoder = try RecordDecoder(schema: schema, format: .json)
        _ = decode(&decoder, values([#"{"c":"a","class":"x"}"#, #"{"c":"b","class":"y"}"#]))
        var encoder = StateEncoder()
        decoder.state.encode(to: &encoder)

        var restored = try RecordDecoder(schema: schema, format: .json)
        var reader = StateDecoder(encoder.bytes)
        try restored.restore(from: &reader)
        try reader.finish()
        let decoded = decode(&restored, values([#"{"c":"b","class":"y"}"#, #"{"c":"n"}"#]))
        #expect(decoded.columns(0) == [2] && decoded.columns(1) == [3])
        #expect(decoded.rows[0].classLabel == 1)
        #expect(decoded.rows[0].knownClasses == 2)

        let other = Schema(
            features: [
                Feature(name: "c", path: ["c"], kind: .categorical(values: ["q"], limit: 9))
            ], label: classLabel(limit: 5))
        #expect(throws: StateError.self) {
            var refusing = try RecordDecoder(schema: other, format: .json)
            var reader = StateDecoder(encoder.bytes)
            try refusing.restore(from: &reader)
        }
    }
}
