import CRdKafka

/// The right to commit offsets that one assignment of the group gave.
///
/// Captured inside the assign callback and never renewed: the broker refuses a commit under it as
/// soon as the group has moved on, which is what keeps a zombie from committing.
@safe
package final class GroupToken: @unchecked Sendable {
    // Safety: the metadata is never changed after `init`; it is freed when the last owner lets go.
    let metadata: OpaquePointer
    /// The group's generation at the assignment; −1 when unknown.
    package let generation: Int32
    /// The group, for messages.
    let groupID: String

    /// A token without membership, for a group whose members do not commit through it.
    package init(groupID: String) {
        unsafe metadata = unsafe rd_kafka_consumer_group_metadata_new(groupID)
        generation = -1
        self.groupID = groupID
    }

    /// Takes over what `rd_kafka_consumer_group_metadata` gave.
    init(taking metadata: OpaquePointer, of groupID: String) {
        unsafe self.metadata = unsafe metadata
        self.groupID = groupID
        generation = unsafe Self.generation(of: metadata)
    }

    deinit { unsafe rd_kafka_consumer_group_metadata_destroy(metadata) }

    /// librdkafka keeps the generation to itself, but writes it behind its magic bytes.
    private static func generation(of metadata: OpaquePointer) -> Int32 {
        var bytes: UnsafeMutableRawPointer?
        var count = 0
        if let error = unsafe rd_kafka_consumer_group_metadata_write(metadata, &bytes, &count) {
            unsafe rd_kafka_error_destroy(error)
            return -1
        }
        guard let bytes = unsafe bytes else { return -1 }
        // Safety: the buffer holds `count` bytes and is ours to free.
        defer { unsafe rd_kafka_mem_free(nil, bytes) }
        let magic = Array("CGMDv2:".utf8)
        guard count >= magic.count + 4 else { return -1 }
        for (index, byte) in magic.enumerated()
        where unsafe bytes.load(fromByteOffset: index, as: UInt8.self) != byte {
            return -1
        }
        return unsafe bytes.loadUnaligned(fromByteOffset: magic.count, as: Int32.self)
    }
}
