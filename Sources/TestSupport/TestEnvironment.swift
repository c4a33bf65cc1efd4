package import Foundation

/// What the tests may find on a machine, each named by an environment variable.
///
/// A test that needs something which is not there is skipped by name, with the remedy as the
/// reason: `@Test(.enabled(if: TestEnvironment.hasData, TestEnvironment.dataRemedy))`.
package enum TestEnvironment {
    /// The folder of public streams (`elec.csv.gz`, …), from `TIDEWHEEL_DATA`.
    package static let dataFolder: URL? = folder("TIDEWHEEL_DATA")
    /// The folder of Kafka's `libs`, from `KAFKA_HOME`.
    package static let kafkaHome: URL? = folder("KAFKA_HOME")
    /// The folder of reference results: `TIDEWHEEL_GOLDEN`, by default the project's copy.
    package static let goldenFolder: URL =
        folder("TIDEWHEEL_GOLDEN") ?? repository.appending(path: "Tests/Goldens")
    /// The root of the checkout.
    package static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    package static var hasData: Bool { dataFolder != nil }
    package static var hasKafka: Bool { kafkaHome != nil }
    package static let dataRemedy: String =
        "needs the public streams: set TIDEWHEEL_DATA to the folder that holds elec.csv.gz"
    package static let kafkaRemedy: String =
        "needs a real broker: set KAFKA_HOME to a Kafka folder whose libs/ holds its jars"
    /// Whether the tests are built with optimisation: long streams run in release only.
    package static var isRelease: Bool {
        #if DEBUG
            return false
        #else
            return true
        #endif
    }

    private static func folder(_ variable: String) -> URL? {
        guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else {
            return nil
        }
        return URL(filePath: path)
    }
}
