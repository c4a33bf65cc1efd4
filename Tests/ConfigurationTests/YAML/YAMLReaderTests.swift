// Method: small documents are compared with the tree, the lines or the message that they must give.
import Configuration
import Testing

@Suite("YAML")
struct YAMLReaderTests {
    private func read(_ text: String) -> (root: YAMLNode?, messages: [String]) {
        let (root, mistakes) = YAMLReader.read(Array(text.utf8), file: "f.yaml")
        return (root, mistakes.map(\.description))
    }

    /// A node without places, as flow YAML.
    private func flat(_ node: YAMLNode?) -> String {
        switch node?.content {
        case nil: "none"
        case .scalar(let scalar): scalar.isPlain ? scalar.text : "'\(scalar.text)'"
        case .sequence(let items): "[\(items.map(flat).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\($0.key): \(flat($0.value))" }.joined(separator: ", "))}"
        }
    }

    @Test(
        "a document becomes a tree",
        arguments: [
            (
                "a: 1\nb: [x, 'y', \"z\"]\nc:\n  - d: e\n  -\n",
                "{a: 1, b: [x, 'y', 'z'], c: [{d: e}, ]}"
            ),
            ("a: |\n  one\n  two\nb: >\n  x\n  y\n", "{a: 'one\ntwo\n', b: 'x y\n'}"),
            ("# only a comment\n", "none"), ("", "none"), ("---\na: 1\n...\n", "{a: 1}"),
            ("{ö: \"\\u00e4\"}", "{ö: 'ä'}"), ("\u{FEFF}a: 1", "{a: 1}"),
            ("a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"),
        ])
    func tree(text: String, expected: String) {
        let (root, messages) = read(text)
        #expect(messages.isEmpty)
        #expect(flat(root) == expected)
    }

    @Test("each value knows its line and column")
    func places() throws {
        let (root, _) = read("# x\na:\n  b: 1\n  c: [2,\n   3]\n")
        guard case .mapping(let top)? = root?.content,
            case .mapping(let inner) = top[0].value.content,
            case .sequence(let items) = inner[1].value.content
        else {
            Issue.record("no tree")
            return
        }
        #expect(top[0].line == 2)
        #expect(inner.map(\.line) == [3, 4])
        #expect([inner[0].value.line, inner[0].value.column] == [3, 6])
        #expect(items.map(\.line) == [4, 5])
        #expect(items.map(\.column) == [7, 4])
    }

    @Test(
        "the core schema of YAML 1.2 decides what a plain scalar is",
        arguments: [
            ("", YAMLScalar.Resolved.null), ("~", .null), ("null", .null), ("true", .boolean(true)),
            ("False", .boolean(false)), ("y", .text), ("n", .text), ("yes", .text), ("no", .text),
            ("on", .text), ("off", .text), ("12", .integer(12)), ("-3", .integer(-3)),
            ("+3", .integer(3)), ("0x1F", .integer(31)), ("0o17", .integer(15)),
            ("017", .integer(17)),
            ("1_000", .text), ("1:30", .text), ("1.5", .number(1.5)), (".5", .number(0.5)),
            ("1.", .number(1)), ("1e3", .number(1000)), ("1e", .text), (".", .text), ("-", .text),
            (".inf", .number(.infinity)), ("-.inf", .number(-.infinity)), ("inf", .text),
            ("nan", .text), ("0x", .text), ("2001-01-01", .text),
            ("99999999999999999999", .number(1e20)),
        ])
    func coreSchema(text: String, expected: YAMLScalar.Resolved) {
        #expect(YAMLScalar(text, isPlain: true).resolved == expected)
        #expect(YAMLScalar(text, isPlain: false).resolved == .text)
    }

    @Test(
        "what is no single plain document is refused with its line",
        arguments: [
            (
                "a: 1\na: 2\nb: {c: 1, c: 2}",
                [
                    "f.yaml:2: a: the key was already given on line 1; remove one of the two",
                    "f.yaml:3: b.c: the key was already given on line 3; remove one of the two",
                ]
            ),
            (
                "a: 1\n---\nb: 2",
                ["f.yaml:2: a second document begins here; keep one pipeline in a file"]
            ),
            (
                "a: &x 1",
                [
                    "f.yaml:1: a: anchors and aliases (& and *) are not supported; write the value out, or quote it"
                ]
            ),
            (
                "a: *x",
                [
                    "f.yaml:1: a: anchors and aliases (& and *) are not supported; write the value out, or quote it"
                ]
            ),
            (
                "a: !!str 1",
                ["f.yaml:1: a: tags (!) are not supported; remove it; quotes make a value a text"]
            ),
            ("a:\n\tb: 1", ["f.yaml:2: a: a tab in the indentation; indent with spaces"]),
            (
                "? [a, b]\n: 1",
                ["f.yaml:1: a key that is a list or a mapping; use a plain word as the key"]
            ),
            (
                ": 1",
                [
                    "f.yaml:1: this is not YAML: while parsing a block mapping, did not find expected key; check indentation, colons and quotes here and in the line before"
                ]
            ),
            (
                "a: [1, 2",
                [
                    "f.yaml:1: a[2]: this is not YAML: while parsing a flow sequence, did not find expected ',' or ']'; check indentation, colons and quotes here and in the line before"
                ]
            ),
            (
                "a: \"b",
                [
                    "f.yaml:1: a: this is not YAML: while scanning a quoted scalar, found unexpected end of stream; check indentation, colons and quotes here and in the line before"
                ]
            ),
            (
                "x: 1\na: b: c",
                [
                    "f.yaml:2: this is not YAML: mapping values are not allowed in this context; check indentation, colons and quotes here and in the line before"
                ]
            ),
            (
                "a: 1\nb: \u{1}",
                [
                    "f.yaml:2: this is not YAML: control characters are not allowed; check indentation, colons and quotes here and in the line before"
                ]
            ),
        ])
    func refused(text: String, expected: [String]) {
        #expect(read(text).messages == expected)
    }

    @Test("bytes that are not UTF-8 are refused with their line")
    func encoding() {
        let bytes = Array("a: 1\nb: ".utf8) + [0xC3, 0x28]
        let (root, mistakes) = YAMLReader.read(bytes, file: "f.yaml")
        #expect(root == nil)
        #expect(
            mistakes.map(\.description) == [
                "f.yaml:2: the file is not UTF-8; save it in the encoding UTF-8"
            ])
    }

    @Test("size and depth are bounded")
    func bounds() {
        let large = [UInt8](repeating: 35, count: YAMLReader.byteLimit + 1)
        #expect(
            YAMLReader.read(large, file: "f.yaml").mistakes.map(\.description) == [
                "f.yaml:1: the file has 1048577 bytes, more than 1048576; move data out of the pipeline file"
            ])
        let limit = YAMLReader.depthLimit
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(limit)).messages.isEmpty)
        let deep = read(nested(limit + 1))
        #expect(deep.root == nil)
        #expect(deep.messages.count == 1)
        #expect(deep.messages[0].hasSuffix("the file nests deeper than 64 levels; flatten it"))
    }
}
