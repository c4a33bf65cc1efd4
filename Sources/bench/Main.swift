import Foundation
import TestSupport

/// The benchmarks' command line; `tools/bench` builds and calls it.
@main
enum Main {
    static let help = """
        bench kafka [--records 1000000] [--rounds 5] [--warm-ups 10] [--only NAME[,NAME]...]
                [--json FILE]
            one broker, in one run, alternating: the copy loop and the pipelines; medians
        bench latency [--rate 5000] [--seconds 30] [--rounds 3] [--only NAME[,NAME]] [--json FILE]
            one broker: from the producer to a read-committed consumer, p50 and p99
        bench restart [--kills 40] [--stops 10] [--rate 2000] [--model YAML]
                [--restore-within TIME] [--warm-up SECONDS] [--log all] [--json FILE]
            one broker: from the start of a process to its first new committed prediction
        bench pause [--rounds 20] [--only TEXT] [--json FILE]
            in memory: how long learning stands still while its state is captured
        bench kernels [--only TEXT] [--json FILE]
            models, decoding and encoding in memory: records per CPU second; TEXT chooses kernels

        Parts that the others run as processes of their own:
        bench load BOOTSTRAP TOPIC --records N --partitions N
        bench copy BOOTSTRAP INPUT OUTPUT GROUP [--records N] [--commit MS] [--wake MS]
            [--consumer KEY=VALUE]... [--producer KEY=VALUE]...
        bench pipeline FILE [--without-journal]

        What journal and snapshots cost: --only state,without_state (kafka and latency).
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
            case "pipeline": try CopiedPipelineCommand.run(&arguments)
            case "help", "--help", "-h": print(help)
            default: throw ToolFailure.usage("say what to measure:\n\(help)")
            }
        } catch ToolFailure.usage(let text) {
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
        throw ToolFailure.usage(TestEnvironment.kafkaRemedy)
    }
    guard TestEnvironment.hasData else {
        throw ToolFailure.usage(TestEnvironment.dataRemedy)
    }
}
