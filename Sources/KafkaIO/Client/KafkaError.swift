import CRdKafka

/// Why something asked of Kafka did not happen: one plain sentence and a remedy.
package struct KafkaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What the caller can tell apart.
    package enum Kind: Sendable, Equatable {
        /// The broker answered and refused the right.
        case unauthorised
        /// The broker refused the login, or the encrypted connection could not be made.
        case unauthenticated
        /// No broker answered in time.
        case unreachable
        /// A topic of this name exists already.
        case alreadyExists
        /// The topic or partition does not exist.
        case unknownTopic
        /// The broker refused the request's content, for example a replication factor.
        case refused
        /// A client property is unknown, has a bad value, or is the engine's own.
        case configuration
        /// Whoever answers does not speak the protocol that is needed.
        case unsupported
        /// A group's offsets wait for the end of a transaction.
        case unsettled
        /// Anything else.
        case other
    }

    package let kind: Kind
    /// librdkafka's error code; 0 when the error is not librdkafka's.
    package let code: Int32
    /// What went wrong and where.
    package let problem: String
    /// What to do about it.
    package let remedy: String

    package init(kind: Kind, code: Int32 = 0, problem: String, remedy: String) {
        self.kind = kind
        self.code = code
        self.problem = problem
        self.remedy = remedy
    }

    package var description: String { "\(problem); \(remedy)" }
}

extension KafkaError {
    /// The sentence for an error code of librdkafka.
    ///
    /// - Parameters:
    ///   - code: the error code.
    ///   - doing: what was being done, such as `cannot read topic clicks`.
    ///   - reason: librdkafka's own words, if it gave any.
    ///   - right: what it needs; said with the command that grants it if that is what is refused.
    ///   - user: who is logged in, if by a name.
    init(
        _ code: rd_kafka_resp_err_t, doing: String, reason: String? = nil,
        needs right: KafkaRight? = nil, user: String? = nil
    ) {
        let kind = Self.kind(of: code)
        if kind == .unauthorised, let right {
            self.init(
                kind: kind, code: code.rawValue,
                problem: "\(doing): this user has no right to it (\(right.text))",
                remedy: "grant it (\(right.command(user: user))), then start again")
            return
        }
        let words =
            reason.flatMap { $0.isEmpty ? nil : KafkaLog.shortened($0) } ?? Self.text(of: code)
        if let (problem, remedy) = Self.loginProblem(kind, words) {
            self.init(
                kind: kind, code: code.rawValue, problem: "\(doing): \(problem)", remedy: remedy)
            return
        }
        self.init(
            kind: kind, code: code.rawValue, problem: "\(doing): \(words)",
            remedy: Self.remedy(for: code) ?? Self.remedy(for: kind))
    }

    /// Takes over an error object of librdkafka.
    static func taking(_ error: OpaquePointer, doing: String) -> KafkaError {
        // Safety: the object belongs to the caller, who hands it over; its text is copied.
        defer { unsafe rd_kafka_error_destroy(error) }
        return unsafe KafkaError(
            rd_kafka_error_code(error), doing: doing,
            reason: rd_kafka_error_string(error).map { unsafe String(cString: $0) })
    }

    /// librdkafka's words for a code.
    static func text(of code: rd_kafka_resp_err_t) -> String {
        // Safety: the text is static.
        unsafe rd_kafka_err2str(code).map { unsafe String(cString: $0) } ?? "error \(code.rawValue)"
    }

    /// A certificate that was not believed or a login that was refused, in what the user can check.
    private static func loginProblem(_ kind: Kind, _ words: String) -> (String, String)? {
        guard kind == .unauthenticated else { return nil }
        if let end = words.firstRange(of: "certificate verify failed") {
            return (
                String(words[..<end.upperBound]),
                "the broker's certificate must be signed by what ssl.ca.location holds, be valid "
                    + "today, and name the host that bootstrap.servers gives"
            )
        }
        guard words.contains("SASL authentication") else { return nil }
        return (words, "check sasl.username, sasl.password and sasl.mechanism under kafka:")
    }

    /// What helps against this error and no other; nil for most.
    static func remedy(for code: rd_kafka_resp_err_t) -> String? {
        switch code {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
            "raise the topic's max.message.bytes, and the client's message.max.bytes"
        case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
            "set this machine's clock right: it differs from the broker's by more than the topic's "
                + "message.timestamp.after.max.ms or message.timestamp.before.max.ms allows"
        default: nil
        }
    }

    static func kind(of code: rd_kafka_resp_err_t) -> Kind {
        switch code {
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            .unauthorised
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR__SSL:
            .unauthenticated
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
            .unreachable
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
            .alreadyExists
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            .unknownTopic
        case RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_INVALID_CONFIG,
            RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, RD_KAFKA_RESP_ERR_INVALID_REQUEST,
            RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
            RD_KAFKA_RESP_ERR_INVALID_RECORD:
            .refused
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
            .configuration
        case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
            .unsettled
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
            .unsupported
        default:
            .other
        }
    }

    private static func remedy(for kind: Kind) -> String {
        switch kind {
        case .unauthorised:
            "grant this user the right (kafka-acls), then start again"
        case .unauthenticated:
            "check security.protocol, the sasl.* or ssl.* properties under kafka:, and the "
                + "broker's listener"
        case .unreachable:
            "check bootstrap.servers, security.protocol, the network, and that the broker runs"
        case .alreadyExists:
            "use it as it is, or choose another name"
        case .unknownTopic:
            "create the topic, or correct its name in the pipeline file"
        case .refused:
            "change the request to what the broker's settings and policies allow"
        case .configuration:
            "correct the property under kafka:"
        case .unsupported:
            "check that bootstrap.servers names brokers, not controllers, of Kafka 0.11 or newer"
        case .unsettled:
            "find the transaction that is open (kafka-transactions find-hanging) and end it "
                + "(kafka-transactions abort)"
        case .other:
            "look into the broker's log at this time"
        }
    }
}
