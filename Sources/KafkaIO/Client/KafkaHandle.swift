import CRdKafka
import Core
import Glibc
import Synchronization

/// An owned librdkafka client.
///
/// Any thread may call librdkafka's functions on one handle. Destroying waits for librdkafka's own
/// threads: after `close` none of its callbacks run and nothing that was lent to it is referred to.
@safe
final class KafkaHandle: @unchecked Sendable {
    enum Kind {
        case consumer
        case producer
    }

    // Safety: written by `close` alone, which the owner calls when no other call is being made.
    private var handle: OpaquePointer?
    /// What the callbacks see. It is retained for librdkafka until `rd_kafka_destroy` has returned,
    /// so it outlives every callback.
    private let callbacks: KafkaCallbacks
    private let retained: Unmanaged<KafkaCallbacks>
    /// The name in messages, such as `reader` or `task 3`.
    let name: String
    let log: KafkaLog
    /// Who logs in, if by a name.
    let user: String?

    /// Connects in the background: an unreachable broker is no error here.
    init(
        _ kind: Kind, name: String, configuration: KafkaConfiguration, log: KafkaLog,
        rebalance: (any RebalanceListener)? = nil, reportsDeliveries: Bool = false
    ) throws(KafkaError) {
        self.name = name
        self.log = log
        user = configuration.user
        callbacks = KafkaCallbacks(name: name, log: log, rebalance: rebalance)
        unsafe retained = unsafe Unmanaged.passRetained(callbacks)
        let pointer = unsafe configuration.take()
        unsafe rd_kafka_conf_set_opaque(pointer, retained.toOpaque())
        unsafe rd_kafka_conf_set_error_cb(pointer, onClientError)
        unsafe rd_kafka_conf_set_log_cb(pointer, onClientLine)
        if rebalance != nil { unsafe rd_kafka_conf_set_rebalance_cb(pointer, onRebalance) }
        if reportsDeliveries { unsafe rd_kafka_conf_set_dr_msg_cb(pointer, onDelivery) }
        if kind == .producer { unsafe rd_kafka_conf_set_closesocket_cb(pointer, onSocketClosing) }
        var reason = [CChar](repeating: 0, count: 512)
        unsafe handle = unsafe rd_kafka_new(
            kind == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, pointer, &reason,
            reason.count)
        guard unsafe handle == nil else { return }
        unsafe configuration.giveBack(pointer)
        unsafe retained.release()
        let words = String(
            decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw KafkaError(
            kind: .configuration, problem: "cannot make a Kafka client: \(words)",
            remedy: "correct the properties under kafka:")
    }

    deinit { close() }

    /// Whether the client is gone.
    var isClosed: Bool { unsafe handle == nil }

    /// The client; using it after `close` is a programmer's mistake.
    @unsafe var pointer: OpaquePointer {
        guard let handle = unsafe handle else {
            preconditionFailure("Kafka client \(name) is closed")
        }
        return unsafe handle
    }

    /// Destroys the client; without leaving a group in order.
    ///
    /// A producer is destroyed when this returns: it may refer to lent memory. A consumer refers to
    /// nothing of ours but the callbacks, and librdkafka sometimes waits for ever for one whose topic
    /// was deleted: after five seconds it is left to a thread of its own.
    func close() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        let destruction = unsafe KafkaDestruction(handle, retained)
        guard unsafe rd_kafka_type(handle) == RD_KAFKA_CONSUMER else { return destruction.run() }
        if !destruction.run(milliseconds: 5000) {
            log.say(
                .warning, topic: "destroy",
                "Kafka client \(name) does not end; it is left behind until the process ends")
        }
    }

    /// Runs the callbacks that wait; for clients that are not polled as consumers.
    func serve(milliseconds: Int32 = 0) {
        _ = unsafe rd_kafka_poll(pointer, milliseconds)
    }

    /// What became of the records, for a producer that reports deliveries.
    func withDeliveries<Result>(_ body: (inout Delivery) -> Result) -> Result {
        callbacks.deliveries.withLock { body(&$0) }
    }

    /// A number that changes when something hints that a topic is gone or refused; look for
    /// yourself then.
    var suspicions: Int { callbacks.suspicions.load(ordering: .relaxed) }

    /// Adds such a hint.
    func suspect() { callbacks.suspicions.add(1, ordering: .relaxed) }

    /// The connections of a producer that were closed so far, by whichever side.
    ///
    /// librdkafka makes a request again by itself when its connection breaks, and the call that
    /// waits for it succeeds without a word; the connection was closed before that.
    var closedConnections: Int { callbacks.closedConnections.load(ordering: .acquiring) }

    /// What the last broken connection or refused login was, since a question was answered.
    var lastClientError: (code: rd_kafka_resp_err_t, reason: String)? {
        callbacks.lastError.withLock { $0 }
    }

    /// A question was answered: ends an outage, and what was wrong before explains nothing any more.
    func answered() {
        callbacks.lastError.withLock { $0 = nil }
        log.reachable()
    }

