import CPlatform
package import Foundation

/// A program that a test runs, with its output in files.
///
/// Unlike Foundation's `Process` it does not wait for grandchildren, gives the child none of our
/// descriptors, and says what the child used.
package final class ChildProcess: @unchecked Sendable {
    /// The process id.
    package let pid: Int32
    /// Where standard output goes.
    package let outputFile: URL
    /// Where standard error goes.
    package let errorFile: URL

    private let lock = NSLock()
    private var usage: tw_child_usage?

    /// Starts `arguments[0]`, found on PATH unless it holds a slash.
    ///
    /// - Parameters:
    ///   - environment: added to our own.
    ///   - folder: where the output files go; the temporary folder by default.
    ///   - input: a descriptor for standard input; nothing to read by default.
    ///   - survives: whether it stays when our process group is ended (an interrupt from the
    ///     terminal, for example).
    package init(
        _ arguments: [String], environment: [String: String] = [:], folder: URL? = nil,
        input: Int32? = nil, survives: Bool = false
    ) throws {
        let folder = folder ?? FileManager.default.temporaryDirectory
        let name = "\(UUID().uuidString)-\(URL(filePath: arguments[0]).lastPathComponent)"
        outputFile = folder.appending(path: "\(name).out")
        errorFile = folder.appending(path: "\(name).err")
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
        let output = open(outputFile.path, flags, 0o600)
        let errors = open(errorFile.path, flags, 0o600)
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            close(output)
            close(errors)
            close(nothing)
        }
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        pid = withCStrings(arguments) { arguments in
            withCStrings(all.map { "\($0)=\($1)" }) { environment in
                tw_spawn(
                    arguments, environment, input ?? nothing, output, errors, survives ? 1 : 0)
            }
        }
        guard pid > 0 else {
            throw ChildFailure(
                command: arguments.joined(separator: " "), code: -1,
                output: String(cString: strerror(tw_errno())))
        }
    }

    deinit {
        // Nobody will ask any more, but a zombie must not stay: the monitor of exit tests waits for
        // any child and would see that one for ever.
        // One that did not start has the pid −1, which would wait for any child.
        guard usage == nil, pid > 0 else { return }
        let pid = pid
        Thread.detachNewThread {
            var ended = tw_child_usage()
            _ = tw_wait_child(pid, 1, &ended)
        }
    }

    /// Runs a program to its end and returns what it printed on standard output.
    ///
    /// - Throws: ``ChildFailure`` when it cannot be started, takes longer than `seconds` (it is
    ///   killed then) or ends with another code than 0.
    @discardableResult
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], seconds: Double = 120
    ) throws -> String {
        let child = try ChildProcess(arguments, environment: environment)
        defer { child.removeOutput() }
        let command = arguments.joined(separator: " ")
        guard let code = child.wait(seconds: seconds) else {
            child.signal(SIGKILL)
            _ = child.wait(seconds: 10)
            throw ChildFailure(
                command: command, code: -1, output: "not done in \(seconds) s\n\(child.errors)")
        }
        guard code == 0 else {
            throw ChildFailure(command: command, code: code, output: child.errors + child.output)
        }
        return child.output
    }

    /// What it printed on standard output so far.
    package var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
    /// What it printed on standard error so far.
    package var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }
    /// Whether it has not ended yet.
    package var isRunning: Bool { collect() == nil }
    /// The processor seconds that it used, once it has ended.
    package var cpuSeconds: Double? { collect().map { Double($0.cpu_nanoseconds) * 1e-9 } }
    /// Its largest resident memory, once it has ended.
    package var residentBytesMax: Int? { collect().map { Int($0.resident_bytes_max) } }

    /// Sends a signal, unless it has ended.
    package func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Waits for its end: the exit code, 128 + the signal that ended it, or `nil` after `seconds`.
    package func wait(seconds: Double) -> Int32? {
        let end = tw_monotonic_nanoseconds() + Int64(seconds * 1e9)
        var pause: UInt32 = 500
        while true {
            if let usage = collect() { return usage.exit_code }
            if tw_monotonic_nanoseconds() >= end { return nil }
            usleep(pause)
            pause = min(2 * pause, 20_000)
        }
    }

    /// Removes the two output files.
    package func removeOutput() {
        try? FileManager.default.removeItem(at: outputFile)
        try? FileManager.default.removeItem(at: errorFile)
    }

    private func collect() -> tw_child_usage? {
        lock.withLock {
            if usage == nil {
                var ended = tw_child_usage()
                if tw_wait_child(pid, 0, &ended) == 1 { usage = ended }
            }
            return usage
        }
    }
}

/// A child process that did not do what it should.
package struct ChildFailure: Error, CustomStringConvertible {
    /// What was run.
    package let command: String
    /// Its exit code, or -1 when it did not start or end.
    package let code: Int32
    /// What it said.
    package let output: String
    package var description: String { "`\(command)` ended with \(code): \(output)" }
}

/// Calls `body` with the texts as a list of C strings that ends with `nil`.
private func withCStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = texts.map { strdup($0) } + [nil]
    defer {
        for pointer in pointers { free(pointer) }
    }
    return body(pointers)
}
