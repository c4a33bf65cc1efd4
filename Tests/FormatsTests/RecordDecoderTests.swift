// Method: small documents by hand; rows, codes, identities and faults compared with what they say.
import Core
import Formats
import TestSupport
import Testing

/// What a decoder made of records.
struct Decoded {
    var rejections: [RecordRejection] = []
    var rows: [PlainDecoder.Row] = []
    var faults: [RecordFault] { rejections.map(\.fault) }

    /// The columns of a row as numbers.
    func columns(_ row: Int) -> [Double] { rows[row].columns.map(Double.init(bitPattern:)) }
}

/// Decodes records with a new decoder.
func decode(
    _ schema: Schema, _ format: InputFormat = .json, _ records: [RecordList.Record],
    limit: Int = 1 << 20
) throws -> Decoded {
    var decoder = try RecordDecoder(schema: schema, format: format, valueBytesLimit: limit)
    return decode(&decoder, records)
}

/// Decodes records with a decoder that may have seen others.
func decode(_ decoder: inout RecordDecoder, _ records: [RecordList.Record]) -> Decoded {
    let columnCount = decoder.schema.layout.columns.count
    var batch = DecodedBatch(columnCount: columnCount, capacity: 2)
    RecordList(records).withRecords { decoder.decode($0, into: &batch) }
    var result = Decoded(rejections: batch.rejections)
    for row in 0..<batch.rows.count {
        result.rows.append(PlainDecoder.Row(batch, row, columnCount: columnCount))
    }
    return result
}

func values(_ texts: [String]) -> [RecordList.Record] { RecordList(texts).records }

/// A schema of numeric features, named as their paths.
func numeric(_ names: String..., label: LabelField? = nil, id: [String]? = nil) -> Schema {
    Schema(
        features: names.map { name in
            Feature(name: name, path: name.split(separator: ".").map(String.init), kind: .numeric)
        }, label: label, idPath: id)
}

func classLabel(_ classes: [String] = [], limit: Int = 3, required: Bool = false) -> LabelField {
    LabelField(
        path: ["class"], kind: .category(classes: classes, limit: limit), isRequired: required)
}

@Suite("Record decoder")
struct RecordDecoderTests {
    @Test("a flat document becomes a row, whatever the order of its fields")
    func flat() throws {
        let decoded = try decode(
            numeric("a", "b", label: classLabel()),
            .json,
            values([
                #"{"a":1.5,"b":-2e3,"class":"up"}"#,
                #"{"class":"down","b":7,"x":[1,{"y":null}],"a":0.1}"#,
                #" { "b" : null , "class" : "up" } "#,
            ]))
        #expect(decoded.rejections == [])
        #expect(decoded.columns(0) == [1.5, -2000])
        #expect(decoded.columns(1) == [0.1, 7])
        #expect(decoded.columns(2).allSatisfy { $0.isNaN })
        #expect(decoded.rows.map(\.classLabel) == [0, 1, 0])
        #expect(decoded.rows.map(\.knownClasses) == [0, 1, 2])
        #expect(decoded.rows.map(\.id) == ["\"0-0\"", "\"0-1\"", "\"0-2\""])
    }

    @Test("nested paths and escaped keys are found")
    func paths() throws {
        let decoded = try decode(
            numeric("user.age", "user.home.zip", "k\"e\\y", "é"),
            .json,
            values([
                #"{"user":{"home":{"zip":2},"age":1},"k\"e\\y":3,"é":4}"#,
                #"{"\u0075ser":{"ho\u006de":{"zip":2},"a\u0067e":1},"\u006b\"e\\y":3,"\u00e9":4}"#,
                #"{"user":null,"home":{"zip":9},"age":9,"user.age":9}"#,
                #"{"user":5}"#,
            ]))
        #expect(decoded.columns(0) == [1, 2, 3, 4])
        #expect(decoded.columns(1) == [1, 2, 3, 4])
        #expect(decoded.columns(2).allSatisfy { $0.isNaN })
        #expect(decoded.rejections == [RecordRejection(recordIndex: 3, fault: .wrongType)])
    }

