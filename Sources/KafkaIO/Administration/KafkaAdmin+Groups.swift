import CRdKafka

/// A process that is a member of a consumer group.
package struct GroupMember: Sendable, Equatable {
    package let clientID: String
    package let host: String
}

extension KafkaAdmin {
    /// The members of a group; empty for one that nobody has joined.
    package func members(
        of groupID: String, milliseconds: Int32 = 10_000
    ) throws(KafkaError) -> [GroupMember] {
        let doing = "cannot ask for the members of group \(groupID)"
        var list: UnsafePointer<rd_kafka_group_list>?
        let code = unsafe rd_kafka_list_groups(handle.pointer, groupID, &list, milliseconds)
        handle.serve()
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let list = unsafe list else {
            throw handle.error(code, doing: doing)
        }
        // Safety: the list is ours until destroyed; its texts are copied.
        defer { unsafe rd_kafka_group_list_destroy(list) }
        var members: [GroupMember] = []
        for index in 0..<Int(unsafe list.pointee.group_cnt) {
            let group = unsafe list.pointee.groups[index]
            guard unsafe group.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw unsafe KafkaError(group.err, doing: doing)
            }
            for number in 0..<Int(unsafe group.member_cnt) {
                let member = unsafe group.members[number]
                members.append(
                    GroupMember(
                        clientID: unsafe member.client_id.map { unsafe String(cString: $0) } ?? "",
                        host: unsafe member.client_host.map { unsafe String(cString: $0) } ?? ""))
            }
        }
        return members
    }
}
