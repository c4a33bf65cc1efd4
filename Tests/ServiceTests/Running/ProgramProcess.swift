// Method: what the tests of whole processes share: the built program that runs a fixture's pipeline.
import Foundation
import TestSupport
import Testing

/// `tidewheel run` as a child process; ended with its owner.
final class ProgramProcess {
    let child: ChildProcess
    private let folder: TestFolder

    /// - Parameter text: Another pipeline file than the fixture's.
    init(_ fixture: PipelineFixture, _ words: [String] = [], text: String? = nil) throws {
        let program = try #require(BuiltProgram.path, "no program beside the test bundle")
        folder = try TestFolder()
        let file = try folder.file("pipeline.yaml", text ?? fixture.text)
        child = try ChildProcess([program, "run", file] + words, folder: folder.url)
    }

    deinit {
        child.signal(SIGKILL)
        _ = child.wait(seconds: 10)
    }

    /// What it said.
    var said: String { child.errors }

    /// Waits until it has said something.
    func wait(for text: String, seconds: Double = 180) throws {
        let end = Date().addingTimeInterval(seconds)
        while !said.contains(text) {
            guard Date() < end, child.isRunning else {
                throw FixtureError("not said: \(text); said: \(said)")
            }
            usleep(10_000)
        }
    }

    /// Ends it at once, as a crash would.
    func kill() {
        child.signal(SIGKILL)
        _ = child.wait(seconds: 10)
    }

    /// Asks it to stop; its exit code.
    func stop(seconds: Double = 40) -> Int32? {
        child.signal(SIGTERM)
        return child.wait(seconds: seconds)
    }
}
