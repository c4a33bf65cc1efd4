import CPlatform
import CRdKafka
package import State

extension KafkaAdmin {
    /// The committed offset of each partition in a group; −1 where there is none.
    ///
    /// As ``commits(of:_:milliseconds:)``.
    package func committedOffsets(
        of groupID: String, _ partitions: [TopicPartition], milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> [Int64] {
        try commits(of: groupID, partitions, milliseconds: milliseconds).map(\.offset)
    }

    /// What a group has committed for each partition.
    ///
    /// Waits for transactions that are about to settle, and for a coordinator that is starting or
    /// has moved. A new client asks, because one that asked before may remember for minutes where the
    /// coordinator was; it takes some 12 ms. A consumer asks, and not librdkafka's request of
    /// administrators: that one ends the process when it times out while its coordinator is looked
    /// for (at least up to 2.16.0, librdkafka issue 4605).
    package func commits(
        of groupID: String, _ partitions: [TopicPartition], milliseconds: Int32 = 15_000
    ) throws(KafkaError) -> [CommittedOffset] {
        precondition(groupID == self.groupID, "an admin answers for the group it was made for")
        guard !partitions.isEmpty else { return [] }
        let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
        var client = try makeGroupClient(of: groupID)
        defer { client.close() }
        while true {
            do throws(KafkaError) {
                return try Self.commits(
                    client, groupID, partitions,
                    milliseconds: min(milliseconds, Self.offsetsMilliseconds))
            } catch {
                guard Self.passingOffsetErrors.contains(error.code) else { throw error }
                guard tw_monotonic_nanoseconds() < end else {
                    throw reason(error, groupID, partitions)
                }
                client.serve(milliseconds: 20)
                if Self.staleCoordinatorErrors.contains(error.code) {
                    client.close()
                    client = try makeGroupClient(of: groupID)
                }
            }
        }
    }

    /// Why offsets could not be had: a library that does not tell of a transaction that does not
    /// settle asks until its time is over.
    private func reason(
        _ error: KafkaError, _ groupID: String, _ partitions: [TopicPartition]
    ) -> KafkaError {
        // This admin's own client heeds no transactions.
        guard error.code == RD_KAFKA_RESP_ERR__TIMED_OUT.rawValue,
            (try? Self.commits(
                handle, groupID, partitions, milliseconds: Self.offsetsMilliseconds)) != nil
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

    /// Asks once, with a consumer of the group.
    private static func commits(
        _ client: KafkaHandle, _ groupID: String, _ partitions: [TopicPartition],
        milliseconds: Int32
    ) throws(KafkaError) -> [CommittedOffset] {
        let doing = "cannot read the offsets of group \(groupID)"
        let list = PartitionList(partitions)
        let code = unsafe rd_kafka_committed(client.pointer, list.pointer, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            // Only now: behind an answer, what had failed before would sound like another outage.
            client.serve()
            // A consumer waits for its coordinator; why there is none it tells who polls it.
            throw client.error(
                client.consumerError ?? code, doing: doing,
                needs: KafkaRight(.read, .group, groupID))
        }
        var commits: [TopicPartition: CommittedOffset] = [:]
        for index in 0..<list.count {
            let partition = list.partition(index)
            let entry = unsafe list[index]
            guard unsafe entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw unsafe client.error(
                    entry.err, doing: doing, needs: .topic(partition.topic, .describe))
            }
            let metadata = unsafe entry.metadata.map {
                unsafe UnsafeRawBufferPointer(start: $0, count: entry.metadata_size)
            }
            commits[partition] = unsafe CommittedOffset(
                offset: entry.offset < 0 ? -1 : entry.offset,
                metadata: metadata.map { unsafe String(decoding: $0, as: UTF8.self) } ?? "")
        }
        return partitions.map { commits[$0] ?? CommittedOffset(offset: -1) }
    }
}

extension KafkaHandle {
    /// What a consumer that never subscribes has to tell, if anything.
    fileprivate var consumerError: rd_kafka_resp_err_t? {
        guard let message = unsafe rd_kafka_consumer_poll(pointer, 0) else { return nil }
        // Safety: the message is ours until destroyed.
        defer { unsafe rd_kafka_message_destroy(message) }
        let code = unsafe message.pointee.err
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : code
    }
}
