// Method: rows and the messages that they must become, compared whole.
import Service
import Testing

@Suite("Data rows")
struct DataRowTests {
    private func message(
        _ row: String, _ columns: [String], key: String? = nil, number: Int = 7,
        format: DataFormat = .commaSeparated
    ) throws -> (key: String, value: String) {
        let rows = try DataRow(format: format, columns: columns, keyField: key)
        let bytes = Array(row.utf8)
        let message = try rows.message(bytes.span, row: number)
        return (
            String(decoding: message.key, as: UTF8.self),
            String(decoding: message.value, as: UTF8.self)
        )
    }

    @Test("numbers keep their digits, other cells are texts, the key is the row number")
    func conversion() throws {
        let result = try message(
            "0.056443,1e-3,007,up,\"5\",\"a \"\"b\"\"\n\",true",
            ["a", "b", "c", "d", "e", "f", "g"])
        #expect(result.key == "7")
        #expect(
            result.value
                == #"{"a":0.056443,"b":1e-3,"c":"007","d":"up","e":"5","f":"a \"b\"\u000a","g":"true"}"#
        )
    }

    @Test("empty cells are left out")
    func missing() throws {
        #expect(try message(",2,", ["a", "b", "c"]).value == #"{"b":2}"#)
        #expect(try message(",", ["a", "b"]).value == "{}")
    }

    @Test("a column can be the key")
    func keyColumn() throws {
        let result = try message("1,\"x,y\"", ["a", "b"], key: "b")
        #expect(result.key == "x,y")
        #expect(throws: UsageError.self) { try message("1,2", ["alpha", "b"], key: "alhpa") }
    }

    @Test("a row with another number of fields is told with its number")
    func fieldCount() {
        #expect(
            throws: CommandFailure(
                "tidewheel produce: row 7 has 1 fields, the header 2; correct the row")
        ) {
            try message("1", ["a", "b"])
        }
    }

    @Test("a line of JSON goes as it is; a member can be the key")
    func jsonLines() throws {
        let line = #"{"y":1, "x":[1,2],"k":"a","n":1.50,"b":true}"#
        #expect(try message(line, [], format: .jsonLines).value == line)
        #expect(try message(line, [], format: .jsonLines).key == "7")
        #expect(try message(line, [], key: "k", format: .jsonLines).key == "a")
        #expect(try message(line, [], key: "n", format: .jsonLines).key == "1.50")
        #expect(try message(line, [], key: "b", format: .jsonLines).key == "true")
        #expect(throws: CommandFailure.self) {
            try message(line, [], key: "x", format: .jsonLines)
        }
        #expect(throws: CommandFailure.self) {
            try message(line, [], key: "z", format: .jsonLines)
        }
    }
}
