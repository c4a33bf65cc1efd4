import CPlatform
import Foundation
import TestSupport

/// Something that a worker said.
struct WorkerEvent {
    enum What {
        /// With the version of librdkafka that it runs on.
        case started(String)
        case commit(TaskID)
        /// With the sequence number of the snapshot that it began with, if any.
        case restored(TaskID, records: Int, snapshot: Int?)
        case snapshot
        case state(TaskID, hash: UInt64)
        case died(String)
        case ended
    }

    /// Of the monotonic clock, in nanoseconds.
    let time: Int64
    let what: What

    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count >= 2, let time = Int64(words[0]) else { return nil }
        self.time = time
        func task() -> TaskID? {
            guard words.count >= 5, let number = Int(words[3]) else { return nil }
            return TaskID(pipeline: String(words[2]), task: number)
        }
        switch words[1] {
        case "started" where words.count == 3: what = .started(String(words[2]))
        case "ended": what = .ended
        case "died" where words.count == 3: what = .died(String(words[2]))
        case "commit":
            guard let task = task() else { return nil }
            what = .commit(task)
        case "restored":
            guard let task = task(), words.count == 6, let records = Int(words[4]),
                let snapshot = Int(words[5])
            else { return nil }
            what = .restored(task, records: records, snapshot: snapshot < 0 ? nil : snapshot)
        case "snapshot": what = .snapshot
        case "state":
            guard let task = task(), let hash = UInt64(words[4]) else { return nil }
            what = .state(task, hash: hash)
        default: return nil
        }
    }
}

/// A process that runs the pipelines, started again under the same slot after each death.
final class Worker {
    let slot: Int
    private let child: ChildProcess
    private let orders: Int32
    private let output: FileHandle
    private var rest = Data()
    /// Whether SIGSTOP holds it.
    private(set) var isPaused = false
    /// Whether its end is what the driver wants; anything else is a finding.
    var expectsEnd = false
    /// Exit codes that are no finding.
    var expectedCodes: Set<Int32> = [137]
    /// The named point that it is to die at.
    private(set) var order: CrashTrap.Order?
    /// Whether it said that it dies at a point.
    var diedAt: String?

    init(
        slot: Int, instance: String, paths: [String], folder: URL, librdkafka: String?,
        extra: [String] = [], order: CrashTrap.Order? = nil
    ) throws {
        self.slot = slot
        self.order = order
        var ends: [Int32] = [-1, -1]
        guard tw_pipe(&ends) == 0 else { throw ToolFailure.running("no pipe") }
        defer { close(ends[0]) }
        var arguments = ["/proc/self/exe", "worker", "--instance", instance] + extra
        arguments[0] = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
        if let order { arguments += ["--arm", order.text] }
        child = try ChildProcess(
            arguments + paths, environment: librdkafka.map { ["LD_PRELOAD": $0] } ?? [:],
            folder: folder, input: ends[0])
        orders = ends[1]
        output = try FileHandle(forReadingFrom: child.outputFile)
    }

    deinit {
        close(orders)
        try? output.close()
    }

    var pid: Int32 { child.pid }
    /// How it ended; `nil` while it runs.
    var exitCode: Int32? { child.wait(seconds: 0) }

    func kill() { child.signal(SIGKILL) }
    func terminate() { child.signal(SIGTERM) }

    func pause() {
        child.signal(SIGSTOP)
        isPaused = true
    }

    func resume() {
        child.signal(SIGCONT)
        isPaused = false
    }

    func arm(_ new: CrashTrap.Order?) {
        order = new
        let line = Array(((new.map { "arm \($0.text)" } ?? "disarm") + "\n").utf8)
        _ = line.withUnsafeBytes { write(orders, $0.baseAddress, $0.count) }
    }

    /// What it said since the last call.
    func newEvents() -> [WorkerEvent] {
        guard let more = try? output.readToEnd(), !more.isEmpty else { return [] }
        rest += more
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let text = String(decoding: rest[...end], as: UTF8.self)
        rest = Data(rest[rest.index(after: end)...])
        return text.split(separator: "\n").compactMap { WorkerEvent($0) }
    }

    /// The last lines that it wrote for people.
    func lastWords(_ count: Int = 12) -> String {
        child.errors.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    func removeOutput() { child.removeOutput() }
}
