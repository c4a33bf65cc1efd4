import CPlatform
import CRdKafka
package import Core
package import State
import Synchronization

/// One task's transactional producer.
///
/// Values are lent to librdkafka, not copied: the buffer given to ``send(_:)`` must stay in place
/// until ``commit()`` or ``abort()`` has returned without an uncertain error, or until a call
/// failed as fenced or fatal. After such a failure the producer is destroyed before the call
/// returns, so that nothing refers to the buffer any more; ``recreate()`` makes a new one.
///
/// A producer has its own threads and connections: about three threads and 1 MB each.
package final class KafkaTransactionalOutput: KafkaTaskOutput, @unchecked Sendable {
    // Safety: all but `token` is touched by the task's committer thread alone.
    private let settings: KafkaSettings
    private let topics: [(stream: OutputStream, name: String)]
    private let log: KafkaLog
    private let callMilliseconds: Int32
    private let name: String
    private let transactionalID: String
    private let token: Mutex<GroupToken>
    private var producer: TaskProducer?
    /// The producer's closed connections when it got its epoch; `nil` before that.
    private var connectionsAtEpoch: Int?

    /// - Parameters:
    ///   - transactionalID: names the task for ever: the pipeline and the task's index.
    ///   - topics: the topic of each stream that the task writes to; they must exist.
    ///   - token: the assignment that gave this process the task.
    ///   - callMilliseconds: how long one call may block before it is uncertain.
    package init(
        settings: KafkaSettings, transactionalID: String, topics: [OutputStream: String],
        token: GroupToken, callMilliseconds: Int32 = 5000, log: KafkaLog
    ) {
        self.settings = settings
        self.transactionalID = transactionalID
        self.topics = OutputStream.allCases.compactMap { stream in
            topics[stream].map { (stream, $0) }
        }
        self.token = Mutex(token)
        self.callMilliseconds = callMilliseconds
        self.log = log
        name = "output \(transactionalID)"
    }

    /// Commits under a later assignment from now: the task came back to this process unchanged.
    package func adopt(_ newToken: GroupToken) {
        token.withLock { $0 = newToken }
    }

    package var generation: Int32 { token.withLock { $0.generation } }
    package var lastSequence: UInt64? { nil }
    package var confirmedEnd: Int64? { nil }
    package func confirmsEntries() -> Bool { true }

    /// Destroys the producer; an open transaction is left for its successor to abort.
    package func close() {
        producer = nil
    }

    package func initialize() throws(OutputFailure) {
        if producer == nil { producer = try make() }
        connectionsAtEpoch = nil
        let producer = try current()
        do throws(OutputFailure) {
            try producer.warmUp(milliseconds: callMilliseconds)
        } catch {
            if case .uncertain(let reason) = error { log.unreachable(reason) }
            throw error
        }
        try unsafe settle(rd_kafka_init_transactions(producer.pointer, callMilliseconds), "start")
        log.reachable()
        connectionsAtEpoch = producer.handle.closedConnections
    }

    /// Begins a transaction, under a new epoch if a connection was lost since the last one began.
    ///
    /// librdkafka repeats offsets and commits over a new connection by itself. The first request may
    /// still be on its way to the broker then, and under the same epoch it would count for whatever
    /// transaction is open when it arrives.
    package func begin() throws(OutputFailure) {
        if try current().handle.closedConnections != connectionsAtEpoch { try recreate() }
        try unsafe settle(rd_kafka_begin_transaction(try current().pointer), "begin a transaction")
    }

    package func send(_ buffer: borrowing OutputBuffer) throws(OutputFailure) {
        let producer = try current()
        do throws(OutputFailure) {
            try producer.send(buffer, milliseconds: callMilliseconds)
        } catch .uncertain(let reason) {
            // A part is on its way and cannot be taken back: only an abort ends it.
            log.unreachable(reason)
            throw .abortable(reason)
        } catch {
            throw close(after: error)
        }
    }

    package func sendOffsets(
        _ positions: [InputPosition], sequence: UInt64
    ) throws(OutputFailure) {
        precondition(!positions.isEmpty, "offsets go into every transaction")
        let producer = try current()
        let list = PartitionList()
        for position in positions {
            list.add(
                position.partition, offset: position.nextOffset,
                metadata: CommittedOffset.metadata(sequence: sequence))
        }
        let token = token.withLock { $0 }
        try unsafe settle(
            rd_kafka_send_offsets_to_transaction(
                producer.pointer, list.pointer, token.metadata, callMilliseconds),
            "add the consumed offsets", reading: positions.map(\.partition.topic))
    }

    package func commit() throws(OutputFailure) {
        let producer = try current()
        producer.awaitDelivery(milliseconds: callMilliseconds)
        try unsafe settle(
            rd_kafka_commit_transaction(producer.pointer, callMilliseconds),
            "commit a transaction")
        log.reachable()
    }

    package func abort() throws(OutputFailure) {
        let error = unsafe rd_kafka_abort_transaction(try current().pointer, callMilliseconds)
        if let error = unsafe error,
            unsafe rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE
        {
            // The transaction never began on the broker, because its first request was still waiting
            // for the end of the one before; or it is committed. librdkafka gives up; a new producer
            // settles whatever there is.
            unsafe rd_kafka_error_destroy(error)
            throw .abortable("\(name) cannot abort a transaction: it is not open")
        }
        try unsafe settle(error, "abort a transaction")
    }

    package func recreate() throws(OutputFailure) {
        producer = nil
        try initialize()
    }

    private func current() throws(OutputFailure) -> TaskProducer {
        guard let producer = producer else {
            throw .fatal("\(name) is closed; it must be made anew before the next transaction")
        }
        return producer
    }

    private func make() throws(OutputFailure) -> TaskProducer {
        do throws(KafkaError) {
            return try TaskProducer(
                .transactional(id: transactionalID), settings: settings, name: name, topics: topics,
                log: log)
        } catch {
            throw .fatal(error.description)
        }
    }

    /// Turns the result of a transactional call into success or its consequence.
    ///
    /// - Parameter inputs: the topics that the call needs the right to read.
    private func settle(
        _ error: OpaquePointer?, _ doing: String, reading inputs: [String] = []
    ) throws(OutputFailure) {
        guard let producer = producer else { return }
        producer.handle.serve()
        guard let error = unsafe error else { return }
        let canAbort = unsafe rd_kafka_error_txn_requires_abort(error) != 0
        let code = unsafe rd_kafka_error_code(error)
        let isTopicMissing = KafkaError.kind(of: code) == .unknownTopic
        var failure = unsafe OutputFailure.taking(
            error, doing: doing, of: producer.handle, transactionalID: transactionalID,
            groupID: token.withLock { $0.groupID }, reading: inputs)
        if canAbort, failure.endsProducer {
            // The producer itself is sound: an open transaction would hold up every consumer.
            if let error = unsafe rd_kafka_abort_transaction(producer.pointer, 1000) {
                unsafe rd_kafka_error_destroy(error)
            }
        }
        if isTopicMissing, let gone = missingTopics(producer) {
            failure = .fatal(
                "\(name) cannot \(doing): \(gone) does not exist any more; start again: what is "
                    + "missing is created, unless output.create_topics is false")
        }
        throw close(after: failure)
    }

    /// The topics that the brokers do not know, which the failed call's error does not name.
    private func missingTopics(_ producer: TaskProducer) -> String? {
        let gone = topics.map(\.name).filter { topic in
            (try? producer.handle.describe(topic, milliseconds: 1000))?.isEmpty == true
        }
        return gone.isEmpty ? nil : "topic \(gone.joined(separator: ", topic "))"
    }

    /// After a failure that ends this producer, makes sure that it refers to no buffer.
    private func close(after failure: OutputFailure) -> OutputFailure {
        if failure.endsProducer { producer = nil }
        if case .uncertain(let reason) = failure { log.unreachable(reason) }
        return failure
    }
}