    @Test(
        "each fault is told by its name",
        arguments: [
            (#"{"a":1,"class":"x"}"#, nil), ("", .emptyValue), (" \r\n\t", .emptyValue),
            ("[1]", .malformed), ("5", .malformed), ("{}{}", .malformed), ("{\"a\":1", .malformed),
            ("{\"a\":01}", .malformed), ("{\"a\":1.}", .malformed), ("{\"a\":.5}", .malformed),
            ("{\"a\":+1}", .malformed), ("{\"a\":1,}", .malformed), ("{'a':1}", .malformed),
            ("{\"a\":1 \"b\":2}", .malformed), ("{\"z\":[1,]}", .malformed),
            ("{\"z\":{\"y\"}}", .malformed), ("{\"z\":\"\\x\"}", .malformed),
            ("{\"z\":\"\\ud800\"}", .malformed), ("{\"z\":\"\u{1}\"}", .malformed),
            ("{\"z\":tru}", .malformed), ("{\"z\":nullx}", .malformed), ("{\"z\":1x}", .malformed),
            ("{\"z\":\"abc}", .malformed), ("\u{FEFF}{}", .malformed), ("null", .malformed),
            ("{\"a\":\"1\"}", .wrongType), ("{\"a\":true}", .wrongType), ("{\"a\":[]}", .wrongType),
            ("{\"a\":{}}", .wrongType), ("{\"class\":{}}", .wrongType),
            ("{\"a\":1,\"a\":1}", .duplicateField), ("{\"a\":1,\"\\u0061\":1}", .duplicateField),
            ("{\"z\":1,\"z\":1,\"a\":2}", nil),
            ("{\"a\":NaN}", .notFinite), ("{\"a\":-Infinity}", .notFinite),
            ("{\"z\":[Infinity]}", .notFinite), ("{\"a\":1e400}", .notFinite),
            ("{\"a\":-1e400}", .notFinite), ("{\"a\":1e-400}", nil), ("{\"a\":1e400", .malformed),
            ("{\"a\":\"x\",\"a\":1}", .wrongType),
        ] as [(String, RecordFault?)])
    func faults(document: String, fault: RecordFault?) throws {
        let decoded = try decode(numeric("a", label: classLabel()), .json, values([document]))
        #expect(decoded.faults == (fault.map { [$0] } ?? []))
        #expect(decoded.rows.count == (fault == nil ? 1 : 0))
    }

    @Test("invalid UTF-8 anywhere is a fault, in keys and in values that nobody reads")
    func invalidUTF8() throws {
        let prefixes = ["{\"a\":1,\"z\":\"", "{\"", "{\"a\":1}"]
        for prefix in prefixes {
            for bad in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
                let record = RecordList.Record(
                    value: Array(prefix.utf8) + bad + Array("\":1}".utf8))
                let decoded = try decode(numeric("a"), .json, [record])
                #expect(decoded.faults == [.invalidUTF8])
            }
        }
    }

    @Test("nesting to 64 is allowed, one more is a fault", arguments: ["[", "{\"a\":"])
    func nesting(open: String) throws {
        let close = open == "[" ? "]" : "}"
        func document(_ depth: Int) -> String {
            "{\"z\":" + String(repeating: open, count: depth - 1) + "1"
                + String(repeating: close, count: depth - 1) + "}"
        }
        let decoded = try decode(
            numeric("a"), .json, values([document(64), document(65), document(100_000)]))
        #expect(decoded.rows.count == 1)
        #expect(decoded.faults == [.nestedTooDeep, .nestedTooDeep])
    }

    @Test("tombstones, and values at and past the limit")
    func sizes() throws {
        let filler = String(repeating: "x", count: (1 << 20) - 14)
        let largest = "{\"a\":7,\"z\":\"\(filler)\"}"
        let records =
            [RecordList.Record(value: nil)] + values([largest, largest + " ", "{\"a\":1}"])
        #expect(largest.utf8.count == 1 << 20)
        let decoded = try decode(numeric("a"), .json, records)
        #expect(decoded.faults == [.tombstone, .valueTooLarge])
        #expect(decoded.rejections.map(\.recordIndex) == [0, 2])
        #expect(decoded.columns(0) == [7] && decoded.columns(1) == [1])
        let small = try decode(numeric("a"), .json, values(["{\"a\":1}", "{\"a\":12}"]), limit: 7)
        #expect(small.faults == [.valueTooLarge])
    }

