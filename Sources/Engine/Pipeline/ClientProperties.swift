internal import Configuration
internal import Core

/// A property of the Kafka client, in librdkafka's own name.
package struct ClientProperty: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    package let value: String
    /// Whether the value must not be shown.
    package let isSecret: Bool

    package init(_ name: String, _ value: String, isSecret: Bool = false) {
        self.name = name
        self.value = value
        self.isSecret = isSecret
    }

    /// `name=value`, for logs; a secret value is left out.
    package var description: String { "\(name)=\(isSecret ? "<redacted>" : value)" }
}

/// The client properties of a pipeline file, by the side that they are for.
package struct ClientProperties: Sendable, Equatable {
    /// For every handle, the administrative one included.
    package private(set) var common: [ClientProperty] = []
    /// For consumers: the common ones and those of consumers alone; later ones win.
    package private(set) var consumer: [ClientProperty] = []
    /// For producers: the common ones and those of producers alone; later ones win.
    package private(set) var producer: [ClientProperty] = []

    package init() {}

    /// The brokers to begin with, if they are given.
    package var bootstrapServers: String? {
        common.last { $0.name == "bootstrap.servers" || $0.name == "metadata.broker.list" }?.value
    }

    /// Takes the sections `kafka`, `kafka.consumer` and `kafka.producer`; refuses what the engine
    /// owns, what is for the other side, and what is probably misspelt.
    ///
    /// - Returns: Warnings about properties that this program does not know.
    mutating func read(
        _ settings: Settings, _ reader: inout SettingsReader
    ) -> [ConfigurationError] {
        var warnings: [ConfigurationError] = []
        for section in ["kafka", "kafka.consumer", "kafka.producer"] where settings.has(section) {
            for pair in settings.map(section) {
                let key = "\(section).\(pair.name)"
                let line = reader.places.line(of: key)
                if let owned = ClientPropertyNames.owned(pair.name) {
                    reader.fail(
                        line, key, "the engine owns this property: \(owned.reason)", owned.remedy)
                    continue
                }
                guard let side = ClientPropertyNames.side(of: pair.name) else {
                    let nearest = NearestName.find(pair.name, among: ClientPropertyNames.all)
                    if let nearest, NearestName.distance(nearest, pair.name) <= 2 {
                        reader.fail(
                            line, key, "unknown client property", "did you mean \(nearest)?")
                        continue
                    }
                    warnings.append(
                        ConfigurationError(
                            file: reader.file, line: line, key: key,
                            problem: "this client property is not known to librdkafka 2.0",
                            remedy: "it is passed on; starting fails if the library refuses it"))
                    add(pair, key, section, .both, reader.places)
                    continue
                }
                if section == "kafka.consumer" && side == .producer
                    || section == "kafka.producer" && side == .consumer
                {
                    reader.fail(
                        line, key, "the property is for a \(side.rawValue)",
                        "move it to kafka.\(side.rawValue)")
                    continue
                }
                add(pair, key, section, side, reader.places)
            }
        }
        return warnings
    }

    private mutating func add(
        _ pair: TextPair, _ key: String, _ section: String, _ side: ClientPropertyNames.Side,
        _ places: Places
    ) {
        let property = ClientProperty(pair.name, pair.text, isSecret: places.isSecret(key))
        let isForConsumers = section == "kafka.consumer" || section == "kafka" && side != .producer
        let isForProducers = section == "kafka.producer" || section == "kafka" && side != .consumer
        if isForConsumers && isForProducers { common.append(property) }
        if isForConsumers { consumer.append(property) }
        if isForProducers { producer.append(property) }
    }
}
