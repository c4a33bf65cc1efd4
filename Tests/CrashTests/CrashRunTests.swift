// Method: the built tool on a real broker; a small run must end clean and say so (tools/test makes one
// with 20 kills and every fault), and a run that asks for something that does not exist must say what
// is wrong.
import Foundation
import TestSupport
import Testing

@Suite("The crash test")
struct CrashRunTests {
    /// The tool beside the test bundle.
    private static let path: String = {
        let bundles =
            Bundle.allBundles.map(\.bundleURL) + [
                URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            ]
        for bundle in bundles {
            for folder in [bundle, bundle.deletingLastPathComponent()] {
                let path = folder.appending(path: "crash").path
                if FileManager.default.isExecutableFile(atPath: path) { return path }
            }
        }
        return "crash"
    }()

    private func run(_ words: [String], seconds: Double) throws -> (code: Int32, text: String) {
        let child = try ChildProcess([Self.path] + words)
        defer { child.removeOutput() }
        guard let code = child.wait(seconds: seconds) else {
            child.signal(SIGKILL)
            _ = child.wait(seconds: 10)
            return (-1, child.errors + child.output)
        }
        return (code, child.output + child.errors)
    }

    @Test(
        "nothing is lost, doubled or changed, whatever happens",
        .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
    func clean() throws {
        let words = [
            "--kills", "4", "--others", "1", "--rate", "400", "--pipelines", "tree,canary-merged",
            "--faults", "kill,stop,rebalance", "--workers", "2",
        ]
        let ended = try run(words + ["--seed", "7"], seconds: 1500)
        #expect(ended.code == 0, "\(ended.text.suffix(6000))")
        #expect(ended.text.contains("Nothing lost, doubled or changed."))
        let total = try #require(ended.text.firstMatch(of: /kill -9 in all: (\d+)/))
        #expect(try #require(Int(total.1)) >= 4)
    }

    @Test(
        "bad usage ends with 2 and says what there is",
        arguments: [
            (["--faults", "flood"], "there is no fault flood"),
            (["--points", "nowhere"], "there is no point nowhere; there are begin.before"),
            (["--nodes", "1"], "brokers are killed in clusters of three or more"),
            (["--kills", "many"], "expected a whole number, got many"),
            (["--librdkafka", "/no/such/file"], "there is no file /no/such/file"),
            (["--surprise"], "not understood: --surprise"),
        ])
    func usage(words: [String], answer: String) throws {
        let ended = try run(words, seconds: 60)
        #expect(ended.code == 2)
        #expect(ended.text.contains(answer))
    }
}
