// Method: values of every kind are read through declarations and compared with the expected value
// or the complete message.
import Configuration
import Core
import Testing

@Suite("Settings reader")
struct SettingsReaderTests {
    static let declarations: [SettingDeclaration] = [
        .init("integer", .integer(1...Int.max), default: .integer(200), "An integer."),
        .init("small", .integer(0...10), "A small integer."),
        .init("number", .number(0...1), "A number."),
        .init("open", .number(0...Double.infinity, excludingLower: true), "A positive number."),
        .init("boolean", .boolean, "A boolean."),
        .init("choice", .choice(["red", "green"]), default: .text("red"), "A choice."),
        .init(
            "long",
            .choice(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]),
            "A long choice."),
        .init("text", .text, "A text."),
        .init("duration", .duration, default: .duration(90_000), "A duration."),
        .init("size", .byteSize, "A size."),
        .init("extent", .extent, "An extent."),
        .init("columns", .columns, default: .columns(.all), "Columns."),
        .init("list", .list(.integer(0...5)), "A list."),
        .init("map", .map, "A map."),
        .init(
            "section", .section([.init("inner", .boolean, required: true, "An inner key.")]),
            "A section."),
        .init("word", .wordOr(["auto"], .duration), default: .text("auto"), "A word or more."),
        .init("named", .named(.number(0...9)), "Named numbers."),
        .init(
            "component",
            .component([
                ComponentDeclaration(
                    name: "plain", summary: "Plain.", source: "", settings: []),
                ComponentDeclaration(
                    name: "short", summary: "Short.", source: "",
                    settings: [
                        .init("columns", .columns, default: .columns(.all), "Columns."),
                        .init("depth", .integer(0...9), default: .integer(1), "Depth."),
                    ], presets: [.init("moa", [("depth", .integer(7))])]),
            ]), "A component."),
    ]

    private func read(
        _ text: String, environment: [String: String] = [:], folder: String = "/nowhere"
    ) -> (settings: Settings, messages: [String]) {
        let (root, mistakes) = YAMLReader.read(Array(text.utf8), file: "f.yaml")
        #expect(mistakes.isEmpty)
        var reader = SettingsReader(
            file: "f.yaml",
            substitution: Substitution(folder: folder, environment: { environment[$0] }))
        let settings = reader.readDocument(root, as: Self.declarations)
        return (settings, reader.mistakes.sortedByLine.map(\.description))
    }

    @Test(
        "a value of each kind is read",
        arguments: [
            ("integer: 5", "integer", SettingValue.integer(5)),
            ("integer: 1e3", "integer", .integer(1000)),
            ("number: 1", "number", .number(1)), ("number: 2.5e-1", "number", .number(0.25)),
            ("boolean: true", "boolean", .boolean(true)),
            ("choice: green", "choice", .text("green")),
            ("text: 1", "text", .text("1")), ("text: 'null'", "text", .text("null")),
            ("text: on", "text", .text("on")), ("text: 007", "text", .text("007")),
            ("duration: 100 ms", "duration", .duration(100)),
            ("duration: 1.5h", "duration", .duration(5_400_000)),
            ("duration: 7 days", "duration", .duration(604_800_000)),
            ("duration: 1 day", "duration", .duration(86_400_000)),
            ("size: 64 MiB", "size", .bytes(64 << 20)), ("size: 4096 bytes", "size", .bytes(4096)),
            ("extent: 1000 records", "extent", .extent(.records(1000))),
            ("extent: 5 min", "extent", .extent(.time(300_000))),
            ("columns: all", "columns", .columns(.all)),
            ("columns: [a, 1]", "columns", .columns(.named(["a", "1"]))),
            ("list: [1, 2]", "list", .list([.integer(1), .integer(2)])),
            ("list:", "list", .list([])),
            ("map: {a.b: 1, c: x}", "map", .map([TextPair("a.b", "1"), TextPair("c", "x")])),
            ("word: auto", "word", .text("auto")), ("word: 2 s", "word", .duration(2000)),
            (
                "named: {b: 1, a: 2}", "named",
                .named([NamedValue("b", .number(1)), NamedValue("a", .number(2))])
            ),
            ("component: plain", "component", .component(name: "plain", Settings())),
            ("component: {plain: }", "component", .component(name: "plain", Settings())),
            ("text: a", "integer", .integer(200)), ("text: a", "word", .text("auto")),
        ])
    func values(text: String, key: String, expected: SettingValue) {
        let (settings, messages) = read(text)
        #expect(messages.isEmpty)
        #expect(settings[key] == expected)
    }

    @Test(
        "a preset fills what the file leaves out; a bare value sets the short key",
        arguments: [
            ("component: short", 1, ColumnSelection.all), ("component: {short: all}", 1, .all),
            ("component: {short: [x]}", 1, .named(["x"])),
            ("component: {short: {compat: moa}}", 7, .all),
            ("component: {short: {compat: moa, depth: 3, columns: [y]}}", 3, .named(["y"])),
        ])
    func components(text: String, depth: Int, columns: ColumnSelection) {
        let (settings, messages) = read(text)
        #expect(messages.isEmpty)
        let component = settings.component("component")
        #expect(component.name == "short")
        #expect(component.settings.integer("depth") == depth)
        #expect(component.settings.columns("columns") == columns)
    }

    @Test(
        "a wrong value gives one message",
        arguments: [
            (
                "integer: 0",
                "integer: expected an integer of at least 1, got 0; remove the key to use 200"
            ),
            (
                "integer: '5'",
                "integer: expected an integer of at least 1, got \"5\"; remove the key to use 200"
            ),
            (
                "integer:",
                "integer: expected an integer of at least 1, got nothing; remove the key to use 200"
            ),
            ("small: 11", "small: expected an integer from 0 to 10, got 11; correct it"),
            ("number: .nan", "number: expected a number from 0 to 1, got .nan; correct it"),
            ("open: 0", "open: expected a number above 0, got 0; correct it"),
            ("open: .inf", "open: expected a number above 0, got .inf; correct it"),
            ("boolean: yes", "boolean: expected true or false, got yes; correct it"),
            ("choice: gren", "choice: expected red or green, got gren; did you mean green?"),
            ("choice: blue", "choice: expected red or green, got blue; remove the key to use red"),
            ("long: tree", "long: expected one of 9 names, got tree; did you mean three?"),
            (
                "long: zebra",
                "long: expected one of 9 names, got zebra; valid names: one, two, three, four, five, six, seven, eight, nine"
            ),
            ("text: ''", "text: expected a text, got an empty text; correct it"),
            ("text: [a]", "text: expected a text, got a list; correct it"),
            (
                "duration: soon",
                "duration: expected a duration such as `30 s`, got soon; remove the key to use 90 s"
            ),
            (
                "duration: 30",
                "duration: expected a duration such as `30 s`, got 30; add a unit: ms, s, min, h or days"
            ),
            (
                "duration: -1 s",
                "duration: expected a duration such as `30 s`, got -1 s; remove the key to use 90 s"
            ),
            (
                "duration: 2 weeks",
                "duration: expected a duration such as `30 s`, got 2 weeks; units are ms, s, min, h or days"
            ),
            (
                "size: 1 kib",
                "size: expected a size such as `64 MiB`, got 1 kib; did you mean KiB? units are bytes, KiB, MiB or GiB"
            ),
            (
                "extent: 5 rows",
                "extent: expected a number of records or a time, such as `1000 records` or `1 h`, got 5 rows; units are records, ms, s, min, h or days"
            ),
            (
                "columns: price",
                "columns: expected `all` or a list of columns, got price; remove the key to use all"
            ),
            ("list: 5", "list: expected a list, got 5; correct it"),
            ("list: [1, 9]", "list[1]: expected an integer from 0 to 5, got 9; correct it"),
            ("map: [1]", "map: expected a mapping of names to texts, got a list; correct it"),
            ("map: {a: }", "map.a: expected a text, got nothing; correct it"),
            ("section: 5", "section: expected a mapping, got 5; correct it"),
            ("section: {}", "section.inner: the key is missing; add it: an inner key"),
            (
                "word: later",
                "word: expected auto, or a duration such as `30 s`, got later; remove the key to use auto"
            ),
            ("named: {a: x}", "named.a: expected a number from 0 to 9, got x; correct it"),
            ("integr: 5", "integr: unknown key; did you mean integer?"),
            ("component: shrt", "component: unknown name shrt; did you mean short?"),
            ("component: zebra", "component: unknown name zebra; valid names: plain, short"),
            (
                "component: {plain: 3}",
                "component: expected the settings of plain, got 3; write only plain"
            ),
            (
                "component: {plain: {x: 1}}",
                "component.x: unknown key; remove it; nothing can be set here"
            ),
            (
                "component: {}",
                "component: expected one name, got an empty mapping; write one of plain, short"
            ),
            (
                "component: [plain]",
                "component: expected a name, or a name with its settings, got a list; write one of plain, short"
            ),
            (
                "component: {short: {compat: river}}",
                "component.compat: expected moa, got river; correct it"
            ),
            (
                "text: ${env:NONE}",
                "text: the environment has no variable NONE; set it, or write `${env:NONE:-default}`"
            ),
            (
                "text: ${home}",
                "text: `${home}` is no known reference; write `${env:NAME}`, `${env:NAME:-default}` or `${file:PATH}`, or `$${` for `${`"
            ),
            ("text: ${env:X", "text: `${` without its `}`; close it, or write `$${` for `${`"),
            (
                "text: ${file:x.txt}",
                "text: /nowhere/x.txt cannot be read: no such file or directory; create it; a relative path counts from the pipeline file's folder"
            ),
        ])
    func mistakes(text: String, message: String) {
        #expect(read(text).messages == ["f.yaml:1: \(message)"])
    }

    @Test(
        "references are filled in",
        arguments: [
            ("text: a${env:X}b", "a1b"), ("text: ${env:Y:-d}", "d"), ("text: ${env:X:-d}", "1"),
            ("text: $${env:X}", "${env:X}"), ("text: a$b", "a$b"), ("text: ${env:E:-d}", "d"),
        ])
    func references(text: String, expected: String) {
        let (settings, messages) = read(text, environment: ["X": "1", "E": ""])
        #expect(messages.isEmpty)
        #expect(settings.text("text") == expected)
    }

    @Test("a reference has the type of what it stands for, also in quotes")
    func typedReference() {
        let (settings, messages) = read(
            "{integer: \"${env:N}\", small: '${env:M:-3}', text: \"${env:T}\"}",
            environment: ["N": "12", "T": "null"])
        #expect(messages.isEmpty)
        #expect(settings.integer("integer") == 12)
        #expect(settings.integer("small") == 3)
        #expect(settings.text("text") == "null")
    }

    @Test("secret values stay out of messages and are marked")
    func secrets() throws {
        var reader = SettingsReader(
            file: "f", substitution: Substitution(folder: ".", environment: { _ in "hidden" }))
        let (root, _) = YAMLReader.read(
            Array("integer: ${env:A}\nmap: {sasl.password: x, ssl.key.pem: y, other: z}".utf8),
            file: "f")
        _ = reader.readDocument(root, as: Self.declarations)
        #expect(
            reader.mistakes.map(\.description) == [
                "f:1: integer: expected an integer of at least 1, got a secret value; remove the key to use 200"
            ])
        #expect(reader.places.isSecret("map.sasl.password"))
        #expect(reader.places.isSecret("map.ssl.key.pem"))
        #expect(!reader.places.isSecret("map.other"))
    }

    @Test("the line of a key is that of the nearest section known")
    func places() {
        var places = Places()
        places.set("a", line: 3)
        places.set("a.b[1]", line: 5)
        #expect(places.line(of: "a.b[1].c") == 5)
        #expect(places.line(of: "a.b[0]") == 3)
        #expect(places.line(of: "z.y") == 1)
    }
}
