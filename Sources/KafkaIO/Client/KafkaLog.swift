import CPlatform
import CRdKafka
import Synchronization

/// One line for the log about the connection to Kafka.
package struct KafkaLogLine: Sendable, Equatable {
    package enum Severity: Sendable {
        /// A change of state.
        case info
        /// Degraded, but coping.
        case warning
        /// Needs a person.
        case error
    }

    package let severity: Severity
    package let message: String
}

/// Says each outage once, when it begins and when it is over, for all clients of a process
/// together.
///
/// A broker that comes back answers one client while another still waits, and a coordinator that
/// loads lets a call run into its time-out after other questions were answered, again and again at
/// most 15 s apart. So an outage is over when requests were answered for twenty seconds without one
/// that was not; its length is told up to the first of these answers.
///
/// librdkafka repeats itself: each handle and each of its broker threads reports the same broken
/// connection again and again. One `KafkaLog` is shared by all handles; it is told what they report
/// and what succeeded, and speaks when that changes. Other lines are said at most once a minute for
/// each facility, with the number of those left out. Any thread may call it.
package final class KafkaLog: Sendable {
    private struct State {
        /// When the outage that was said began, in monotonic nanoseconds.
        var downSince: Int64?
        /// When the first request was answered since the last one that was not.
        var answeredSince: Int64?
        /// The last reason that a connection failed.
        var lastReason: String?
        /// Whether that was a login or an encrypted connection that was refused.
        var isRefused = false
        var topics: [String: (saidAt: Int64, suppressed: Int)] = [:]
    }

    /// Lines of the same topic are said at most this often.
    private static let repeatNanoseconds: Int64 = 60_000_000_000
    /// An outage is over when requests are answered for this long.
    private static let settledNanoseconds: Int64 = 20_000_000_000
    /// The number of different topics that are remembered.
    private static let topicsLimit = 256

    private let sink: @Sendable (KafkaLogLine) -> Void
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    private let isDown = Atomic<Bool>(false)
    /// Whether any request was ever answered.
    private let hasAnswered = Atomic<Bool>(false)

    /// - Parameters:
    ///   - now: the monotonic time, in nanoseconds.
    ///   - sink: receives the lines, on any thread; it must not call back.
    package init(
        now: @escaping @Sendable () -> Int64 = { tw_monotonic_nanoseconds() },
        sink: @escaping @Sendable (KafkaLogLine) -> Void
    ) {
        self.now = now
        self.sink = sink
    }

    /// Whether an outage was said and is not over.
    package var isOutage: Bool { isDown.load(ordering: .relaxed) }

    /// A request was answered: ends an outage in time. Cheap when there is none.
    package func reachable() {
        if !hasAnswered.load(ordering: .relaxed) { hasAnswered.store(true, ordering: .relaxed) }
        guard isDown.load(ordering: .relaxed) else { return }
        let now = now()
        let lasted = state.withLock { state -> Int64? in
            guard let since = state.downSince else { return nil }
            let answered = state.answeredSince ?? now
            guard now - answered >= Self.settledNanoseconds else {
                state.answeredSince = answered
                return nil
            }
            state.downSince = nil
            state.answeredSince = nil
            state.lastReason = nil
            isDown.store(false, ordering: .relaxed)
            return answered - since
        }
        guard let lasted = lasted else { return }
        let tenths = max(0, lasted) / 100_000_000
        sink(
            KafkaLogLine(
                severity: .info,
                message: "Kafka answers again, after \(tenths / 10).\(tenths % 10) s; going on"))
    }

    /// No broker answers: says so, once for each outage.
    package func unreachable(_ reason: String) {
        let said = state.withLock { state -> String? in
            state.answeredSince = nil
            guard state.downSince == nil else { return nil }
            // Refused from the start: nobody tries again, and the question that waits says why.
            if state.isRefused, !hasAnswered.load(ordering: .relaxed) { return nil }
            state.downSince = now()
            isDown.store(true, ordering: .relaxed)
            return state.lastReason ?? reason
        }
        guard let said = said else { return }
        // What was never there may be misspelt.
        let remedy =
            hasAnswered.load(ordering: .relaxed)
            ? "" : "; check bootstrap.servers, security.protocol, and that the broker runs"
        sink(
            KafkaLogLine(
                severity: .warning,
                message: "Kafka does not answer (\(said)\(remedy)); trying again until it does, "
                    + "nothing is lost meanwhile"))
    }

    /// Says a line, unless one of the same topic was said less than a minute ago.
    package func say(_ severity: KafkaLogLine.Severity, topic: String, _ message: String) {
        let now = now()
        let suppressed = state.withLock { state -> Int? in
            if let known = state.topics[topic], now - known.saidAt < Self.repeatNanoseconds {
                state.topics[topic] = (known.saidAt, known.suppressed + 1)
                return nil
            }
            let left = state.topics[topic]?.suppressed ?? 0
            if state.topics.count >= Self.topicsLimit { state.topics.removeAll() }
            state.topics[topic] = (now, 0)
            return left
        }
        guard let suppressed = suppressed else { return }
        let note = suppressed > 0 ? " (\(suppressed) like it were left out)" : ""
        sink(KafkaLogLine(severity: severity, message: message + note))
    }
}

