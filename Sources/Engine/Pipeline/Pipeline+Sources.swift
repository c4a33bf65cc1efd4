package import Configuration
internal import Core
internal import Formats

/// What a pipeline needs besides a valid file, by where its records come from.
extension Pipeline {
    /// What is missing for running on Kafka; empty if nothing is.
    package var mistakesOnKafka: [ConfigurationError] {
        var mistakes: [ConfigurationError] = []
        if kafka.bootstrapServers == nil {
            mistakes.append(
                mistake(
                    "kafka", "no broker is named", "add `bootstrap.servers: HOST:9092` to kafka"))
        }
        if input.topic == nil {
            mistakes.append(
                mistake("input.topic", "no topic is named", "add the topic to read"))
        }
        if case .csv(let csv) = input.format, csv.columns.isEmpty {
            mistakes.append(
                mistake(
                    "input.format", "records of a topic have no header line",
                    "name the columns: `format: {csv: {columns: [first, second]}}`"))
        }
        return mistakes.sortedByLine
    }

    /// What is missing for reading files, which carry no time of their own; empty if nothing is.
    package var mistakesOnFiles: [ConfigurationError] {
        guard schema.eventTimePath == nil else { return [] }
        var keys: [String] = []
        if case .time = metrics.every { keys.append("metrics.every") }
        for (index, window) in metrics.windows.enumerated() {
            if case .time = window { keys.append("metrics.windows[\(index)]") }
        }
        return keys.map { key in
            mistake(
                key, "records of a file have no time, so they cannot be counted by time",
                "name the field of the event time: input.time.field")
        }
    }
}
