import Core
import Engine
import KafkaIO
import State

/// Finds how far the committed outputs of a task reach, from the ends of its topics backwards.
///
/// Call it after the task's producer was initialised: nothing of the task is under way then. It takes
/// a client for each topic, so it is for starts that something is wrong with.
struct OutputsEnd {
    let pipeline: Pipeline
    let admin: KafkaAdmin
    let log: KafkaLog

    /// What the end of a partition tells.
    private enum End {
        /// Nothing was ever committed there.
        case nothing
        /// For some inputs the offset after the last record that an output tells of.
        case reached([Int32: Int64])
        /// It tells nothing, and this is why.
        case doubt(String)
    }

    /// The outputs of a task; throws where brokers do not answer.
    ///
    /// - Parameter sequences: what the group's offsets of these inputs were committed with.
    func evidence(
        task: Int, inputs: [TopicPartition], sequences: [UInt64?]
    ) throws(KafkaError) -> CommitEvidence {
        var outputs: [CommitEvidence.Output] = []
        var doubt: String?
        for output in topics(ofTask: task, inputs) {
            let ends = try ends(output.topic, output.partitions, output.positions)
            for (partition, end) in ends.sorted(by: { $0.key < $1.key }) {
                let place = TopicPartition(topic: output.topic, partition: partition)
                switch end {
                case .nothing: break
                case .reached(let offsets):
                    outputs += offsets.sorted { $0.key < $1.key }.map {
                        CommitEvidence.Output(
                            place: place,
                            input: TopicPartition(
                                topic: pipeline.input.topic ?? "", partition: $0.key),
                            nextOffset: $0.value)
                    }
                case .doubt(let why): doubt = doubt ?? "\(place.topic)[\(partition)] \(why)"
                }
            }
        }
        return CommitEvidence(sequences: sequences, outputs: outputs, doubt: doubt)
    }

    /// What there is of a task in topics that are written after the journal's first entry only; `nil`
    /// if nothing, as before its first start.
    func remains(ofTask task: Int, inputs: [TopicPartition]) throws(KafkaError) -> String? {
        let state = TopicPartition(
            topic: pipeline.output.stateTopic, partition: Int32(task))
        if let count = try admin.partitionCount(of: state.topic), task < count {
            let end = try admin.watermarks(of: state).high
            if end > 0 { return "\(state.topic)[\(task)] has had snapshots (it ends at \(end))" }
        }
        let topic = pipeline.output.predictionsTopic
        let count = try admin.partitionCount(of: topic) ?? 0
        let partitions = inputs.map(\.partition).filter { $0 < count }
        let ends = try ends(topic, partitions, predictionPositions)
        for (partition, end) in ends.sorted(by: { $0.key < $1.key }) {
            let place = "\(topic)[\(partition)]"
            switch end {
            case .nothing: break
            case .reached(let offsets):
                return "\(place) has predictions up to offset \(offsets.values.max() ?? 0) of "
                    + "the input"
            case .doubt(let why):
                return "\(place) is not new, and whether predictions of this pipeline were written "
                    + "there cannot be told: it \(why)"
            }
        }
        return nil
    }

    // MARK: The outputs

    /// The input partitions that a record tells of, each with the offset after it; `nil` for a record
    /// that is none of the task's.
    private typealias Positions = (KafkaRecord) -> [(partition: Int32, next: Int64)]?

    private func topics(
        ofTask task: Int, _ inputs: [TopicPartition]
    ) -> [(topic: String, partitions: [Int32], positions: Positions)] {
        let output = pipeline.output
        let partitions = inputs.map(\.partition)
        return [
            (output.predictionsTopic, partitions, predictionPositions),
            (output.deadLettersTopic, partitions, deadLetterPositions),
            (output.metricsTopic, [Int32(task)], { reportPositions($0, ofTask: task) }),
        ]
    }

    private func predictionPositions(
        _ record: KafkaRecord
    ) -> [(partition: Int32, next: Int64)]? {
        guard let json = JSONValue(record.value ?? []),
            json["partition"]?.integer == Int(record.partition),
            let offset = json["offset"]?.integer
        else { return nil }
        return [(record.partition, Int64(offset) + 1)]
    }

