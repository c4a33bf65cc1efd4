internal import Configuration
internal import Core
internal import Formats

extension PipelineReader {
    // MARK: Names

    mutating func pipelineName() -> String? {
        guard let name = text("pipeline", in: settings) else { return nil }
        guard Self.isTopicName(name), name.utf8.count <= 200 else {
            fail(
                "pipeline", "\(shown(name, "pipeline")) cannot name topics",
                "use at most 200 letters, digits, dots, underscores and hyphens")
            return nil
        }
        return name
    }

    /// Whether Kafka allows a topic of this name.
    static func isTopicName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 249, name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95: true
            default: false
            }
        }
    }

    private mutating func checkTopic(_ name: String, _ key: String) {
        if !Self.isTopicName(name) {
            fail(
                key, "\(shown(name, key)) is no name of a topic",
                "use at most 249 letters, digits, dots, underscores and hyphens")
        }
    }

    // MARK: Input and output

    mutating func input(outputs: Pipeline.Output) -> Pipeline.Input {
        let given = section("input", PipelineDeclarations.input)
        let limits = section("limits", PipelineDeclarations.limits)
        let topic = text("topic", in: given)
        if let topic {
            checkTopic(topic, "input.topic")
            if OutputStream.allCases.contains(where: { outputs.topic($0) == topic }) {
                fail(
                    "input.topic", "\(shown(topic, "input.topic")) is also a topic of the output",
                    "write results to another topic")
            }
        }
        var valueLimit = 1 << 20
        if case .bytes(let limit)? = limits["value"] { valueLimit = limit }
        if valueLimit < 1 || valueLimit > 1_000_000_000 {
            fail(
                "limits.value",
                "expected 1 to 1000000000 bytes, got \(Units.text(byteSize: valueLimit))",
                "remove the key to use 1 MiB")
        }
        return Pipeline.Input(
            topic: topic, format: format(given),
            start: text("start", in: given).flatMap { .init(rawValue: $0) } ?? .earliest,
            valueBytesLimit: valueLimit)
    }

    private mutating func format(_ section: Settings) -> InputFormat {
        guard case .component("csv", let csv)? = section["format"] else { return .json }
        let separator = character("separator", in: csv, default: UInt8(ascii: ","), "a comma")
        let quote = character("quote", in: csv, default: UInt8(ascii: "\""), "a double quote")
        if separator == quote {
            fail(
                "input.format.quote", "separator and quote are the same character",
                "choose another one")
        }
        let columns = texts("columns", in: csv)
        var seen: Set<String> = []
        for (index, column) in columns.enumerated() where !seen.insert(column).inserted {
            let key = reader.places.element(index, of: "input.format.columns")
            fail(key, "the column \(shown(column, key)) is named twice", "rename one of the two")
        }
        // The two characters differ in what goes on from here, whatever was written.
        return .csv(
            CSVFormat(
                columns: columns, separator: separator,
                quote: quote == separator ? (separator == 34 ? 39 : 34) : quote))
    }

    private mutating func character(
        _ name: String, in section: Settings, default fallback: UInt8, _ fallbackName: String
    ) -> UInt8 {
        guard let written = text(name, in: section) else { return fallback }
        let bytes = Array((written == "tab" ? "\t" : written).utf8)
        if bytes.count == 1, bytes[0] != 10, bytes[0] != 13, bytes[0] < 128 { return bytes[0] }
        let key = "input.format.\(name)"
        fail(
            key, "expected one ASCII character, got \(shown(written, key))",
            "remove the key to use \(fallbackName)")
        return fallback
    }

    /// Checks that each field that is read is a declared column.
    mutating func checkColumns(_ schema: Schema, _ input: Pipeline.Input) {
        guard case .csv(let csv) = input.format, !csv.columns.isEmpty else { return }
        var fields = schema.features.map { feature in
            let key = "features.\(feature.name)"
            return (reader.places.has("\(key).field") ? "\(key).field" : key, feature.path)
        }
        let others: [(String, [String]?)] = [
            ("label.field", schema.label?.path), ("input.id", schema.idPath),
            ("input.weight", schema.weightPath), ("input.time.field", schema.eventTimePath),
            ("one_model_per.field", schema.modelPath),
        ]
        for (key, path) in others {
            if let path { fields.append((key, path)) }
        }
        for (key, path) in fields {
            let name = path.joined(separator: ".")
            guard !csv.columns.contains(name) else { continue }
            let nearest = NearestName.find(name, among: csv.columns)
            fail(
                key, "\(shown(name, key)) is none of the declared columns",
                nearest.map { "did you mean \($0)?" }
                    ?? "add it to input.format.columns, or correct the name")
        }
    }

    mutating func output(pipeline: String) -> Pipeline.Output {
        let section = section("output", PipelineDeclarations.output)
        let keys = ["topic", "metrics", "dead_letters", "state", "journal"]
        let suffixes = ["predictions", "metrics", "dead_letters", "state", "journal"]
        var names: [String] = []
        for (key, suffix) in zip(keys, suffixes) {
            let name = text(key, in: section) ?? "\(pipeline).\(suffix)"
            checkTopic(name, "output.\(key)")
            if let first = names.firstIndex(of: name) {
                fail(
                    "output.\(key)",
                    "\(shown(name, "output.\(key)")) is also the topic of output.\(keys[first])",
                    "give each kind of output a topic of its own")
            }
            names.append(name)
        }
        var creates = true
        if case .boolean(let value)? = section["create_topics"] { creates = value }
        return Pipeline.Output(
            predictionsTopic: names[0], metricsTopic: names[1], deadLettersTopic: names[2],
            stateTopic: names[3], journalTopic: names[4], createsTopics: creates,
            partitions: integer("partitions", in: section),
            replication: integer("replication", in: section))
    }

    // MARK: Running

    mutating func scope(label: LabelField?) -> Pipeline.Scope {
        guard case .section(let section)? = settings["one_model_per"] else {
            return text("one_model_per", in: settings) == "partition" ? .partition : .pipeline
        }
        guard let name = text("field", in: section),
            let path = path(name, "one_model_per.field")
        else { return .pipeline }
        if path == label?.path {
            fail(
                "one_model_per.field",
                "the field is the label's, so the choice of the model would tell the answer",
                "name the field of a device, a shop or a user")
        }
        return .field(path, limit: integer("limit", in: section) ?? Pipeline.Scope.standardLimit)
    }

    mutating func delivery() -> Pipeline.Delivery {
        let section = section("delivery", PipelineDeclarations.delivery)
        var interval = Pipeline.CommitInterval.automatic
        if case .duration(let milliseconds)? = section["commit_every"] {
            interval = .milliseconds(milliseconds)
            requirePositive(milliseconds, "delivery.commit_every", "auto")
        }
        var shutdown: Int64 = 30_000
        if case .duration(let milliseconds)? = section["shutdown_within"] {
            shutdown = milliseconds
            requirePositive(milliseconds, "delivery.shutdown_within", "30 s")
        }
        return Pipeline.Delivery(
            guarantee: text("guarantee", in: section).flatMap { .init(rawValue: $0) }
                ?? .exactlyOnce,
            commitEvery: interval, shutdownWithin: shutdown)
    }

    mutating func state() -> Pipeline.State {
        let section = section("state", PipelineDeclarations.state)
        var restore: Int64 = 10_000
        if case .duration(let milliseconds)? = section["restore_within"] {
            restore = milliseconds
            requirePositive(milliseconds, "state.restore_within", "10 s")
        }
        var history: Int64 = 0
        if case .duration(let milliseconds)? = section["history"] { history = milliseconds }
        return Pipeline.State(
            version: integer("version", in: section) ?? 1, restoreWithin: restore,
            history: history,
            onLostInput: text("on_lost_input", in: section).flatMap { .init(rawValue: $0) }
                ?? .stop,
            folder: text("folder", in: section))
    }

    private mutating func requirePositive(_ value: Int64, _ key: String, _ fallback: String) {
        if value < 1 {
            fail(
                key, "expected a duration of at least 1 ms, got \(value) ms",
                "remove the key to use \(fallback)")
        }
    }
}
