import Configuration
import Core
import Engine
import Formats
import KafkaIO

/// Reads the pipeline files that commands name.
enum PipelineLoading {
    /// Where a command takes a pipeline's records from.
    enum Purpose {
        case kafka
        case files
        /// The file itself is all that matters.
        case checking
    }

    /// - Throws: ``CommandFailure`` with every mistake and the exit code for bad usage.
    static func load(
        _ path: String, for purpose: Purpose, console: Console
    ) throws(CommandFailure) -> Pipeline {
        let read: (pipeline: Pipeline, warnings: [ConfigurationError])
        do {
            read = try PipelineReader.read(path: path, catalogue: .standard)
        } catch {
            throw failure(error.all)
        }
        let missing =
            switch purpose {
            case .kafka:
                (read.pipeline.mistakesOnKafka + read.pipeline.clientMistakes(readsFiles: true))
                    .sortedByLine
            case .files: read.pipeline.mistakesOnFiles
            case .checking: [ConfigurationError]()
            }
        for warning in read.warnings where !missing.contains(where: { $0.key == warning.key }) {
            console.say("\(console.messagesStyle.color("warning", .yellow)): \(warning)")
        }
        guard missing.isEmpty else { throw failure(missing) }
        return read.pipeline
    }

    /// One line for each mistake.
    static func failure(_ mistakes: [ConfigurationError]) -> CommandFailure {
        CommandFailure(mistakes.map(\.description).joined(separator: "\n"), exitCode: .usage)
    }
}

extension Pipeline {
    /// What the Kafka library says to the client properties, at their places in the file; nothing is
    /// connected.
    ///
    /// - Parameter readsFiles: whether certificates and keys that are named must be there.
    func clientMistakes(readsFiles: Bool) -> [ConfigurationError] {
        kafkaSettings.propertyProblems(readsFiles: readsFiles).map { name, problem in
            let keys = ["kafka", "kafka.consumer", "kafka.producer"].map { "\($0).\(name)" }
            // The key says the property's name.
            let prefix = "kafka: \(name): "
            let words = problem.problem
            return mistake(
                keys.first(where: places.has) ?? keys[0],
                words.hasPrefix(prefix) ? String(words.dropFirst(prefix.count)) : words,
                problem.remedy)
        }
    }
}

extension PipelineLoading {
    /// What a pipeline that cannot be built over a data file is told.
    static func failure(
        _ pipeline: Pipeline, _ error: ProcessorError, path: String, columns: [String]
    ) -> CommandFailure {
        switch error {
        case .settings(let section, let error):
            return failure([pipeline.mistake(section, error)])
        case .format(.missingColumn(let name)):
            let nearest =
                NearestName.find(name, among: columns).map { "did you mean \($0)?" }
                ?? "its columns are \(columns.joined(separator: ", "))"
            return failure([
                pipeline.mistake("features.\(name)", "\(path) has no column \(name)", nearest)
            ])
        case .format(.repeatedColumn(let name)):
            return failure([
                pipeline.mistake(
                    "features.\(name)", "\(path) has two columns \(name)", "rename one of them")
            ])
        }
    }
}
