import Foundation
import Service

/// The program in this process, with its output in memory.
struct ProgramRun {
    let code: ExitCode
    let output: String
    let messages: String

    init(_ words: [String]) {
        let output = MemoryChannel()
        let messages = MemoryChannel()
        code = CommandLineTool.run(words, console: Console(output: output, messages: messages))
        self.output = output.text
        self.messages = messages.text
    }

    init(_ words: String...) { self.init(words) }
}

/// A folder for the files of a test; it goes with its owner.
final class TestFolder {
    let url = FileManager.default.temporaryDirectory
        .appending(path: "tidewheel-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns its path.
    func file(_ name: String, _ content: String) throws -> String {
        let path = url.appending(path: name)
        try Data(content.utf8).write(to: path)
        return path.path
    }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func text(_ name: String) throws -> String {
        try String(contentsOf: url.appending(path: name), encoding: .utf8)
    }
}
