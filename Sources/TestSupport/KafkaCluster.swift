import CPlatform
import CRdKafka
package import Foundation

/// A real Kafka cluster on this machine for tests, started through `tools/kafka`.
///
/// It lives in a temporary folder on free ports. However this process ends, killed or not, a small
/// watchdog kills the brokers and removes the folder. Gate its tests with
/// `.enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy))`.
package final class KafkaCluster: Sendable {
    /// Where it can be reached: the value of `bootstrap.servers`.
    package let bootstrap: String
    /// Its folder: `node1/out.log` holds the first broker's log.
    package let folder: URL
    /// The write end of the watchdog's pipe; the watchdog acts when it is closed.
    private let leash: Int32

    private static let first = Result { try KafkaCluster() }

    /// The cluster of one broker that all tests of this process share; the first call starts it.
    package static func shared() throws -> KafkaCluster { try first.get() }

    /// Starts a cluster of its own, for a test that stops or pauses brokers; 3–10 s.
    ///
    /// - Parameters:
    ///   - proxied: whether each broker also listens where a proxy's connections go, see
    ///     ``proxyRoutes``.
    ///   - isMeasured: whether the brokers' speed matters, so that they may compile all they want.
    ///   - settings: lines `key=value` of `server.properties`.
    package init(
        nodes: Int = 1, secure: Bool = false, proxied: Bool = false, isMeasured: Bool = false,
        settings: [String] = []
    ) throws {
        let temporary = FileManager.default.temporaryDirectory
        let folder = temporary.appending(path: "tidewheel-kafka-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.folder = folder
        leash = try Self.startWatchdog(folder)

        var attempt = 1
        while true {
            let port = try Self.freePort(nodes: nodes, spread: secure || proxied)
            var arguments = ["start", folder.appending(path: "cluster").path]
            arguments += ["--port", "\(port)", "--nodes", "\(nodes)"]
            if secure { arguments.append("--secure") }
            if proxied { arguments.append("--proxied") }
            if !isMeasured { arguments.append("--quick") }
            for setting in settings { arguments += ["--set", setting] }
            do {
                let printed = try Self.tool(arguments, seconds: 180)
                bootstrap = printed.split(separator: "\n").last.map(String.init) ?? ""
                return
            } catch {
                // Another process may have taken the port in between: once more elsewhere.
                attempt += 1
                guard attempt <= 3 else {
                    close(leash)
                    throw error
                }
                _ = try? Self.tool(["stop", folder.appending(path: "cluster").path])
                try? FileManager.default.removeItem(at: folder.appending(path: "cluster"))
            }
        }
    }

    deinit { close(leash) }

    /// Stops every broker in order; up to 15 s.
    package func stop() throws { try control("stop") }

    /// Kills a broker with SIGKILL; the first one is 1.
    package func kill(node: Int = 1) throws { try control("kill", node) }

    /// Stops a broker's threads where they are, as an unreachable machine would look.
    package func pause(node: Int = 1) throws { try control("pause", node) }

    /// Lets a paused broker go on.
    package func resume(node: Int = 1) throws { try control("resume", node) }

    /// Starts a broker again that was stopped or killed and waits until it answers.
    package func restart(node: Int = 1) throws { try control("restart", node) }

    /// A topic name that no other test uses.
    package func uniqueName(_ prefix: String) -> String {
        "\(prefix)-\(UUID().uuidString.prefix(8).lowercased())"
    }

    /// For a cluster started with `proxied`, from which port a proxy must carry connections to
    /// which, broker by broker; clients bootstrap at the former.
    package var proxyRoutes: [(from: Int, to: Int)] {
        bootstrap.split(separator: ",").compactMap { address in
            Int(address.split(separator: ":").last ?? "").map { ($0 + 200, $0 + 100) }
        }
    }

    /// Creates a topic and returns once its partitions have leaders.
    ///
    /// - Parameter settings: topic settings such as `retention.ms`.
    package func createTopic(
        _ name: String, partitions: Int = 1, replicas: Int = 1, settings: [String: String] = [:]
    ) throws {
        let topic = rd_kafka_NewTopic_new(name, Int32(partitions), Int32(replicas), nil, 0)
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in settings { rd_kafka_NewTopic_set_config(topic, key, value) }
        try KafkaAdministrator(bootstrap: bootstrap).create(name, partitions: partitions, topic)
    }

    private func control(_ command: String, _ node: Int? = nil) throws {
        let cluster = folder.appending(path: "cluster").path
        try Self.tool([command, cluster] + (node.map { ["\($0)"] } ?? []))
    }

    /// Runs `tools/kafka` with Kafka's jars from ``TestEnvironment/kafkaHome``.
    @discardableResult
    package static func tool(_ arguments: [String], seconds: Double = 120) throws -> String {
        let script = TestEnvironment.repository.appending(path: "tools/kafka").path
        return try ChildProcess.run([script] + arguments, seconds: seconds)
    }

    /// A port from which all of the cluster's ports are free, below the range of outgoing ones.
    private static func freePort(nodes: Int, spread: Bool) throws -> Int {
        for _ in 0..<200 {
            let port = 15_000 + 10 * Int.random(in: 0..<1_600)
            var wanted = Array(port..<port + 2 * nodes)
            if spread { wanted += wanted.flatMap { [$0 + 100, $0 + 200] } }
            if wanted.allSatisfy(isFree) { return port }
        }
        throw ChildFailure(command: "find a free port", code: -1, output: "none in 200 attempts")
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return withLocalAddress(port: port) { bind(descriptor, $0, $1) } == 0
    }

    /// Starts a shell that waits for the end of its input, which we hold, and cleans up then.
    private static func startWatchdog(_ folder: URL) throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard tw_pipe(&ends) == 0 else {
            throw ChildFailure(
                command: "pipe", code: -1, output: String(cString: strerror(tw_errno())))
        }
        defer { close(ends[0]) }
        // A pid may belong to somebody else by now: only processes that name the folder are ended.
        let script = """
            cat >/dev/null
            for file in "$1"/cluster/node*/pid; do
                pid=$(cat "$file" 2>/dev/null) || continue
                grep -qaF "$1" "/proc/$pid/cmdline" 2>/dev/null && kill -KILL "$pid"
            done
            for attempt in 1 2 3 4 5; do rm -rf "$1" && exit; sleep 0.2; done
            """
        do {
            // Not our own child, which would stay a zombie: the monitor of exit tests waits for any
            // child and would see that one for ever.
            let launcher = "exec 3<&0; sh -c \"$1\" watchdog \"$2\" <&3 3<&- &"
            let child = try ChildProcess(
                ["sh", "-c", launcher, "launcher", script, folder.path], folder: folder,
                input: ends[0], survives: true)
            guard child.wait(seconds: 30) == 0 else {
                throw ChildFailure(command: "watchdog", code: -1, output: child.errors)
            }
        } catch {
            close(ends[1])
            throw error
        }
        return ends[1]
    }
}
