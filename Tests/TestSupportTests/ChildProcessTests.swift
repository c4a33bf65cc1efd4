// Method: small shell programs with known output, exit code and duration.
import Foundation
import TestSupport
import Testing

@Suite("Child process")
struct ChildProcessTests {
    @Test("the output of a program that succeeds is returned")
    func returnsOutput() throws {
        let printed = try ChildProcess.run(
            ["sh", "-c", "echo $GREETING; echo aside >&2"], environment: ["GREETING": "good day"])
        #expect(printed == "good day\n")
    }

    @Test("a failing program throws with its code and what it said")
    func throwsOnFailure() {
        let failure = #expect(throws: ChildFailure.self) {
            try ChildProcess.run(["sh", "-c", "echo because >&2; exit 3"])
        }
        #expect(failure?.code == 3)
        #expect(failure?.output.contains("because") == true)
        #expect(throws: ChildFailure.self) { try ChildProcess.run(["/no/such/program"]) }
    }

    @Test("a program is signalled, waited for and accounted")
    func signalsAndWaits() throws {
        let child = try ChildProcess(["sleep", "1000"])
        defer { child.removeOutput() }
        #expect(child.wait(seconds: 0) == nil)
        #expect(child.isRunning)
        #expect(child.cpuSeconds == nil)
        child.signal(SIGTERM)
        #expect(child.wait(seconds: 60) == 128 + SIGTERM)
        #expect(!child.isRunning)
        #expect((child.residentBytesMax ?? 0) > 0)
    }

    @Test("a program that nobody waits for leaves no zombie")
    func leavesNoZombie() throws {
        let pid: Int32
        do {
            let child = try ChildProcess(["true"])
            pid = child.pid
            child.removeOutput()
        }
        for _ in 0..<3_000 where kill(pid, 0) == 0 { usleep(10_000) }
        #expect(kill(pid, 0) == -1)
    }
}
