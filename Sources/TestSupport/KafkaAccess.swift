import CRdKafka
import Foundation

/// Access control lists on a secure cluster, set through librdkafka because Kafka's own tools take
/// seconds to start. Transactional ids are not among what librdkafka 2.0 can give rights to.
package final class KafkaAccess {
    /// Who is logged in, as the cluster knows it.
    package static let user = "alice"

    private let client: OpaquePointer
    private let queue: OpaquePointer

    /// - Parameter properties: librdkafka properties of a user who may change access.
    package init(properties: [(name: String, value: String)]) throws {
        var reason = [CChar](repeating: 0, count: 512)
        let settings = rd_kafka_conf_new()
        for (name, value) in properties {
            rd_kafka_conf_set(settings, name, value, &reason, reason.count)
        }
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, settings, &reason, reason.count),
            let queue = rd_kafka_queue_new(client)
        else {
            throw ChildFailure(
                command: "make a Kafka client", code: -1,
                output: String(
                    decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                    as: UTF8.self))
        }
        self.client = client
        self.queue = queue
    }

    deinit {
        rd_kafka_queue_destroy(queue)
        rd_kafka_destroy(client)
    }

    /// What is given: an operation as `kafka-acls` names it, on a topic or a group.
    package struct Right: Sendable, Hashable {
        package let operation: String
        package let isGroup: Bool
        package let name: String

        package init(_ operation: String, topic: String) {
            self.operation = operation
            isGroup = false
            name = topic
        }

        package init(_ operation: String, group: String) {
            self.operation = operation
            isGroup = true
            name = group
        }
    }

    private static let operations: [String: rd_kafka_AclOperation_t] = [
        "Read": RD_KAFKA_ACL_OPERATION_READ, "Write": RD_KAFKA_ACL_OPERATION_WRITE,
        "Create": RD_KAFKA_ACL_OPERATION_CREATE, "Delete": RD_KAFKA_ACL_OPERATION_DELETE,
        "Alter": RD_KAFKA_ACL_OPERATION_ALTER, "Describe": RD_KAFKA_ACL_OPERATION_DESCRIBE,
        "DescribeConfigs": RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
    ]

    /// Gives rights to ``user``, and returns once the broker knows them.
    package func grant(_ rights: [Right]) throws {
        var bindings = try rights.map { try binding($0, isFilter: false) }
        defer { for binding in bindings { rd_kafka_AclBinding_destroy(binding) } }
        rd_kafka_CreateAcls(client, &bindings, bindings.count, nil, queue)
        let event = try answer("grant rights")
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        let results = rd_kafka_CreateAcls_result_acls(
            rd_kafka_event_CreateAcls_result(event), &count)
        for index in 0..<count {
            if let error = rd_kafka_acl_result_error(results?[index]) {
                throw ChildFailure(
                    command: "grant \(rights[index])", code: -1,
                    output: String(cString: rd_kafka_error_string(error)))
            }
        }
        try wait("granted") { try rights.allSatisfy(isGranted) }
    }

    /// Takes rights of ``user`` away, and returns once the broker knows.
    package func revoke(_ rights: [Right]) throws {
        var filters = try rights.map { try binding($0, isFilter: true) }
        defer { for filter in filters { rd_kafka_AclBinding_destroy(filter) } }
        rd_kafka_DeleteAcls(client, &filters, filters.count, nil, queue)
        rd_kafka_event_destroy(try answer("revoke rights"))
        try wait("revoked") { try !rights.contains(where: isGranted) }
    }

    private func isGranted(_ right: Right) throws -> Bool {
        let filter = try binding(right, isFilter: true)
        defer { rd_kafka_AclBinding_destroy(filter) }
        rd_kafka_DescribeAcls(client, filter, nil, queue)
        let event = try answer("ask for rights")
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        _ = rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event), &count)
        return count > 0
    }

    private func binding(_ right: Right, isFilter: Bool) throws -> OpaquePointer? {
        guard let operation = Self.operations[right.operation] else {
            throw ChildFailure(command: "\(right)", code: -1, output: "no such operation")
        }
        let kind = right.isGroup ? RD_KAFKA_RESOURCE_GROUP : RD_KAFKA_RESOURCE_TOPIC
        let make = isFilter ? rd_kafka_AclBindingFilter_new : rd_kafka_AclBinding_new
        return make(
            kind, right.name, RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:\(Self.user)", "*",
            operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, nil, 0)
    }

    private func answer(_ doing: String) throws -> OpaquePointer {
        guard let event = rd_kafka_queue_poll(queue, 30_000) else {
            throw ChildFailure(command: doing, code: -1, output: "no answer in 30 s")
        }
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            defer { rd_kafka_event_destroy(event) }
            throw ChildFailure(
                command: doing, code: -1,
                output: String(cString: rd_kafka_event_error_string(event)))
        }
        return event
    }

    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        for _ in 0..<3000 {
            if try condition() { return }
            usleep(10_000)
        }
        throw ChildFailure(command: what, code: -1, output: "not so within 30 s")
    }
}
