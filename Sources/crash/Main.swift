import Foundation
import TestSupport

/// The crash test's command line; `tools/crash` builds and calls it.
@main
enum Main {
    static func main() {
        var words = Array(CommandLine.arguments.dropFirst())
        do {
            if words.first == "worker" {
                words.removeFirst()
                var arguments = Arguments(words)
                try WorkerCommand.run(&arguments)
            } else if words.contains(where: { ["help", "--help", "-h"].contains($0) }) {
                print(CrashSettings.help)
            } else {
                var arguments = Arguments(words)
                let settings = try CrashSettings(&arguments)
                exit(try CrashRun(settings).run() ? 0 : 1)
            }
        } catch {
            FileHandle.standardError.write(Data("crash: \(error)\n".utf8))
            if case ToolFailure.usage = error { exit(2) }
            exit(1)
        }
    }
}