    private func deadLetterPositions(
        _ record: KafkaRecord
    ) -> [(partition: Int32, next: Int64)]? {
        func text(_ name: String) -> String? {
            record.headers.last { $0.name == name }
                .map { String(decoding: $0.value, as: UTF8.self) }
        }
        guard text("tidewheel.topic") == pipeline.input.topic,
            text("tidewheel.partition") == "\(record.partition)",
            let offset = text("tidewheel.offset").flatMap({ Int64($0) })
        else { return nil }
        return [(record.partition, offset + 1)]
    }

    private func reportPositions(
        _ record: KafkaRecord, ofTask task: Int
    ) -> [(partition: Int32, next: Int64)]? {
        guard let json = JSONValue(record.value ?? []), json["pipeline"]?.text == pipeline.name,
            json["task"]?.integer == task
        else { return nil }
        if let partition = json["partition"]?.integer, let offset = json["offset"]?.integer {
            return [(Int32(clamping: partition), Int64(offset) + 1)]
        }
        return json["offsets"]?.members?.compactMap { name, value in
            guard let partition = Int32(name), let next = value.integer else { return nil }
            return (partition, Int64(next))
        }
    }

    // MARK: Reading

    /// The records before the end that are looked at first; markers and aborted records count.
    private static let lookBack: Int64 = 256

    /// What is looked at of a partition.
    private struct Window {
        let low: Int64
        let high: Int64
        var reach = OutputsEnd.lookBack
        var recordCount = 0
        var reached: [Int32: Int64] = [:]

        var start: Int64 { max(low, high - reach) }
    }

    /// Reads the partitions of a topic from their ends backwards, until committed records are found.
    ///
    /// Of those that are read the furthest counts, not the last: a topic that others write to, too, is
    /// rather taken for one that reaches too far.
    private func ends(
        _ topic: String, _ partitions: [Int32], _ positions: Positions
    ) throws(KafkaError) -> [Int32: End] {
        var ends: [Int32: End] = [:]
        var windows: [Int32: Window] = [:]
        for partition in partitions {
            let (low, high) = try admin.watermarks(
                of: TopicPartition(topic: topic, partition: partition))
            if high > low {
                windows[partition] = Window(low: low, high: high)
            } else {
                ends[partition] = Self.end(ofEmpty: low)
            }
        }
        guard !windows.isEmpty else { return ends }
        do throws(KafkaError) {
            try read(topic, &windows, positions) { ends[$0] = $1 }
        } catch {
            guard error.kind == .unauthorised else { throw error }
            for partition in windows.keys { ends[partition] = .doubt("cannot be read: \(error)") }
        }
        return ends
    }

    private func read(
        _ topic: String, _ windows: inout [Int32: Window], _ positions: Positions,
        found: (Int32, End) -> Void
    ) throws(KafkaError) {
        let tail = try KafkaTail(
            settings: pipeline.kafkaSettings, topic: topic,
            starts: windows.map { ($0.key, $0.value.start) }, log: log)
        defer { tail.close() }
        while !windows.isEmpty {
            let isRead = try tail.readToEnd { record in
                guard let window = windows[record.partition], record.offset < window.high else {
                    return
                }
                windows[record.partition]?.recordCount += 1
                for (partition, next) in positions(record) ?? [] {
                    windows[record.partition]?.reached[partition, default: 0] = max(
                        next, window.reached[partition] ?? 0)
                }
            }
            guard isRead else {
                throw KafkaError(
                    kind: .unreachable, problem: "the end of \(topic) was not reached",
                    remedy: "check that the broker runs")
            }
            for (partition, window) in windows {
                if let end = end(window, readTo: tail.end(of: partition) ?? 0) {
                    found(partition, end)
                    windows[partition] = nil
                } else {
                    windows[partition]?.reach *= 8
                    try tail.seek(partition, to: windows[partition]?.start ?? window.low)
                }
            }
        }
    }

    /// What a window tells; `nil` if more must be read.
    private func end(_ window: Window, readTo offset: Int64) -> End? {
        guard offset >= window.high else {
            return .doubt("has an open transaction at offset \(offset), which hides its end")
        }
        if !window.reached.isEmpty { return .reached(window.reached) }
        if window.recordCount > 0 { return .doubt("ends with records of somebody else") }
        return window.start > window.low ? nil : Self.end(ofEmpty: window.low)
    }

    private static func end(ofEmpty low: Int64) -> End {
        low == 0 ? .nothing : .doubt("holds nothing any more of what stood before offset \(low)")
    }
}
