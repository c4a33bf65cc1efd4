import Glibc
import Service

@main
struct Main {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        exit(CommandLineTool.run(words, console: .standard).rawValue)
    }
}
