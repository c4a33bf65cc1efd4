import CPlatform
import Glibc

/// How much a line matters.
package enum LogSeverity: String, Sendable, Comparable {
    /// Decisions; for whoever looks for a cause.
    case debug
    /// Changes of state.
    case info
    /// Degraded, but coping.
    case warning
    /// Needs a person.
    case error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    package static func < (first: LogSeverity, second: LogSeverity) -> Bool {
        first.rank < second.rank
    }
}

/// Where a process says what happens to it: a short message and `key=value` fields, a line each.
package struct ProcessLog: Sendable {
    private let threshold: LogSeverity
    private let sink: @Sendable (LogSeverity, String) -> Void

    package init(
        threshold: LogSeverity = .info, sink: @escaping @Sendable (LogSeverity, String) -> Void
    ) {
        self.threshold = threshold
        self.sink = sink
    }

    package func say(
        _ severity: LogSeverity, _ message: String, _ fields: [(String, String)] = []
    ) {
        guard severity >= threshold else { return }
        var line = message
        for (key, value) in fields { line += " \(key)=\(value)" }
        sink(severity, line)
    }

    /// Writes to standard error, with the time in UTC.
    package static func standardError(threshold: LogSeverity = .info) -> ProcessLog {
        ProcessLog(threshold: threshold) { severity, line in
            let text = "\(timestamp()) \(severity.rawValue) \(line)\n"
            let bytes = Array(text.utf8)
            // One write, so that lines of several threads do not mix.
            _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
        }
    }

    private static func timestamp() -> String {
        let milliseconds = tw_wall_milliseconds()
        var seconds = time_t(milliseconds / 1000)
        var parts = unsafe tm()
        _ = unsafe gmtime_r(&seconds, &parts)
        let date = unsafe (parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
        let time = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let rest = milliseconds % 1000
        let fraction = rest < 10 ? "00\(rest)" : rest < 100 ? "0\(rest)" : "\(rest)"
        return "\(date.0)-\(two(date.1))-\(two(date.2))T"
            + "\(two(time.0)):\(two(time.1)):\(two(time.2)).\(fraction)Z"
    }
}
