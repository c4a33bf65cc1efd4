// Method: documents by hand, and random bytes and cuts of a document against Foundation's verdict.
import Core
import Foundation
import Service
import Testing

@Suite("JSON values")
struct JSONValueTests {
    private func read(_ text: String) -> JSONValue? { JSONValue(Array(text.utf8)) }

    @Test("all kinds of values are read")
    func kinds() {
        let value = read(#" {"a": [1, -2.5e3, true, null], "b": {"c": "x\n\u00e9\ud83d\ude00"}} "#)
        #expect(value?["a"]?.list?[1].double == -2500)
        #expect(value?["a"]?.list?[0].integer == 1)
        #expect(value?["a"]?.list?[2] == .boolean(true))
        #expect(value?["a"]?.list?[3] == .null)
        #expect(value?["b"]?["c"]?.text == "x\né😀")
        #expect(value?["missing"] == nil)
    }

    @Test(
        "what is no document is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", "nul", "\"a", "\"\\x\"", "1 2",
            "\"\\ud800\"", "{a:1}", "\"\u{01}\"",
        ])
    func refused(text: String) {
        #expect(read(text) == nil)
    }

    @Test("deep nesting is refused and never a crash")
    func depth() {
        #expect(read(String(repeating: "[", count: 100_000)) == nil)
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(read(deep) != nil)
    }

    @Test("damaged documents are taken or refused as Foundation does", arguments: UInt64(1)...300)
    func damage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var bytes = Array(#"{"a":[1,2.5,-3e-2],"b":{"c":"tex\"t","d":null},"e":true}"#.utf8)
        for _ in 0...random.next(below: 2) {
            let place = random.next(below: bytes.count)
            let pool = Array("{}[]\",:0123e.-tn \\".utf8)
            bytes[place] = pool[random.next(below: pool.count)]
        }
        let foundation = try? JSONSerialization.jsonObject(
            with: Data(bytes), options: .fragmentsAllowed)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect((JSONValue(bytes) != nil) == (foundation != nil), "seed \(seed): \(text)")
    }
}

@Suite("Number literals")
struct NumberLiteralTests {
    @Test(
        "cells that are numbers keep their digits",
        arguments: [
            ("1", "1"), ("-0.50", "-0.50"), ("1e5", "1e5"), ("+3", "3"), (".5", "0.5"),
            ("-.5", "-0.5"), ("5.", "5"), ("5.e3", "5e3"), ("0", "0"),
        ])
    func numbers(cell: String, json: String) {
        #expect(NumberLiteral.json(fromCell: cell) == json)
    }

    @Test(
        "other cells are texts",
        arguments: ["", "-", "007", "1 2", "nan", "inf", "0x1", "1e", ".", ".e5", "1,5", "--1"])
    func texts(cell: String) {
        #expect(NumberLiteral.json(fromCell: cell) == nil)
    }
}
