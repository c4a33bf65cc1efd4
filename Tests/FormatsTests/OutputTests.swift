// Method: what is written is read back with Foundation's JSON reader, and compared byte by byte where
// the form is part of the promise.
import Core
import Formats
import Foundation
import TestSupport
import Testing

@Suite("Prediction encoder")
struct PredictionEncoderTests {
    /// Decodes documents, sets predictions by `fill`, and returns the records that come out.
    private func encode(
        _ kind: PredictionKind, _ records: [RecordList.Record], probabilities: Bool = true,
        fill: (inout Predictions) -> Void
    ) throws -> [(key: [UInt8]?, partition: Int32, value: String)] {
        let schema = numeric("a", label: classLabel(["no", "y\"\n"], limit: 9), id: ["id"])
        var decoder = try RecordDecoder(schema: schema, format: .json)
        var batch = DecodedBatch(columnCount: 1, capacity: 4)
        var predictions = Predictions(
            capacity: records.count, classCapacity: 9, wantsProbabilities: probabilities)
        fill(&predictions)
        var output = OutputBuffer()
        var encoder = PredictionEncoder(kind)
        RecordList(records).withRecords { span in
            decoder.decode(span, into: &batch)
            // In two calls: where a range is cut must not matter.
            let middle = batch.rows.count / 2
            for range in [0..<middle, middle..<batch.rows.count] {
                encoder.encode(
                    range, of: batch, records: span, predictions: predictions,
                    classes: decoder.classes, into: &output)
            }
        }
        return output.entries.map { entry in
            let key = [UInt8](copying: output.key(of: entry))
            let value = [UInt8](copying: output.value(of: entry))
            return (
                entry.keyCount < 0 ? nil : key, entry.partition,
                String(decoding: value, as: UTF8.self)
            )
        }
    }

    private func record(
        _ value: String, key: String? = nil, partition: Int32 = 0, offset: Int64 = 0
    ) -> RecordList.Record {
        RecordList.Record(
            value: Array(value.utf8), key: key.map { Array($0.utf8) }, partition: partition,
            offset: offset)
    }

    @Test("a class with the probabilities of the classes known at that record")
    func classification() throws {
        let records = [
            record(#"{"id":5}"#, key: "k", partition: 2, offset: 99),
            record("broken"),
            record(#"{"id":"x","class":"third"}"#, offset: 1),
            record(#"{"class":"no"}"#, key: "", partition: 1, offset: 123_456_789_012),
        ]
        let found = try encode(.classification, records) { predictions in
            predictions.setLabel(0, 1)
            for (place, value) in [0.25, 0.75].enumerated() {
                predictions.setProbability(0, place, value)
            }
            predictions.setLabel(1, -1)
            for (place, value) in [1.0, 0.0].enumerated() {
                predictions.setProbability(1, place, value)
            }
            predictions.setLabel(2, 2)
            for (place, value) in [0.9999996, 0.0000005, 0.1234564].enumerated() {
                predictions.setProbability(2, place, value)
            }
        }
        #expect(
            found.map(\.value) == [
                #"{"id":5,"prediction":"y\"\n","probabilities":{"no":0.250000,"y\"\n":0.750000},"#
                    + #""partition":2,"offset":99}"#,
                #"{"id":"x","prediction":null,"probabilities":{"no":1.000000,"y\"\n":0.000000},"#
                    + #""partition":0,"offset":1}"#,
                #"{"id":"","prediction":"third","probabilities":{"no":1.000000,"y\"\n":0.000001,"#
                    + #""third":0.123456},"partition":1,"offset":123456789012}"#,
            ])
        #expect(found.map(\.key) == [[107], nil, []])
        #expect(found.map(\.partition) == [2, 0, 1])
        for (_, _, value) in found {
            let object = try JSONSerialization.jsonObject(with: Data(value.utf8))
            #expect(object is [String: Any])
        }
    }

    @Test("without probabilities, and in regression and clustering")
    func otherKinds() throws {
        let records = (0..<4).map { record("{}", offset: Int64($0)) }
        let plain = try encode(.classification, [records[0]], probabilities: false) {
            $0.setLabel(0, 0)
        }
        #expect(plain[0].value == #"{"id":"0-0","prediction":"no","partition":0,"offset":0}"#)
        let regression = try encode(.regression, records) { predictions in
            for (row, value) in [0.1, -1e300, .nan, 5].enumerated() {
                predictions.setValue(row, value)
            }
        }
        let numbers = regression.map { $0.value.split(separator: ",")[1] }
        #expect(
            numbers == [
                "\"prediction\":0.1", "\"prediction\":-1e+300", "\"prediction\":null",
                "\"prediction\":5",
            ])
        let clusters = try encode(.clustering, Array(records.prefix(2))) { predictions in
            predictions.setLabel(0, 3)
            predictions.setValue(0, 6.25)
        }
        #expect(
            clusters.map(\.value) == [
                #"{"id":"0-0","prediction":3,"distance":2.5,"partition":0,"offset":0}"#,
                #"{"id":"0-1","prediction":null,"distance":null,"partition":0,"offset":1}"#,
            ])
    }

