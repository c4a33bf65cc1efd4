// Method: small rows by hand, quoted as RFC 4180 says; numbers compared with C's own reader.
import Core
import Formats
import Foundation
import TestSupport
import Testing

@Suite("CSV")
struct CSVTests {
    private func csv(_ columns: String...) -> InputFormat { .csv(CSVFormat(columns: columns)) }

    @Test("a header gives the columns")
    func header() throws {
        let bytes = Array("\u{FEFF}a,\"b \"\"c\"\"\",d\r\n".utf8)
        let format = try CSVFormat(header: bytes.span)
        #expect(format.columns == ["a", "b \"c\"", "d"])
        let broken = Array("a,\"b".utf8)
        #expect(throws: RecordFault.malformed) { try CSVFormat(header: broken.span) }
    }

    @Test("cells, quotes and line ends")
    func cells() throws {
        let schema = Schema(
            features: [
                Feature(name: "a", path: ["a"], kind: .numeric),
                Feature(name: "t", path: ["t"], kind: .categorical(values: [], limit: 9)),
            ], label: classLabel(), idPath: ["id"])
        var decoder = try RecordDecoder(schema: schema, format: csv("id", "a", "t", "x", "class"))
        let decoded = decode(
            &decoder,
            values([
                "7,1.5,red,,up\n", "a\"b,1,r,,up", "\"a\"\"b\",\" 2 \",\"x,\ny\",,\"up\"\r\n",
                "07,,\"\",,", "1,2,3,4", "1,2,3,4,5,6", "1,\"2,3,4,5", "1,\"2\"3,4,5,6",
                "1,nan,3,4,5", "1,two,3,4,5", "1,1e400,3,4,5", "1,2\r3,,,",
            ]))
        #expect(decoded.rows.map(\.id) == ["7", #""a\"b""#, #""07""#])
        #expect(decoded.columns(0) == [1.5, 0])
        #expect(decoded.columns(1) == [2, 1])
        #expect(decoded.columns(2).allSatisfy { $0.isNaN })
        #expect(decoded.rows.map(\.classLabel) == [0, 0, -1])
        let text = decoder.dictionaries[0].text(1)
        #expect(text == "x,\ny")
        #expect(
            decoded.faults == [
                .malformed, .wrongFieldCount, .wrongFieldCount, .malformed, .malformed, .notFinite,
                .wrongType, .notFinite, .malformed,
            ])
    }

    @Test("maps, sets, booleans, times and nested names")
    func kinds() throws {
        let schema = Schema(
            features: [
                Feature(name: "m", path: ["user", "m"], kind: .map),
                Feature(name: "s", path: ["s"], kind: .set),
                Feature(name: "b", path: ["b"], kind: .boolean),
            ], label: nil, eventTimePath: ["t"], eventTimeUnit: .seconds)
        let format = csv("user.m", "s", "b", "t")
        let decoded = try decode(
            schema, format,
            values(["x:1 a:b:-2,1 2 1,TRUE,12", ",,0,-3", "x,,,1", ",,2,1", ",,1,"]))
        #expect(decoded.rows.map { $0.sparse.map(\.value) } == [[1, -2, 1, 1], []])
        #expect(decoded.rows.map(\.eventTime) == [12000, -3000])
        #expect(decoded.columns(0) == [1] && decoded.columns(1) == [0])
        #expect(decoded.faults == [.wrongType, .wrongType, .invalidTime])
    }

    @Test("a field without a column is refused, the label's may be absent")
    func columns() throws {
        let schema = numeric("a", label: classLabel())
        let decoded = try decode(schema, csv("a"), values(["1"]))
        #expect(decoded.rows.map(\.classLabel) == [-1])
        #expect(throws: FormatError.missingColumn("a")) {
            _ = try RecordDecoder(schema: schema, format: csv("b", "class"))
        }
        #expect(throws: FormatError.repeatedColumn("a")) {
            _ = try RecordDecoder(schema: schema, format: csv("a", "a", "class"))
        }
    }

    @Test("numbers are right to the last bit", arguments: UInt64(1)...20)
    func numbers(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let texts = (0..<200).map { _ -> String in
            let value = Double(bitPattern: random.next() & ~(1 << 62))
            switch random.next(below: 4) {
            case 0: return "\(value)"
            case 1: return String(format: "%.25e", value)
            case 2: return "\(random.next())\(random.next()).\(random.next())"
            default: return "+.\(random.next())e\(random.next(below: 600) - 320)"
            }
        }
        let decoded = try decode(numeric("a"), csv("a"), values(texts))
        let found = decoded.rows.map { $0.columns[0] }
        #expect(found == texts.map { strtod($0, nil).bitPattern })
    }
}
