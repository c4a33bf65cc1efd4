import Foundation
import TestSupport

/// The benchmarks' command line; `tools/bench` builds and calls it.
@main
enum Main {
    static let help = """
        bench kafka [--records 1000000] [--rounds 5] [--warm-ups 3] [--only NAME[,NAME]...]
                [--json FILE]
            one broker, in one run, alternating: the copy loop and the pipelines; medians
        bench latency [--rate 5000] [--seconds 30] [--rounds 3] [--only NAME[,NAME]] [--json FILE]
            one broker: from the producer to a read-committed consumer, p50 and p99
        bench restart [--kills 40] [--stops 10] [--rate 2000] [--model YAML]
                [--restore-within TIME] [--warm-up SECONDS] [--log all] [--json FILE]
            one broker: from the start of a process to its first new committed prediction
        bench pause [--rounds 7] [--only TEXT] [--json FILE]
            in memory: how long learning stands still while its state is captured
        bench kernels [--only TEXT] [--json FILE]
            models, decoding and encoding in memory: records per CPU second; TEXT chooses kernels

        Parts that the others run as processes of their own:
        bench load BOOTSTRAP TOPIC --records N --partitions N
        bench copy BOOTSTRAP INPUT OUTPUT GROUP [--records N] [--commit MS] [--wake MS]
            [--consumer KEY=VALUE]... [--producer KEY=VALUE]...
        """

    static func main() {
        var arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
        do {
            switch arguments.next() {
            case "kafka": try KafkaBenchmark(&arguments).run()
            case "latency": try LatencyBenchmark(&arguments).run()
            case "restart": try RestartBenchmark(&arguments).run()
            case "pause": try PauseBenchmark(&arguments).run()
            case "kernels": try KernelBenchmark(&arguments).run()
            case "load": try Loader.run(&arguments)
            case "copy": try CopyCommand.run(&arguments)
            case "help", "--help", "-h": print(help)
            default: throw BenchmarkFailure.usage("say what to measure:\n\(help)")
            }
        } catch BenchmarkFailure.usage(let text) {
            complain(text)
            exit(2)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data("bench: \(text)\n".utf8))
    }
}

/// Refuses to begin without a broker to start and the public streams.
func requireBrokerAndData() throws {
    guard TestEnvironment.hasKafka else {
        throw BenchmarkFailure.usage(TestEnvironment.kafkaRemedy)
    }
    guard TestEnvironment.hasData else {
        throw BenchmarkFailure.usage(TestEnvironment.dataRemedy)
    }
}

/// Why a benchmark could not be made.
enum BenchmarkFailure: Error, CustomStringConvertible {
    /// The command line or the environment is wrong: exit code 2.
    case usage(String)
    /// Something went wrong while measuring: exit code 1.
    case measuring(String)

    var description: String {
        switch self {
        case .usage(let text), .measuring(let text): text
        }
    }
}

/// Command-line words, taken one by one; options may stand anywhere.
struct Arguments {
    private var words: [String]

    init(_ words: [String]) { self.words = words }

    /// The next word that is no option, if there is one.
    mutating func next() -> String? {
        guard let first = words.first, !first.hasPrefix("--") || first == "--help" else {
            return nil
        }
        return words.removeFirst()
    }

    /// The next word that is no option, or a complaint that `name` is missing.
    mutating func required(_ name: String) throws -> String {
        guard let word = next() else { throw BenchmarkFailure.usage("\(name) is missing") }
        return word
    }

    /// The value of `--name VALUE`, taken out.
    mutating func option(_ name: String) throws -> String? {
        guard let index = words.firstIndex(of: "--\(name)") else { return nil }
        guard index + 1 < words.count else {
            throw BenchmarkFailure.usage("--\(name) needs a value")
        }
        defer { words.removeSubrange(index...index + 1) }
        return words[index + 1]
    }

    /// The positive whole number of `--name N`.
    mutating func number(_ name: String, default standard: Int) throws -> Int {
        guard let text = try option(name) else { return standard }
        guard let value = Int(text), value >= 0 else {
            throw BenchmarkFailure.usage("--\(name): expected a whole number, got \(text)")
        }
        return value
    }

    /// The values of every `--name KEY=VALUE`, flat: key, value, key, value.
    mutating func settings(_ name: String) throws -> [String] {
        var flat: [String] = []
        while let text = try option(name) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw BenchmarkFailure.usage("--\(name): expected KEY=VALUE, got \(text)")
            }
            flat += parts
        }
        return flat
    }

    /// Complains about whatever nobody has taken.
    func finish() throws {
        guard words.isEmpty else {
            throw BenchmarkFailure.usage("not understood: \(words.joined(separator: " "))")
        }
    }
}