    @Test("more records and bytes than one call of the shim takes")
    func manyRecords() throws {
        let filler = String(repeating: "y", count: 3000)
        let texts = (0..<5000).map { index in
            index % 7 == 3 ? "{" : "{\"a\":\(index),\"z\":\"\(index % 2 == 0 ? filler : "")\"}"
        }
        let decoded = try decode(numeric("a"), .json, values(texts))
        let good = (0..<5000).filter { $0 % 7 != 3 }
        #expect(decoded.rows.map(\.recordIndex) == good)
        #expect(decoded.rows.indices.allSatisfy { decoded.columns($0) == [Double(good[$0])] })
        #expect(decoded.rejections.count == 5000 - good.count)
    }

    @Test("the identity is the field, else the key, else partition and offset")
    func identities() throws {
        let schema = numeric("a", id: ["id"])
        let records = [
            RecordList.Record(value: Array(#"{"id":"a\"\u00e9b"}"#.utf8), key: [65]),
            RecordList.Record(value: Array(#"{"id":-1.50e2}"#.utf8), key: [65]),
            RecordList.Record(value: Array(#"{"id":null}"#.utf8), key: Array("k\"\n".utf8)),
            RecordList.Record(value: Array("{}".utf8), key: []),
            RecordList.Record(value: Array("{}".utf8), key: [0, 0xFF, 0x1A]),
            RecordList.Record(value: Array("{}".utf8), partition: 3, offset: 12_345_678_901),
            RecordList.Record(value: Array(#"{"id":true}"#.utf8), key: [65]),
        ]
        let decoded = try decode(schema, .json, records)
        let wanted = [
            #""a\"\u00e9b""#, "-1.50e2", #""k\"\n""#, #""""#, #""0x00ff1a""#, #""3-12345678901""#,
        ]
        #expect(decoded.rows.map(\.id) == wanted)
        #expect(decoded.faults == [.wrongType])
    }

    @Test("a class is the text of its value, and the limit is a fault that changes nothing")
    func classes() throws {
        let schema = numeric("a", label: classLabel(["no"], limit: 4, required: true))
        let decoded = try decode(
            schema, .json,
            values([
                #"{"class":1}"#, #"{"class":"1"}"#, #"{"class":true}"#, #"{"class":1.0}"#,
                #"{"class":"new"}"#, #"{"class":"no"}"#, #"{}"#, #"{"class":null}"#,
                #"{"class":"\u0074rue"}"#,
            ]))
        #expect(decoded.rows.map(\.classLabel) == [1, 1, 2, 3, 0, 2])
        #expect(decoded.rows.map(\.knownClasses) == [1, 2, 2, 3, 4, 4])
        #expect(decoded.faults == [.tooManyClasses, .missingLabel, .missingLabel])
    }

    @Test("numeric labels, weights and event times")
    func numbers() throws {
        let schema = Schema(
            features: [], label: LabelField(path: ["y"], kind: .number, isRequired: false),
            weightPath: ["w"], eventTimePath: ["t"], eventTimeUnit: .rfc3339)
        let decoded = try decode(
            schema, .json,
            values([
                #"{"y":-2.5,"w":0,"t":"1970-01-01T00:00:01.5Z"}"#,
                #"{"w":2,"t":"2000-02-29T23:59:60+01:00"}"#,
                #"{"w":-1,"t":"2000-01-01T00:00:00Z"}"#,
                #"{"t":"2000-01-01T00:00:00Z"}"#, #"{"w":"1","t":"2000-01-01T00:00:00Z"}"#,
                #"{"w":1e999,"t":"2000-01-01T00:00:00Z"}"#, #"{"w":1}"#, #"{"w":1,"t":5}"#,
                #"{"w":1,"t":"2001-02-29T00:00:00Z"}"#, #"{"w":1,"y":"1"}"#,
            ]))
        #expect(decoded.rows.map { Double(bitPattern: $0.target) }.first == -2.5)
        #expect(Double(bitPattern: decoded.rows[1].target).isNaN)
        #expect(decoded.rows.map(\.weight) == [0, 2])
        #expect(decoded.rows.map(\.eventTime) == [1500, 951_865_199_000])
        #expect(
            decoded.faults == [
                .invalidWeight, .invalidWeight, .invalidWeight, .invalidWeight, .invalidTime,
                .invalidTime, .invalidTime, .wrongType,
            ])
    }

    @Test("the log's timestamp is the event time where no field is named")
    func logTime() throws {
        let records = [-1, 0, 1_700_000_000_123].map {
            RecordList.Record(value: Array("{}".utf8), timestamp: $0)
        }
        let decoded = try decode(numeric("a"), .json, records)
        #expect(decoded.rows.map(\.eventTime) == [0, 0, 1_700_000_000_123])
    }
}
