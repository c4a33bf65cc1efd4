import CPlatform
import CRdKafka
package import Core
import Glibc

/// What the user says about the connection to Kafka, in librdkafka's own property names.
///
/// The engine's defaults come first, then `common`, then the properties of the side; last come the
/// few that the engine's promises depend on. Values may be secrets: they are never put into
/// messages.
package struct KafkaSettings: Sendable, Equatable {
    /// For every client: `bootstrap.servers`, security and so on.
    package var common: [TextPair]
    /// For consumers only.
    package var consumer: [TextPair]
    /// For producers only.
    package var producer: [TextPair]

    package init(common: [TextPair], consumer: [TextPair] = [], producer: [TextPair] = []) {
        self.common = common
        self.consumer = consumer
        self.producer = producer
    }

    /// The brokers to start from, for messages.
    package var bootstrapServers: String {
        common.last { $0.name == "bootstrap.servers" || $0.name == "metadata.broker.list" }?.text
            ?? "(no bootstrap.servers)"
    }

    /// What the properties are for.
    enum Side: Sendable {
        case consumer
        case producer
    }

    /// Properties that the engine owns, with the reason that a user is told.
    package static let owned: [TextPair] = [
        TextPair("enable.auto.commit", "offsets are committed with the outputs"),
        TextPair("enable.auto.offset.store", "offsets are committed with the outputs"),
        TextPair("isolation.level", "aborted records must not be learned from"),
        TextPair("auto.offset.reset", "lost input must be said, not skipped; see on_lost_input"),
        TextPair("enable.partition.eof", "the merge order depends on it"),
        TextPair("partition.assignment.strategy", "tasks are placed by range"),
        TextPair("transactional.id", "it names a task; see pipeline"),
        TextPair("enable.idempotence", "exactly once depends on it"),
        TextPair("group.id", "it is the pipeline's name; see pipeline"),
        TextPair("group.instance.id", "it names a slot of this host"),
        TextPair("group.protocol", "static membership of the classic protocol is used"),
        TextPair("queue.buffering.max.messages", "the engine bounds its own buffers"),
        TextPair("queue.buffering.max.kbytes", "the engine bounds its own buffers"),
        TextPair("message.copy.max.bytes", "the engine's buffers are lent to the client"),
        TextPair("log.queue", "the engine collects the client's log"),
    ]

    /// Every mistake in the user's properties, found without a connection.
    package func problems() -> [KafkaError] {
        propertyProblems(readsFiles: true).map(\.problem)
    }

    /// The same, with the property of each; one that stands on several sides is told once.
    ///
    /// - Parameter readsFiles: whether the files that properties name must be there: on the machine
    ///   that connects, not on one that only looks at the pipeline file.
    package func propertyProblems(
        readsFiles: Bool
    ) -> [(name: String, problem: KafkaError)] {
        var problems: [(name: String, problem: KafkaError)] = []
        let configuration = KafkaConfiguration()
        for (index, pair) in (common + consumer + producer).enumerated() {
            guard !(common + consumer + producer)[..<index].contains(pair) else { continue }
            if let problem = refusal(of: pair) ?? configuration.set(pair)
                ?? (readsFiles ? fileProblem(pair) : nil) ?? tokenProblem(pair)
            {
                problems.append((pair.name, problem))
            }
        }
        return problems
    }

    /// Properties whose value is a file that is read when a client is made.
    private static let files: [String] = [
        "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location",
        "ssl.crl.location",
    ]

    private func fileProblem(_ pair: TextPair) -> KafkaError? {
        // `probe` lets librdkafka look for the system's certificates.
        guard Self.files.contains(pair.name), !pair.text.isEmpty, pair.text != "probe",
            unsafe access(pair.text, R_OK) != 0
        else { return nil }
        let reason = unsafe String(cString: strerror(tw_errno()))
        return KafkaError(
            kind: .configuration,
            problem: "kafka: \(pair.name): cannot read \(pair.text): \(reason)",
            remedy: "correct the path or the file's rights")
    }

    /// A login by tokens that nothing fetches would wait for ever, without a word.
    private func tokenProblem(_ pair: TextPair) -> KafkaError? {
        guard ["sasl.mechanism", "sasl.mechanisms"].contains(pair.name),
            pair.text.uppercased() == "OAUTHBEARER",
            !common.contains(where: {
                $0.name == "sasl.oauthbearer.method" && $0.text.lowercased() == "oidc"
                    || $0.name == "enable.sasl.oauthbearer.unsecure.jwt" && $0.text == "true"
            })
        else { return nil }
        return KafkaError(
            kind: .configuration,
            problem: "kafka: \(pair.name): nothing fetches tokens for OAUTHBEARER",
            remedy: "add sasl.oauthbearer.method: oidc where librdkafka has it, or use PLAIN, "
                + "SCRAM-SHA-512 or a client certificate")
    }

    /// The properties of a client of this side, as librdkafka's configuration.
    func configuration(
        _ side: Side, defaults: [TextPair], binding: [TextPair]
    ) throws(KafkaError) -> KafkaConfiguration {
        let configuration = KafkaConfiguration()
        configuration.user =
            (common + (side == .consumer ? consumer : producer)).last {
                $0.name == "sasl.username"
            }?.text
        for pair in Self.defaults + defaults {
            if let problem = configuration.set(pair, mayBeUnknown: true) { throw problem }
        }
        for pair in common + (side == .consumer ? consumer : producer) {
            if let problem = refusal(of: pair) ?? configuration.set(pair) { throw problem }
        }
        for pair in binding {
            if let problem = configuration.set(pair) { throw problem }
        }
        return configuration
    }

    private func refusal(of pair: TextPair) -> KafkaError? {
        guard let owned = Self.owned.first(where: { $0.name == pair.name }) else { return nil }
        return KafkaError(
            kind: .configuration, problem: "kafka: \(pair.name) cannot be set: \(owned.text)",
            remedy: "remove it")
    }

    /// What every client begins with.
    private static let defaults: [TextPair] = [
        TextPair("client.id", "tidewheel"),
        // A topic that was deleted must not come back with the broker's defaults, unnoticed.
        TextPair("allow.auto.create.topics", "false"),
        TextPair("socket.nagle.disable", "true"),
        TextPair("socket.keepalive.enable", "true"),
        TextPair("topic.metadata.refresh.interval.ms", "10000"),
        TextPair("reconnect.backoff.ms", "50"),
        TextPair("reconnect.backoff.max.ms", "1000"),
    ]

    /// What a consumer that fetches begins with.
    static let fetchDefaults: [TextPair] = [
        TextPair("queued.max.messages.kbytes", "32768"),
        // A queue exceeds its limit by one fetch: half of librdkafka's usual megabyte.
        TextPair("fetch.message.max.bytes", "524288"),
        TextPair("fetch.wait.max.ms", "20"),
        TextPair("fetch.error.backoff.ms", "50"),
        // Known from librdkafka 2.2 on; older ones are woken by requests to the leader instead.
        TextPair("fetch.queue.backoff.ms", "5"),
    ]

    /// What a producer begins with.
    static let producerDefaults: [TextPair] = [
        TextPair("linger.ms", "5"),
        TextPair("batch.size", "1000000"),
        TextPair("batch.num.messages", "10000"),
        TextPair("retry.backoff.ms", "10"),
    ]
}

