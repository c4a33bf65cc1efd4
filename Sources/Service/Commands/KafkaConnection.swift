import Core
import KafkaIO

/// The options of commands that reach Kafka without a pipeline file, and what they mean.
enum KafkaConnection {
    static let options: [OptionDeclaration] = [
        OptionDeclaration(
            "bootstrap-server", .text("HOST:PORT"),
            "the brokers; default: KAFKA_BROKERS of the environment, else localhost:9092"),
        OptionDeclaration(
            "property", .text("K=V"), isRepeatable: true,
            "a client property in librdkafka's name, such as security.protocol=SSL"),
    ]

    /// - Throws: ``UsageError`` for properties that are unknown, malformed or the engine's own.
    static func settings(_ arguments: ParsedArguments) throws(UsageError) -> KafkaSettings {
        let brokers =
            arguments.text("bootstrap-server") ?? Environment.value("KAFKA_BROKERS")
            ?? "localhost:9092"
        var pairs = [TextPair("bootstrap.servers", brokers)]
        for property in arguments.texts("property") {
            let parts = property.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw UsageError(
                    command: arguments.command.name,
                    problem: "--property expects NAME=VALUE, got '\(property)'",
                    remedy: "write '--property security.protocol=SSL'")
            }
            pairs.append(TextPair(String(parts[0]), String(parts[1])))
        }
        let settings = KafkaSettings(common: pairs)
        if let problem = settings.problems().first {
            throw UsageError(
                command: arguments.command.name, problem: problem.problem, remedy: problem.remedy)
        }
        return settings
    }

    /// Says outages and their end on standard error.
    static func log(_ console: Console) -> KafkaLog {
        KafkaLog { line in
            if line.severity != .info { console.say("tidewheel: \(line.message)") }
        }
    }
}
