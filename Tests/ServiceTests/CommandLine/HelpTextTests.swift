// Method: the help of a declared command is compared line by line; every real command must be
// complete, and the reference page must be the generated one.
import Foundation
import Service
import TestSupport
import Testing

@Suite("Help")
struct HelpTextTests {
    private let command = CommandDeclaration(
        name: "copy", summary: "Copy records", details: ["One paragraph that says more."],
        arguments: [ArgumentDeclaration("FROM", .one, "where they come from")],
        options: [
            OptionDeclaration(
                "count", .integer("N", 1...9), default: "7",
                "how many records are copied before it ends of its own accord"),
            OptionDeclaration(flag: "secret", isHidden: true, "not shown"),
        ],
        examples: [CommandExample("tidewheel copy a", "copies from a")])

    @Test("a command's help holds all that is declared, wrapped to the width")
    func commandHelp() {
        let text = HelpText.command(command, style: .plain, width: 50)
        #expect(
            text == """
                Copy records.

                Usage: tidewheel copy FROM [options]

                One paragraph that says more.

                Arguments:
                  FROM  where they come from

                Options:
                  --count N   how many records are copied before
                              it ends of its own accord; default 7
                  -h, --help  show this help

                Examples:
                  # copies from a
                  tidewheel copy a

                """)
    }

    @Test("without colours there is no escape sequence, with colours there is")
    func colors() {
        let plain = HelpText.overview([command], style: .plain)
        let colored = HelpText.overview([command], style: TextStyle(isColored: true))
        #expect(!plain.contains("\u{1B}"))
        #expect(colored.contains("\u{1B}[1mcopy\u{1B}[0m"))
    }

    @Test("every command has a summary without a full stop, examples and described options")
    func completeness() {
        for command in CommandLineTool.commands.map({ $0.declaration }) {
            #expect(!command.summary.isEmpty && !command.summary.hasSuffix("."), "\(command.name)")
            #expect(!command.examples.isEmpty, "\(command.name)")
            for example in command.examples {
                #expect(example.line.contains("tidewheel \(command.name)"), "\(example.line)")
            }
            let names = command.options.map(\.name)
            #expect(Set(names).count == names.count, "\(command.name)")
            let several = command.arguments.dropLast().filter { $0.count != .one }
            #expect(several.isEmpty, "\(command.name): only the last argument may vary in count")
        }
    }

    @Test("the reference page is the generated one; renew it with tidewheel help --markdown")
    func referencePage() throws {
        let page = TestEnvironment.repository.appending(path: "docs/reference/command-line.md")
        let written = try String(contentsOf: page, encoding: .utf8)
        let generated = HelpText.markdown(CommandLineTool.commands.map { $0.declaration })
        #expect(written == generated)
    }
}