/// An owned `rd_kafka_conf_t`, until a client takes it over.
@safe
final class KafkaConfiguration {
    // Safety: owned by this object until `take()`; freed in `deinit` if nobody took it.
    private var pointer: OpaquePointer?
    /// Who logs in, if by a name.
    var user: String?

    init() {
        unsafe pointer = unsafe rd_kafka_conf_new()
    }

    deinit {
        if let pointer = unsafe pointer { unsafe rd_kafka_conf_destroy(pointer) }
    }

    /// Hands the configuration over: `rd_kafka_new` owns it from now.
    @unsafe
    func take() -> OpaquePointer? {
        defer { unsafe pointer = nil }
        return unsafe pointer
    }

    /// Gives it back: `rd_kafka_new` failed and left it to us.
    @unsafe
    func giveBack(_ configuration: OpaquePointer?) {
        unsafe pointer = unsafe configuration
    }

    /// Sets a property; tells what is wrong with it, without its value when that may be a secret.
    func set(_ pair: TextPair, mayBeUnknown: Bool = false) -> KafkaError? {
        var reason = [CChar](repeating: 0, count: 512)
        let result = unsafe rd_kafka_conf_set(pointer, pair.name, pair.text, &reason, reason.count)
        if result == RD_KAFKA_CONF_OK || (mayBeUnknown && result == RD_KAFKA_CONF_UNKNOWN) {
            return nil
        }
        let words =
            Self.isSecret(pair.name)
            ? "the value is not accepted"
            : String(
                decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return KafkaError(
            kind: .configuration, code: RD_KAFKA_RESP_ERR__INVALID_ARG.rawValue,
            problem: "kafka: \(pair.name): \(words)",
            remedy: "see librdkafka's CONFIGURATION.md for the names and values it knows")
    }

    /// Whether a property's value must not appear in a message.
    static func isSecret(_ name: String) -> Bool {
        ["password", "secret", "token", "jaas", ".key", ".pem", "config"].contains {
            name.contains($0)
        }
    }
}