    @Test("numbers read back with the same bits, probabilities to half a millionth")
    func numbers() throws {
        var random = SplitMix64(seed: 3)
        let values = (0..<1000).map { _ in Double(bitPattern: random.next() & ~(1 << 62)) }
        let records = values.indices.map { record("{\"id\":\($0)}") }
        let found = try encode(.regression, records) { predictions in
            for (row, value) in values.enumerated() { predictions.setValue(row, value) }
        }
        for (row, value) in values.enumerated() {
            let text = found[row].value.split(separator: ",")[1].dropFirst(13)
            #expect(Double(text)?.bitPattern == value.bitPattern)
        }
        let shares = (0..<1000).map { _ in random.nextUnit() } + [0, 1, 0.5, 0.0000004, 0.9999995]
        let scored = try encode(.classification, shares.indices.map { record("{\"id\":\($0)}") }) {
            for (row, value) in shares.enumerated() { $0.setProbability(row, 0, value) }
        }
        for (row, value) in shares.enumerated() {
            let text = scored[row].value.split(separator: ":")[4].prefix(8)
            #expect(abs((Double(text) ?? -1) - value) <= 0.500001e-6)
        }
    }
}

@Suite("JSON writer")
struct JSONWriterTests {
    @Test("objects, lists, texts and numbers in the order in which they are written")
    func document() throws {
        var writer = JSONWriter()
        writer.object { root in
            root.member("type", "metrics")
            root.member("a\"\u{1}é\\", "line\n\ttab\u{1F600}")
            root.member("count", Int64.min)
            root.member("ratio", 0.1)
            root.member("yes", true)
            root.member("absent", ifPresent: nil)
            root.member("undefined", ifPresent: .nan)
            root.key("none")
            root.null()
            root.object("empty") { _ in }
            root.list("list") { list in
                list.value(1)
                list.object { $0.member("x", 2) }
                list.list { _ in }
            }
        }
        let text = writer.text
        #expect(
            text
                == #"{"type":"metrics","a\"\u0001é\\":"line\n\ttab😀","count":-9223372036854775808,"#
                + #""ratio":0.1,"yes":true,"none":null,"empty":{},"list":[1,{"x":2},[]]}"#)
        let object =
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["a\"\u{1}é\\"] as? String == "line\n\ttab\u{1F600}")
        #expect(object?.count == 8)
    }

    @Test("several documents stand on lines, and a cleared writer begins anew")
    func lines() {
        var writer = JSONWriter()
        writer.object { $0.member("a", 1) }
        writer.value(UInt64.max)
        let two = writer.text
        #expect(two == "{\"a\":1}\n18446744073709551615")
        writer.clear()
        writer.null()
        let one = writer.text
        #expect(one == "null")
    }
}