extension KafkaLog {
    /// Receives what librdkafka's error callback says about a client.
    func clientError(_ code: rd_kafka_resp_err_t, reason: String, client: String) {
        switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__TIMED_OUT:
            // One broker of perhaps several: the outage is said when all are down.
            noteFailure(reason, isRefused: false)
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL:
            noteFailure(reason, isRefused: true)
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            unreachable(Self.shortened(reason))
        case RD_KAFKA_RESP_ERR__FATAL:
            // The call that meets it reports it, with what follows from it.
            break
        default:
            let error = KafkaError(code, doing: "Kafka client \(client)", reason: reason)
            say(.error, topic: "error \(code.rawValue)", error.description)
        }
    }

    /// What librdkafka writes about what a call, an event or ``clientError(_:reason:client:)`` tells,
    /// too: broken connections and requests, transactions that fail, a lost membership; and that a
    /// producer is destroyed with records on their way, which are those of a transaction given up.
    private static let toldElsewhere: Set<String> = [
        "FAIL", "ERROR", "CONFWARN", "TXNERR", "FATAL", "ADDPARTS", "ADDOFFSETS", "TXNCOORD",
        "REQTMOUT", "SESSTMOUT", "TERMINATE", "METADATA",
    ]

    /// Receives a line of librdkafka's log.
    func clientLine(level: Int32, facility: String, text: String, client: String) {
        // Of a connection that was cut the error callback often gives no reason; the line does.
        if facility == "FAIL" {
            state.withLock { state in
                if state.lastReason == nil { state.lastReason = Self.shortened(text) }
            }
        }
        guard level <= 4, !Self.toldElsewhere.contains(facility) else { return }
        // A broker that has never given a producer its number is not ready for some moments, and
        // librdkafka asks again by itself. What does not pass is told by the call that waits for it.
        if facility == "GETPID", text.contains("retrying") { return }
        // Of a listener that is no broker's: the question to it tells.
        if text.contains("allow.auto.create.topics=false not supported") { return }
        say(
            level <= 3 ? .error : .warning, topic: "line \(facility)",
            "Kafka client \(client): \(Self.shortened(text))")
    }

    private func noteFailure(_ reason: String, isRefused: Bool) {
        state.withLock { state in
            state.lastReason = Self.shortened(reason)
            state.isRefused = isRefused
        }
    }

    /// Leaves out the name of librdkafka's thread and the counters at the end.
    static func shortened(_ reason: String) -> String {
        var text = reason[...]
        if text.hasPrefix("[thrd:"), let end = text.firstRange(of: "]: ") {
            text = text[end.upperBound...]
        }
        for counters in [" (after ", " (broker "] {
            if let end = text.firstRange(of: counters) { text = text[..<end.lowerBound] }
        }
        return String(text)
    }
}
