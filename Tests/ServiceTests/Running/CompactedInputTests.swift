// Method: pipelines on a real broker, with compacted inputs and another one; what a start and
// `check --connect` say of the input is looked at, and that the pipeline runs all the same.
import Foundation
import Service
import TestSupport
import Testing

@Suite(
    "Compacted inputs",
    .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
struct CompactedInputTests {
    @Test(
        "a compacted input is named at the start and by the check, once, and is no obstacle",
        arguments: [("compact", true), ("delete,compact", true), ("delete", false)])
    func warning(policy: String, isCompacted: Bool) throws {
        let fixture = try PipelineFixture(
            "compacted", partitions: 2, properties: ["cleanup.policy": policy])
        let words = "input \(fixture.name) is compacted: "
        let folder = try TestFolder()
        let file = try folder.file("it.yaml", fixture.text)
        let check = ProgramRun("check", file, "--connect")
        #expect(check.code == .success)
        #expect(check.output.contains("note       \(words)") == isCompacted, "\(check.output)")
        #expect(!check.output.contains("is not known"))

        try fixture.produce(0..<100)
        let running = fixture.start()
        try fixture.waitForPredictions(100)
        #expect(running.stop() == .stopped)
        let said = fixture.said.filter { $0.contains(words) }
        #expect(said.count == (isCompacted ? 1 : 0), "\(fixture.said)")
        #expect(said.allSatisfy { $0.hasPrefix("warning ") })
        #expect(said.allSatisfy { $0.contains("set cleanup.policy=delete") })
    }
}
