/// A right on the brokers, in the words of `kafka-acls`.
package struct KafkaRight: Sendable, Equatable {
    /// What is to be done.
    package enum Operation: String, Sendable {
        case alter = "Alter"
        case create = "Create"
        case delete = "Delete"
        case describe = "Describe"
        case describeConfigs = "DescribeConfigs"
        case read = "Read"
        case write = "Write"
    }

    /// What it is to be done to.
    package enum Resource: String, Sendable {
        case topic
        case group
        case transactionalID = "transactional-id"
    }

    package let operation: Operation
    package let resource: Resource
    /// The resource's name; nil where it is not known.
    package let name: String?

    package init(_ operation: Operation, _ resource: Resource, _ name: String?) {
        self.operation = operation
        self.resource = resource
        self.name = name
    }

    static func topic(_ name: String, _ operation: Operation) -> KafkaRight {
        KafkaRight(operation, .topic, name)
    }

    /// `Read on topic clicks`
    package var text: String {
        let kind = resource == .transactionalID ? "transactional id" : resource.rawValue
        return "\(operation.rawValue) on \(name.map { "\(kind) \($0)" } ?? "the \(kind)")"
    }

    /// The command that grants it; a user who did not log in by name is left to the reader.
    package func command(user: String?) -> String {
        "kafka-acls --add --allow-principal User:\(user ?? "NAME") --operation "
            + "\(operation.rawValue) --\(resource.rawValue) \(name ?? "NAME")"
    }
}
