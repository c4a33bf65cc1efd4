// Method: small documents by hand; rows, codes, identities and faults compared with what they say.
import Core
import Formats
import TestSupport
import Testing

@Suite("Record decoder")
struct RecordDecoderTests {
    private let schema = Schema(
        features: [
            Feature(name: "a", path: ["a"], kind: .numeric),
            Feature(name: "b", path: ["b"], kind: .numeric),
        ],
        label: LabelField(
            path: ["class"], kind: .category(classes: [], limit: 4), isRequired: false))

    @Test("a flat document becomes a row, whatever the order of its fields")
    func flat() throws {
        var decoder = try RecordDecoder(schema: schema, format: .json)
        var batch = DecodedBatch(columnCount: 2, capacity: 4)
        RecordList([
            #"{"a":1.5,"b":-2e3,"class":"up"}"#,
            #"{"class":"down","b":7,"x":[1,{"y":null}],"a":0.1}"#,
            #"{"b":null,"class":"up"}"#,
        ]).withRecords { records in decoder.decode(records, into: &batch) }
        #expect(batch.rejections == [])
        #expect(batch.rows.count == 3)
        let a = (0..<3).map { batch.rows.value($0, 0) }
        let b = (0..<3).map { batch.rows.value($0, 1) }
        #expect(a[0] == 1.5 && a[1] == 0.1 && a[2].isNaN)
        #expect(b[0] == -2000 && b[1] == 7 && b[2].isNaN)
        let labels = batch.rows.classLabels
        let known = batch.rows.knownClasses
        let codes = (0..<3).map { labels[$0] }
        let counts = (0..<3).map { known[$0] }
        #expect(codes == [0, 1, 0])
        #expect(counts == [0, 1, 2])
        let id = batch.idText(1)
        #expect(id == "\"0-1\"")
    }
}
