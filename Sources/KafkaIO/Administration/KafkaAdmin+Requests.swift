import CPlatform
import CRdKafka
package import Core
package import State

/// Requests that librdkafka answers through a queue of events.
extension KafkaAdmin {
    /// Creates a topic and waits until it is there.
    ///
    /// An existing topic is told by an error of the kind `.alreadyExists`.
    ///
    /// - Parameter isTrial: the brokers only tell whether they would.
    package func create(
        _ topic: TopicSpecification, isTrial: Bool = false, milliseconds: Int32 = 15_000
    ) throws(KafkaError) {
        let doing = "cannot create topic \(topic.name)"
        var reason = [CChar](repeating: 0, count: 512)
        guard
            let new = unsafe rd_kafka_NewTopic_new(
                topic.name, Int32(topic.partitionCount), Int32(topic.replicationFactor), &reason,
                reason.count)
        else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, doing: doing)
        }
        // Safety: the request's parts are ours and outlive the call that copies them.
        defer { unsafe rd_kafka_NewTopic_destroy(new) }
        for pair in topic.properties {
            let code = unsafe rd_kafka_NewTopic_set_config(new, pair.name, pair.text)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, doing: doing) }
        }
        var entries: [OpaquePointer?] = unsafe [new]
        let right = KafkaRight.topic(topic.name, .create)
        try unsafe request(
            doing: doing, needs: right, isTrial: isTrial, milliseconds: milliseconds
        ) { options, queue in
            unsafe rd_kafka_CreateTopics(handle.pointer, &entries, entries.count, options, queue)
        } answer: { event throws(KafkaError) in
            var count = 0
            let results = unsafe rd_kafka_CreateTopics_result_topics(
                rd_kafka_event_CreateTopics_result(event), &count)
            try unsafe check(results, count, doing: doing, needs: right)
        }
        if isTrial { return }
        _ = try waitForTopic(
            topic.name, partitionCount: topic.partitionCount, milliseconds: milliseconds)
    }

    /// Creates a topic to write to unless it exists; returns its number of partitions.
    package func ensure(
        _ topic: TopicSpecification, milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> Int {
        if let count = try partitionCount(
            of: topic.name, for: .write, milliseconds: milliseconds)
        {
            return count
        }
        do throws(KafkaError) {
            try create(topic, milliseconds: milliseconds)
            return topic.partitionCount
        } catch {
            // Another process of the pipeline was faster.
            guard error.kind == .alreadyExists else { throw error }
            return try waitForTopic(topic.name, partitionCount: 1, milliseconds: milliseconds)
        }
    }

    /// Adds partitions to a topic until it has this many, and waits until they are there.
    ///
    /// - Parameter isTrial: the brokers only tell whether they would.
    package func grow(
        _ topic: String, to partitionCount: Int, isTrial: Bool = false,
        milliseconds: Int32 = 15_000
    ) throws(KafkaError) {
        let doing = "cannot add partitions to topic \(topic)"
        var reason = [CChar](repeating: 0, count: 512)
        guard
            let new = unsafe rd_kafka_NewPartitions_new(
                topic, partitionCount, &reason, reason.count)
        else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, doing: doing)
        }
        // Safety: as in `create`.
        defer { unsafe rd_kafka_NewPartitions_destroy(new) }
        var entries: [OpaquePointer?] = unsafe [new]
        let right = KafkaRight.topic(topic, .alter)
        do throws(KafkaError) {
            try unsafe request(
                doing: doing, needs: right, isTrial: isTrial, milliseconds: milliseconds
            ) { options, queue in
                unsafe rd_kafka_CreatePartitions(
                    handle.pointer, &entries, entries.count, options, queue)
            } answer: { event throws(KafkaError) in
                var count = 0
                let results = unsafe rd_kafka_CreatePartitions_result_topics(
                    rd_kafka_event_CreatePartitions_result(event), &count)
                try unsafe check(results, count, doing: doing, needs: right)
            }
            if isTrial { return }
        } catch {
            // Another process of the pipeline was faster, if the topic is wide enough by now.
            guard error.code == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS.rawValue else { throw error }
        }
        _ = try waitForTopic(topic, partitionCount: partitionCount, milliseconds: milliseconds)
    }

    /// Deletes a topic; for tests and for throwing a pipeline away.
    package func delete(_ topic: String, milliseconds: Int32 = 15_000) throws(KafkaError) {
        let doing = "cannot delete topic \(topic)"
        guard let name = unsafe rd_kafka_DeleteTopic_new(topic) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, doing: doing)
        }
        // Safety: as in `create`.
        defer { unsafe rd_kafka_DeleteTopic_destroy(name) }
        var entries: [OpaquePointer?] = unsafe [name]
        try unsafe request(doing: doing, milliseconds: milliseconds) { options, queue in
            unsafe rd_kafka_DeleteTopics(handle.pointer, &entries, entries.count, options, queue)
        } answer: { event throws(KafkaError) in
            var count = 0
            let results = unsafe rd_kafka_DeleteTopics_result_topics(
                rd_kafka_event_DeleteTopics_result(event), &count)
            try unsafe check(results, count, doing: doing, needs: .topic(topic, .delete))
        }
    }

    /// Deletes the records of a partition that stand before an offset.
    package func deleteRecords(
        of partition: TopicPartition, before offset: Int64, milliseconds: Int32 = 15_000
    ) throws(KafkaError) {
        let doing = "cannot trim topic \(partition.topic)"
        let list = PartitionList()
        list.add(partition, offset: offset)
        guard let records = unsafe rd_kafka_DeleteRecords_new(list.pointer) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, doing: doing)
        }
        // Safety: as in `create`.
        defer { unsafe rd_kafka_DeleteRecords_destroy(records) }
        var entries: [OpaquePointer?] = unsafe [records]
        try unsafe request(doing: doing, milliseconds: milliseconds) { options, queue in
            unsafe rd_kafka_DeleteRecords(handle.pointer, &entries, entries.count, options, queue)
        } answer: { event throws(KafkaError) in
            let answer = unsafe rd_kafka_DeleteRecords_result_offsets(
                rd_kafka_event_DeleteRecords_result(event))
            guard let answer = unsafe answer, unsafe answer.pointee.cnt == 1 else {
                throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, doing: doing)
            }
            let code = unsafe answer.pointee.elems[0].err
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw handle.error(
                    code, doing: doing, needs: .topic(partition.topic, .delete))
            }
        }
    }

    /// A topic's properties as the broker holds them, defaults included; in the broker's order.
    package func properties(
        of topic: String, milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> [TextPair] {
        let doing = "cannot read the properties of topic \(topic)"
        guard let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
        else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, doing: doing)
        }
        // Safety: as in `create`.
        defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
        var entries: [OpaquePointer?] = unsafe [resource]
        var pairs: [TextPair] = []
        try unsafe request(doing: doing, milliseconds: milliseconds) { options, queue in
            unsafe rd_kafka_DescribeConfigs(handle.pointer, &entries, entries.count, options, queue)
        } answer: { event throws(KafkaError) in
            var resourceCount = 0
            let resources = unsafe rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &resourceCount)
            guard let resources = unsafe resources, resourceCount == 1,
                let first = unsafe resources[0]
            else {
                throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, doing: doing)
            }
            let code = unsafe rd_kafka_ConfigResource_error(first)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw unsafe handle.error(
                    code, doing: doing,
                    reason: rd_kafka_ConfigResource_error_string(first).map {
                        unsafe String(cString: $0)
                    }, needs: .topic(topic, .describeConfigs))
            }
            var count = 0
            guard let found = unsafe rd_kafka_ConfigResource_configs(first, &count) else { return }
            for index in 0..<count {
                guard let name = unsafe rd_kafka_ConfigEntry_name(found[index]) else { continue }
                let value = unsafe rd_kafka_ConfigEntry_value(found[index])
                unsafe pairs.append(
                    TextPair(
                        String(cString: name), value.map { unsafe String(cString: $0) } ?? ""))
            }
        }
        return pairs
    }

    /// The properties of a topic that exists, also while some brokers do not know it yet.
    private func settledProperties(
        of topic: String, milliseconds: Int32
    ) throws(KafkaError) -> [TextPair] {
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        while true {
            do throws(KafkaError) {
                return try properties(of: topic, milliseconds: milliseconds)
            } catch {
                guard error.kind == .unknownTopic, tw_monotonic_nanoseconds() < end else {
                    throw error
                }
                handle.serve(milliseconds: 20)
            }
        }
    }

    /// What is wrong with a journal's topic, or one of snapshots: retention would destroy an idle
    /// pipeline, compaction an active one.
    package func journalProblem(
        of topic: String, losing what: String = "entries of the journal",
        milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> KafkaError? {
        let found = try settledProperties(of: topic, milliseconds: milliseconds)
        let wrong = TopicSpecification.journalProperties.filter { wanted in
            found.contains { $0.name == wanted.name && $0.text != wanted.text }
        }
        guard !wrong.isEmpty else { return nil }
        let values = wrong.map { wanted in
            let value = found.first { $0.name == wanted.name }?.text ?? ""
            return "\(wanted.name) is \(value)"
        }
        let wanted = wrong.map { "\($0.name)=\($0.text)" }
        return KafkaError(
            kind: .refused,
            problem: "topic \(topic) would lose \(what): "
                + values.joined(separator: ", "),
            remedy: "set \(wanted.joined(separator: ",")) on it with kafka-configs")
    }

    /// Whether compaction deletes records of a topic for which later ones have the same key.
    package func isCompacted(
        _ topic: String, milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> Bool {
        let found = try settledProperties(of: topic, milliseconds: milliseconds)
        let policy = found.first { $0.name == "cleanup.policy" }?.text ?? ""
        return policy.split(separator: ",").contains { $0 == "compact" }
    }

    /// Sends a request with a time-out and lends its answer to `answer`.
    func request(
        doing: String, needs right: KafkaRight? = nil, isTrial: Bool = false, milliseconds: Int32,
        _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void,
        answer: (OpaquePointer) throws(KafkaError) -> Void
    ) throws(KafkaError) {
        let queue = unsafe rd_kafka_queue_new(handle.pointer)
        let options = unsafe rd_kafka_AdminOptions_new(handle.pointer, RD_KAFKA_ADMIN_OP_ANY)
        // Safety: the queue, the options and the event are ours; the answer is used before they go.
        defer {
            unsafe rd_kafka_AdminOptions_destroy(options)
            unsafe rd_kafka_queue_destroy(queue)
        }
        var reason = [CChar](repeating: 0, count: 256)
        let code = unsafe rd_kafka_AdminOptions_set_request_timeout(
            options, milliseconds, &reason, reason.count)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, doing: doing) }
        if isTrial {
            let code = unsafe rd_kafka_AdminOptions_set_validate_only(
                options, 1, &reason, reason.count)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, doing: doing) }
        }
        unsafe send(options, queue)
        // librdkafka answers in time by itself; the margin is for a stalled process.
        guard let event = unsafe rd_kafka_queue_poll(queue, milliseconds + 5000) else {
            throw handle.error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing: doing)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        handle.serve()
        let error = unsafe rd_kafka_event_error(event)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            if KafkaError.kind(of: error) == .unreachable {
                throw handle.error(error, doing: doing)
            }
            throw unsafe handle.error(
                error, doing: doing,
                reason: rd_kafka_event_error_string(event).map { unsafe String(cString: $0) },
                needs: right)
        }
        handle.answered()
        try unsafe answer(event)
    }

    /// Throws the first error among the results for topics.
    private func check(
        _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, doing: String,
        needs right: KafkaRight
    ) throws(KafkaError) {
        guard let results = unsafe results else { return }
        for index in 0..<count {
            let code = unsafe rd_kafka_topic_result_error(results[index])
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw unsafe handle.error(
                    code, doing: doing,
                    reason: rd_kafka_topic_result_error_string(results[index]).map {
                        unsafe String(cString: $0)
                    }, needs: right)
            }
        }
    }
}
