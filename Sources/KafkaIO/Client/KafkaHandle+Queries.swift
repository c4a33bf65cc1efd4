import CRdKafka
import State

/// Questions to the brokers that end in time whatever happens.
///
/// `rd_kafka_query_watermark_offsets` is not among them: when the broker is lost while it waits, it
/// waits for ever, without regard to its time-out (seen with librdkafka 2.0.2).
extension KafkaHandle {
    /// The leader of each partition of a topic (−1: none now); empty when the topic does not exist.
    ///
    /// - Parameter operation: what the topic is wanted for, which includes the right to ask about it.
    func describe(
        _ topic: String, for operation: KafkaRight.Operation = .describe, milliseconds: Int32
    ) throws(KafkaError) -> [Int32] {
        guard let local = unsafe rd_kafka_topic_new(pointer, topic, nil) else {
            throw error(rd_kafka_last_error(), doing: "cannot ask about topic \(topic)")
        }
        defer { unsafe rd_kafka_topic_destroy(local) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(pointer, 0, local, &metadata, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else {
            throw error(code, doing: "cannot ask about topic \(topic)")
        }
        // Safety: the answer is ours until destroyed; everything is copied from it.
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        answered()
        guard unsafe metadata.pointee.topic_cnt > 0 else { return [] }
        let found = unsafe metadata.pointee.topics[0]
        switch unsafe found.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
            var leaders = unsafe [Int32](repeating: -1, count: Int(found.partition_cnt))
            for index in leaders.indices {
                let partition = unsafe found.partitions[index]
                if unsafe leaders.indices.contains(Int(partition.id)) {
                    unsafe leaders[Int(partition.id)] = unsafe partition.leader
                }
            }
            return leaders
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            return []
        default:
            throw unsafe error(
                found.err, doing: "cannot use topic \(topic)", needs: .topic(topic, operation))
        }
    }

    /// The first offset of each partition at or after a time, or at one of ``KafkaOffset``.
    ///
    /// Ends are last stable offsets on a client that reads committed records.
    ///
    /// - Returns: nil without an answer; an offset is nil where its leader did not answer or
    ///   refused, and −1 where there is no such record.
    func listOffsets(
        _ partitions: [TopicPartition], at time: Int64, milliseconds: Int32
    ) -> [Int64?]? {
        let list = PartitionList()
        for partition in partitions { list.add(partition, offset: time) }
        let code = unsafe rd_kafka_offsets_for_times(pointer, list.pointer, milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            if KafkaError.kind(of: code) == .unknownTopic { suspect() }
            return nil
        }
        var isAnswered = false
        var offsets: [Int64?] = []
        for index in 0..<list.count {
            let entry = unsafe list[index]
            switch unsafe entry.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR where unsafe entry.offset != time || time >= 0:
                isAnswered = true
                unsafe offsets.append(entry.offset)
            case let code:
                if KafkaError.kind(of: code) == .unknownTopic { suspect() }
                offsets.append(nil)
            }
        }
        if isAnswered { answered() }
        return offsets
    }

    /// The first offset that exists and the end; nil without answer.
    func watermarks(
        of partition: TopicPartition, milliseconds: Int32
    ) -> (low: Int64, high: Int64)? {
        guard
            let low = listOffsets(
                [partition], at: KafkaOffset.beginning, milliseconds: milliseconds)?[0],
            let high = listOffsets([partition], at: KafkaOffset.end, milliseconds: milliseconds)?[0]
        else { return nil }
        return (low, high)
    }
}
