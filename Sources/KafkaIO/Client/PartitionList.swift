import CRdKafka
import State

/// An owned `rd_kafka_topic_partition_list_t`.
@safe
final class PartitionList {
    // Safety: owned by this object, freed in `deinit`; used by one thread at a time.
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init() {
        unsafe pointer = unsafe rd_kafka_topic_partition_list_new(8)
    }

    /// Takes over a list that librdkafka made.
    init(taking pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        unsafe self.pointer = unsafe pointer
    }

    convenience init(_ partitions: [TopicPartition]) {
        self.init()
        for partition in partitions { add(partition) }
    }

    deinit { unsafe rd_kafka_topic_partition_list_destroy(pointer) }

    var count: Int { unsafe Int(pointer.pointee.cnt) }

    func add(_ partition: TopicPartition, offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID)) {
        let entry = unsafe rd_kafka_topic_partition_list_add(
            pointer, partition.topic, partition.partition)
        unsafe entry?.pointee.offset = offset
    }

    /// Adds a partition with an offset and text to be stored beside it.
    func add(_ partition: TopicPartition, offset: Int64, metadata: String) {
        unsafe tw_kafka_list_add(
            pointer, partition.topic, partition.partition, offset, metadata, metadata.utf8.count)
    }

    /// The entry at an index; librdkafka's memory, valid as long as the list is not changed.
    subscript(index: Int) -> rd_kafka_topic_partition_t {
        precondition(index >= 0 && index < count, "index \(index) of \(count)")
        return unsafe pointer.pointee.elems[index]
    }

    /// The topic and partition at an index.
    func partition(_ index: Int) -> TopicPartition {
        let entry = unsafe self[index]
        return unsafe TopicPartition(
            topic: String(cString: entry.topic), partition: entry.partition)
    }
}