extension OutputFailure {
    /// Whether the producer that failed so is of no more use.
    var endsProducer: Bool {
        switch self {
        case .fenced, .instanceFenced, .broken, .fatal: true
        case .uncertain, .abortable: false
        }
    }

    /// Classifies an error of a transactional call; takes over the error object.
    static func taking(
        _ error: OpaquePointer, doing: String, of handle: KafkaHandle, transactionalID: String,
        groupID: String, reading inputs: [String] = []
    ) -> OutputFailure {
        // Safety: the object is ours; everything is read before it is destroyed.
        defer { unsafe rd_kafka_error_destroy(error) }
        var code = unsafe rd_kafka_error_code(error)
        var words =
            unsafe rd_kafka_error_string(error).map { unsafe String(cString: $0) }
            ?? KafkaError.text(of: code)
        if code == RD_KAFKA_RESP_ERR__FATAL {
            code = handle.fatalCode
            words += " (\(KafkaError.text(of: code)))"
        }
        words = KafkaLog.shortened(words)
        if KafkaError.kind(of: code) == .unauthorised {
            let right: KafkaRight? =
                switch code {
                case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
                    KafkaRight(.read, .group, groupID)
                case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
                    // Committing an input's offsets takes the right to read it.
                    inputs.first { words.contains("\($0)[") }.map { .topic($0, .read) }
                        ?? handle.lastRefusedTopic.map { .topic($0, .write) }
                default: KafkaRight(.write, .transactionalID, transactionalID)
                }
            let error = handle.error(
                code, doing: "\(handle.name) cannot \(doing)", reason: words, needs: right)
            return .fatal(error.description)
        }
        var sentence = "\(handle.name) cannot \(doing): \(words)"
        if let failure = OutputFailure(ending: code, sentence: sentence) { return failure }
        if let remedy = KafkaError.remedy(for: code) { sentence += "; \(remedy)" }
        if unsafe rd_kafka_error_is_fatal(error) != 0 { return .broken(sentence) }
        if unsafe rd_kafka_error_txn_requires_abort(error) != 0 { return .abortable(sentence) }
        if unsafe rd_kafka_error_is_retriable(error) != 0
            || KafkaError.kind(of: code) == .unreachable
        {
            return .uncertain(sentence)
        }
        return .broken(sentence)
    }

    /// The failures that end a producer whatever flags the error has; nil for other codes.
    init?(ending code: rd_kafka_resp_err_t, sentence: String) {
        switch code {
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            self = .instanceFenced(
                "\(sentence); another process uses this group instance id: give each process its "
                    + "own state folder or instance id")
        case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
            RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
            self = .fenced(sentence)
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
            self = .fatal(
                "\(sentence); raise the topic's max.message.bytes, and message.max.bytes under "
                    + "kafka:")
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            self = .fatal(
                "\(sentence): a topic was deleted, or has lost partitions; start again: what is "
                    + "missing is created, unless output.create_topics is false")
        case RD_KAFKA_RESP_ERR_INVALID_RECORD:
            let error = KafkaError(code, doing: sentence)
            self = .fatal(error.description)
        default:
            switch KafkaError.kind(of: code) {
            case .unauthorised, .unauthenticated:
                let error = KafkaError(code, doing: sentence)
                self = .fatal(error.description)
            default:
                return nil
            }
        }
    }
}
