import CPlatform
import CRdKafka
package import State

extension KafkaAdmin {
    /// The committed offset of each partition in a group; −1 where there is none.
    ///
    /// Waits for transactions that are about to settle, and for a coordinator that is starting or
    /// has moved: a client remembers for minutes where it was, whatever the one that it asks answers
    /// (librdkafka 2.0.2), or asks without end (2.16.0), so a new client looks for it.
    package func committedOffsets(
        of groupID: String, _ partitions: [TopicPartition], milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> [Int64] {
        precondition(hasGroup, "an admin that is asked for a group's offsets needs a group's id")
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        var substitute: KafkaAdmin?
        defer { substitute?.close() }
        while true {
            let asked = substitute ?? self
            do throws(KafkaError) {
                return try asked.offsets(
                    of: groupID, partitions, areSettled: true,
                    milliseconds: min(milliseconds, Self.offsetsMilliseconds))
            } catch {
                guard Self.passingOffsetErrors.contains(error.code) else { throw error }
                guard tw_monotonic_nanoseconds() < end else {
                    throw asked.reason(error, of: groupID, partitions)
                }
                handle.serve(milliseconds: 20)
                if Self.staleCoordinatorErrors.contains(error.code) {
                    if substitute != nil { handle.serve(milliseconds: 500) }
                    substitute?.close()
                    substitute = nil
                    substitute = try renewed()
                }
            }
        }
    }

    /// Why offsets could not be had: newer libraries than 2.0.2 do not tell of a transaction that does
    /// not settle, but ask until their time is over.
    private func reason(
        _ error: KafkaError, of groupID: String, _ partitions: [TopicPartition]
    ) -> KafkaError {
        guard error.code == RD_KAFKA_RESP_ERR__TIMED_OUT.rawValue,
            (try? offsets(
                of: groupID, partitions, areSettled: false,
                milliseconds: Self.offsetsMilliseconds)) != nil
        else { return error }
        return KafkaError(
            RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
            doing: "cannot read the offsets of group \(groupID)")
    }

    /// How long one question about offsets may take.
    private static let offsetsMilliseconds: Int32 = 4000

    /// What the coordinator of a group answers while transactions settle, or while it starts or
    /// moves; nothing, if the client asks another broker.
    private static let passingOffsetErrors: [Int32] =
        staleCoordinatorErrors + [
            RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT.rawValue,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE.rawValue,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS.rawValue,
        ]

    /// After which a new client looks for the coordinator.
    private static let staleCoordinatorErrors: [Int32] = [
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR.rawValue, RD_KAFKA_RESP_ERR__TIMED_OUT.rawValue,
    ]

    /// - Parameter areSettled: whether offsets of open transactions are refused.
    private func offsets(
        of groupID: String, _ partitions: [TopicPartition], areSettled: Bool, milliseconds: Int32
    ) throws(KafkaError) -> [Int64] {
        guard !partitions.isEmpty else { return [] }
        let doing = "cannot read the offsets of group \(groupID)"
        let list = PartitionList(partitions)
        guard let group = unsafe rd_kafka_ListConsumerGroupOffsets_new(groupID, list.pointer) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, doing: doing)
        }
        // Safety: as in `create`.
        defer { unsafe rd_kafka_ListConsumerGroupOffsets_destroy(group) }
        var entries: [OpaquePointer?] = unsafe [group]
        var offsets: [TopicPartition: Int64] = [:]
        let right = KafkaRight(.read, .group, groupID)
        try unsafe request(doing: doing, needs: right, milliseconds: milliseconds) {
            options, queue in
            if let error = unsafe rd_kafka_AdminOptions_set_require_stable_offsets(
                options, areSettled ? 1 : 0)
            {
                unsafe rd_kafka_error_destroy(error)
            }
            unsafe rd_kafka_ListConsumerGroupOffsets(
                handle.pointer, &entries, entries.count, options, queue)
        } answer: { event throws(KafkaError) in
            var count = 0
            let groups = unsafe rd_kafka_ListConsumerGroupOffsets_result_groups(
                rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
            guard let groups = unsafe groups, count == 1, let first = unsafe groups[0] else {
                throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, doing: doing)
            }
            if let error = unsafe rd_kafka_group_result_error(first) {
                throw unsafe handle.error(rd_kafka_error_code(error), doing: doing, needs: right)
            }
            guard let answer = unsafe rd_kafka_group_result_partitions(first) else { return }
            for index in unsafe 0..<Int(answer.pointee.cnt) {
                let entry = unsafe answer.pointee.elems[index]
                let partition = unsafe TopicPartition(
                    topic: String(cString: entry.topic), partition: entry.partition)
                guard unsafe entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw unsafe handle.error(
                        entry.err, doing: doing, needs: .topic(partition.topic, .describe))
                }
                offsets[partition] = unsafe entry.offset < 0 ? -1 : entry.offset
            }
        }
        return partitions.map { offsets[$0] ?? -1 }
    }
}
