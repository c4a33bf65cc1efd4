import Configuration
import Core
import Engine
import Formats

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
        for warning in read.warnings {
            console.say("\(console.messagesStyle.color("warning", .yellow)): \(warning)")
        }
        let missing =
            switch purpose {
            case .kafka: read.pipeline.mistakesOnKafka
            case .files: read.pipeline.mistakesOnFiles
            case .checking: [ConfigurationError]()
            }
        guard missing.isEmpty else { throw failure(missing) }
        return read.pipeline
    }

    /// One line for each mistake.
    static func failure(_ mistakes: [ConfigurationError]) -> CommandFailure {
        CommandFailure(mistakes.map(\.description).joined(separator: "\n"), exitCode: .usage)
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