    /// The topic that librdkafka last could not add to a transaction: the call's own error does not
    /// name it.
    var lastRefusedTopic: String? { callbacks.lastRefusedTopic.withLock { $0 } }

    /// The sentence for a failed call: a time-out is explained by the connection's last error.
    ///
    /// - Parameters:
    ///   - doing: as in ``KafkaError``.
    ///   - right: what the call needs.
    func error(
        _ code: rd_kafka_resp_err_t, doing: String, reason: String? = nil,
        needs right: KafkaRight? = nil
    ) -> KafkaError {
        if KafkaError.kind(of: code) == .unreachable, let last = lastClientError {
            return KafkaError(last.code, doing: doing, reason: last.reason)
        }
        return KafkaError(code, doing: doing, reason: reason, needs: right, user: user)
    }

    /// How long the broker keeps a silent member of a group, in milliseconds.
    var sessionMilliseconds: Int { configured("session.timeout.ms") }

    /// A number of the configuration that the client really has, the user's included.
    private func configured(_ property: String) -> Int {
        var text = [CChar](repeating: 0, count: 32)
        var size = text.count
        let result = unsafe rd_kafka_conf_get(rd_kafka_conf(pointer), property, &text, &size)
        let digits = String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard result == RD_KAFKA_CONF_OK, let number = Int(digits) else {
            preconditionFailure("librdkafka has no number for \(property)")
        }
        return number
    }

    /// The code behind a fatal error of this client, or 0.
    var fatalCode: rd_kafka_resp_err_t {
        unsafe rd_kafka_fatal_error(pointer, nil, 0)
    }
}

/// Acts on the rebalances of a member.
protocol RebalanceListener: AnyObject, Sendable {
    /// Called inside a poll of the owner, with the code and the list of a rebalance.
    @unsafe func rebalance(
        _ client: OpaquePointer, _ code: rd_kafka_resp_err_t,
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?)
}

/// What librdkafka's callbacks act on; shared with its threads.
final class KafkaCallbacks: Sendable {
    let name: String
    let log: KafkaLog
    let rebalance: (any RebalanceListener)?
    let deliveries = Mutex(Delivery())
    /// Counts what hints that a topic is gone or refused.
    let suspicions = Atomic<Int>(0)
    let lastRefusedTopic = Mutex<String?>(nil)
    let closedConnections = Atomic<Int>(0)
    let lastError = Mutex<(code: rd_kafka_resp_err_t, reason: String)?>(nil)

    init(name: String, log: KafkaLog, rebalance: (any RebalanceListener)?) {
        self.name = name
        self.log = log
        self.rebalance = rebalance
    }

    /// The object behind an opaque pointer that `KafkaHandle` gave to librdkafka.
    static func behind(_ opaque: UnsafeMutableRawPointer?) -> KafkaCallbacks? {
        // Safety: the handle keeps its callbacks retained until librdkafka is destroyed.
        unsafe opaque.map { unsafe Unmanaged<KafkaCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }
}

private func onSocketClosing(_ socket: Int32, _ opaque: UnsafeMutableRawPointer?) -> Int32 {
    unsafe KafkaCallbacks.behind(opaque)?.closedConnections.add(1, ordering: .acquiringAndReleasing)
    return close(socket)
}

private func onClientError(
    _ client: OpaquePointer?, _ code: Int32, _ reason: UnsafePointer<CChar>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let callbacks = unsafe KafkaCallbacks.behind(opaque) else { return }
    let code = rd_kafka_resp_err_t(rawValue: code)
    let text = unsafe reason.map { unsafe String(cString: $0) } ?? KafkaError.text(of: code)
    if KafkaError.kind(of: code) == .unknownTopic
        || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
    {
        // Who uses the topic looks for itself and reports it.
        callbacks.suspicions.add(1, ordering: .relaxed)
        return
    }
    if code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN {
        callbacks.lastError.withLock { $0 = (code, text) }
    }
    callbacks.log.clientError(code, reason: text, client: callbacks.name)
}

private func onClientLine(
    _ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?,
    _ text: UnsafePointer<CChar>?
) {
    guard let client = unsafe client,
        let callbacks = unsafe KafkaCallbacks.behind(rd_kafka_opaque(client))
    else { return }
    let facility = unsafe facility.map { unsafe String(cString: $0) } ?? ""
    let text = unsafe text.map { unsafe String(cString: $0) } ?? ""
    // …: Failed to add partition "NAME" [0] to transaction: …
    if facility == "ADDPARTS", text.contains("Failed to add partition \""),
        // Those that failed only because another one did.
        !text.contains("not attempted")
    {
        let parts = text.split(separator: "\"", maxSplits: 2)
        if parts.count == 3 { callbacks.lastRefusedTopic.withLock { $0 = String(parts[1]) } }
    }
    callbacks.log.clientLine(level: level, facility: facility, text: text, client: callbacks.name)
}

private func onRebalance(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let client = unsafe client, let callbacks = unsafe KafkaCallbacks.behind(opaque) else {
        return
    }
    unsafe callbacks.rebalance?.rebalance(client, code, list)
}
