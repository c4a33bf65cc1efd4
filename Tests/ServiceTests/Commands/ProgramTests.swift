// Method: the built program as a child process: exit codes, what goes to which stream, signals.
import Foundation
import Service
import TestSupport
import Testing

@Suite("Program", .serialized)
struct ProgramTests {
    private func run(
        _ words: [String], seconds: Double = 60
    ) throws -> (code: Int32, output: String, errors: String) {
        let program = try #require(BuiltProgram.path, "no program beside the test bundle")
        let child = try ChildProcess([program] + words)
        defer { child.removeOutput() }
        let code = try #require(child.wait(seconds: seconds), "\(words) did not end")
        return (code, child.output, child.errors)
    }

    @Test("success is 0, bad usage 2, failure 1; messages go to standard error")
    func exitCodes() throws {
        let help = try run(["--help"])
        #expect(help.code == 0 && help.errors.isEmpty && help.output.contains("eval"))
        let usage = try run(["evall"])
        #expect(usage.code == 2 && usage.output.isEmpty)
        #expect(usage.errors.contains("did you mean 'eval'?"))
        let folder = try TestFolder()
        let bad = try folder.file("bad.yaml", "version: 1\n")
        #expect(try run(["check", bad]).code == 2)
        #expect(try run(["run", bad]).code == 2)
        let data = try folder.file("sea.csv", "attrib1,attrib2,attrib3,class\n1,2,3,0\n")
        let config = TestEnvironment.repository.appending(path: "configs/sea.yaml").path
        #expect(try run(["eval", config, data]).code == 0)
        #expect(try run(["eval", config, data + ".missing"]).code == 1)
    }

    @Test("no colours where no terminal is")
    func colors() throws {
        #expect(try !run(["help", "run"]).output.contains("\u{1B}"))
    }

    @Test("the demo runs to its end and sums up")
    func demo() throws {
        let result = try run(
            ["demo", "--records", "4000", "--rate", "0", "--seed", "2"], seconds: 120)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("4,000 records, each with one committed prediction"))
        #expect(result.output.contains("accuracy: model 0."))
        #expect(result.output.contains("What next"))
    }

    @Test("two files of one pipeline name are refused before anything starts")
    func sameName() throws {
        let config = TestEnvironment.repository.appending(path: "configs/sea.yaml").path
        let result = try run(["run", config, config])
        #expect(result.code == 2)
        #expect(result.errors.contains("pipeline sea is also that of"))
    }

    @Test("what the Kafka library refuses is a mistake of the file, with its line")
    func clientProperties() throws {
        let folder = try TestFolder()
        let file = try folder.file(
            "p.yaml",
            """
            version: 1
            pipeline: p
            kafka:
              bootstrap.servers: 127.0.0.1:1
              ssl.ca.location: /nowhere/ca.pem
              consumer: { fetch.wait.max.ms: soon }
            input: { topic: t }
            features: { x: numeric }
            label: { field: y }
            model: majority
            """)
        let offline = try run(["check", file])
        #expect(offline.code == 2)
        #expect(
            offline.errors.contains("p.yaml:6: kafka.consumer.fetch.wait.max.ms: Invalid value"))
        #expect(!offline.errors.contains("ca.pem"))
        let started = try run(["run", file])
        #expect(started.code == 2)
        #expect(
            started.errors.contains(
                "p.yaml:5: kafka.ssl.ca.location: cannot read /nowhere/ca.pem: No such file"))
        #expect(started.errors.split(separator: "\n").count == 2, "\(started.errors)")
    }

    @Test("a check against brokers that do not answer says so and ends with 1")
    func unreachable() throws {
        let folder = try TestFolder()
        let file = try folder.file(
            "p.yaml",
            """
            version: 1
            pipeline: p
            kafka: { bootstrap.servers: "127.0.0.1:1" }
            input: { topic: t }
            features: { x: numeric }
            label: { field: y }
            model: majority
            """)
        let result = try run(["check", file, "--connect"])
        #expect(result.code == 1)
        #expect(result.output.contains("127.0.0.1:1"))
    }
}
