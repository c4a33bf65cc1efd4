package import Configuration
package import Core
package import Formats

/// A pipeline file, checked: everything that its tasks, topics and connections follow from.
///
/// Made by ``PipelineReader`` alone, so that every value has passed its checks.
package struct Pipeline: Sendable {
    /// A component by its declared name with its checked settings.
    package struct Component: Sendable, Equatable {
        package let name: String
        package let settings: Settings
    }

    /// A drift detector with what it watches and does.
    package struct Detector: Sendable, Equatable {
        package enum Action: String, Sendable, CaseIterable {
            /// Writes a drift event.
            case alert
            /// Writes a drift event and lets the model begin anew.
            case reset
        }

        package let component: Component
        package let action: Action
    }

    package struct Input: Sendable, Equatable {
        /// Where a pipeline begins that has never run.
        package enum Start: String, Sendable, CaseIterable {
            case earliest
            case latest
        }

        /// `nil` for a pipeline that only reads files.
        package let topic: String?
        /// The columns of CSV are empty where a header names them.
        package let format: InputFormat
        package let start: Start
        /// Longer values are set aside, in bytes.
        package let valueBytesLimit: Int
    }

    package struct Output: Sendable, Equatable {
        package let predictionsTopic: String
        package let metricsTopic: String
        package let deadLettersTopic: String
        package let stateTopic: String
        package let journalTopic: String
        package let createsTopics: Bool
        /// Partitions of created prediction and dead-letter topics; `nil`: as many as the input.
        package let partitions: Int?
        /// Replication of created topics; `nil`: the broker's default.
        package let replication: Int?

        package func topic(_ stream: OutputStream) -> String {
            switch stream {
            case .predictions: predictionsTopic
            case .metrics: metricsTopic
            case .deadLetters: deadLettersTopic
            case .journal: journalTopic
            case .state: stateTopic
            }
        }
    }

    package struct Metrics: Sendable, Equatable {
        /// Metrics are written when the count, or the highest event time, crosses a multiple.
        package let every: Extent
        package let windows: [Extent]
        /// The names to report, all of the task if the file names none.
        package let track: [String]
    }

    package enum BadRecordPolicy: String, Sendable, CaseIterable {
        case deadLetter = "dead_letter"
        case skip
        case fail
    }

    package enum CommitInterval: Sendable, Equatable {
        /// As soon as the last commit is done at low load, up to 100 ms at full speed.
        case automatic
        case milliseconds(Int64)
    }

    package struct Delivery: Sendable, Equatable {
        /// What a reader of the outputs may rely on.
        package enum Guarantee: String, Sendable, CaseIterable {
            case exactlyOnce = "exactly_once"
            case atLeastOnce = "at_least_once"
        }

        package let guarantee: Guarantee
        package let commitEvery: CommitInterval
        /// In milliseconds.
        package let shutdownWithin: Int64
    }

    package struct State: Sendable, Equatable {
        package enum LostInputPolicy: String, Sendable, CaseIterable {
            case stop
            case continueFromSnapshot = "continue_from_snapshot"
        }

        /// The version of the state, from 1: a higher one than the stored begins anew.
        package let version: Int
        /// In milliseconds.
        package let restoreWithin: Int64
        /// How long journal and snapshots are kept that no restore needs, in milliseconds.
        package let history: Int64
        package let onLostInput: LostInputPolicy
        /// For slots; `nil` lets the service choose.
        package let folder: String?
    }

    /// The file's path, as it was given.
    package let file: String
    /// Names topics, the consumer group and transactional ids.
    package let name: String
    package let kafka: ClientProperties
    package let input: Input
    package let schema: Schema
    package let task: LearningTask
    /// The class that precision, recall, F1 and ROC AUC judge, as declared, or as follows from the
    /// declared classes; `nil` if the classes seen in the stream decide.
    package let positiveClass: String?
    package let preparation: [Component]
    package let model: Component
    package let scope: Scope
    package let output: Output
    package let metrics: Metrics
    package let detectors: [Detector]
    package let onBadRecord: BadRecordPolicy
    package let delivery: Delivery
    package let state: State
    /// The seed from which each random part derives its own.
    package let seed: UInt64
    /// Where keys stand in the file.
    package let places: Places

    /// The consumer group.
    package var groupID: String { "tidewheel.\(name)" }

    /// A mistake at a key, such as `model.grace_period`; the nearest section gives the line.
    package func mistake(_ key: String, _ problem: String, _ remedy: String) -> ConfigurationError {
        ConfigurationError(
            file: file, line: places.line(of: key), key: key, problem: problem, remedy: remedy)
    }

    /// What a component refused, at its key: `section` is `model`, `prepare[0]`, `drift[1]`.
    package func mistake(_ section: String, _ error: SettingsError) -> ConfigurationError {
        mistake(
            error.key.isEmpty ? section : "\(section).\(error.key)", error.problem, error.remedy)
    }
}
