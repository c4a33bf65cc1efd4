// Method: small declared commands; each way to write a line is compared with its parts, and each
// mistake with the whole message.
import Service
import Testing

@Suite("Argument parser")
struct ArgumentParserTests {
    private let parser = ArgumentParser(commands: [
        CommandDeclaration(
            name: "copy", summary: "Copy",
            arguments: [
                ArgumentDeclaration("FROM", .one, "source"),
                ArgumentDeclaration("TO", .oneOrMore, "targets"),
            ],
            options: [
                OptionDeclaration(flag: "once", "only once"),
                OptionDeclaration("rate", .number("N", 0...10), "speed"),
                OptionDeclaration("count", .integer("N", 1...Int.max), default: "7", "how many"),
                OptionDeclaration("format", .choice(["csv", "jsonl"]), default: "csv", "form"),
                OptionDeclaration("property", .text("K=V"), isRepeatable: true, "client property"),
                OptionDeclaration("label", .text("TEXT"), "a name"),
            ],
            examples: []),
        CommandDeclaration(
            name: "send", summary: "Send",
            arguments: [ArgumentDeclaration("WHAT", .optional, "thing")],
            options: [OptionDeclaration("topic", .text("T"), isRequired: true, "where to")],
            examples: []),
    ])

    @Test("options stand anywhere, with a space or an equals sign")
    func forms() throws {
        let parsed = try parser.parse(
            [
                "copy", "--rate", "2.5", "a", "--once", "b", "--count=3", "c", "--property", "x=1",
                "--property=y=2", "--label=",
            ].dropLast())
        #expect(parsed.one("FROM") == "a")
        #expect(parsed.all("TO") == ["b", "c"])
        #expect(parsed.flag("once"))
        #expect(parsed.number("rate") == 2.5)
        #expect(parsed.integer("count") == 3)
        #expect(parsed.texts("property") == ["x=1", "y=2"])
        #expect(parsed.text("format") == "csv")
        #expect(parsed.text("label") == nil)
    }

    @Test("what is not given has its default, or nothing")
    func defaults() throws {
        let parsed = try parser.parse(["copy", "a", "b"])
        #expect(parsed.integer("count") == 7)
        #expect(parsed.number("rate") == nil)
        #expect(!parsed.flag("once"))
        #expect(parsed.texts("property").isEmpty)
    }

    @Test("a lone dash is an argument, and after two dashes everything is")
    func dashes() throws {
        let parsed = try parser.parse(["copy", "-", "--", "--once", "-x"])
        #expect(parsed.one("FROM") == "-")
        #expect(parsed.all("TO") == ["--once", "-x"])
        #expect(!parsed.flag("once"))
    }

    @Test("a value may begin with a dash")
    func dashedValue() throws {
        let parsed = try parser.parse(["copy", "a", "b", "--label", "-5"])
        #expect(parsed.text("label") == "-5")
    }

    @Test("help is asked for anywhere, even in a line that is wrong", arguments: ["-h", "--help"])
    func help(word: String) throws {
        #expect(try parser.parse(["copy", word]).request == .help)
        #expect(try parser.parse(["send", "a", word]).request == .help)
    }

    @Test(
        "each mistake has its message",
        arguments: [
            ([], "tidewheel: no command given; run 'tidewheel help' for the list of commands"),
            (["cpoy"], "tidewheel: unknown command 'cpoy'; did you mean 'copy'?"),
            (
                ["frobnicate"],
                "tidewheel: unknown command 'frobnicate'; "
                    + "run 'tidewheel help' for the list of commands"
            ),
            (
                ["--frobnicate"],
                "tidewheel: unknown option '--frobnicate'; "
                    + "run 'tidewheel help' for the list of commands"
            ),
            (
                ["copy", "--onec"],
                "tidewheel copy: unknown option '--onec'; did you mean '--once'?"
            ),
            (
                ["copy", "-z"],
                "tidewheel copy: unknown option '-z'; run 'tidewheel help copy' for its options"
            ),
            (
                ["copy", "a"],
                "tidewheel copy: TO is missing; the form is 'tidewheel copy FROM TO… [options]'"
            ),
            (
                ["send", "a", "b", "--topic", "t"],
                "tidewheel send: unexpected argument 'b'; "
                    + "the form is 'tidewheel send [WHAT] --topic T'"
            ),
            (["send"], "tidewheel send: --topic is missing; add '--topic T': where to"),
            (
                ["copy", "a", "b", "--rate"],
                "tidewheel copy: --rate needs a value; write '--rate N'"
            ),
            (
                ["copy", "a", "b", "--rate", "--once"],
                "tidewheel copy: --rate needs a value; write '--rate N'"
            ),
            (
                ["copy", "a", "b", "--rate=fast"],
                "tidewheel copy: --rate expects a number, got 'fast'; write '--rate N'"
            ),
            (
                ["copy", "a", "b", "--rate=inf"],
                "tidewheel copy: --rate expects a number, got 'inf'; write '--rate N'"
            ),
            (
                ["copy", "a", "b", "--rate=11"],
                "tidewheel copy: --rate expects a number from 0.0 to 10.0, got 11; "
                    + "write '--rate N'"
            ),
            (
                ["copy", "a", "b", "--count=1.5"],
                "tidewheel copy: --count expects an integer, got '1.5'; write '--count N'"
            ),
            (
                ["copy", "a", "b", "--count=0"],
                "tidewheel copy: --count expects an integer of at least 1, got 0; "
                    + "write '--count N'"
            ),
            (
                ["copy", "a", "b", "--format=jsnl"],
                "tidewheel copy: --format does not know 'jsnl'; did you mean 'jsonl'?"
            ),
            (
                ["copy", "a", "b", "--format=xml"],
                "tidewheel copy: --format does not know 'xml'; one of csv, jsonl"
            ),
            (
                ["copy", "a", "b", "--once=yes"],
                "tidewheel copy: --once takes no value, got 'yes'; write '--once' alone"
            ),
            (
                ["copy", "a", "b", "--count=1", "--count=2"],
                "tidewheel copy: --count is given twice; keep one of them"
            ),
            (
                ["copy", "a", "b", "--label="],
                "tidewheel copy: --label has an empty value; write '--label TEXT'"
            ),
        ])
    func mistakes(words: [String], message: String) {
        do {
            _ = try parser.parse(words)
            Issue.record("\(words) was taken")
        } catch {
            #expect(error.description == message)
        }
    }
}
