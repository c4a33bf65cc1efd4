import Core
import Evaluation
import Formats

/// Writes metrics and drift records: JSON, versioned, a function of the log alone.
///
/// The schema is the reference page `docs/reference/records.md`.
struct ReportWriter: ~Copyable {
    /// The version of both schemas.
    static let version: Int = 1

    /// How far an input partition was taken.
    struct Position: Sendable, Equatable {
        let partition: Int32
        var nextOffset: Int64
    }

    private let pipeline: Pipeline
    private let taskIndex: Int
    private var json = JSONWriter(capacity: 1 << 14)
    /// The next offset of each input partition, in the order of first sight.
    private(set) var positions: [Position] = []
    /// Where the last noted partition stands in `positions`.
    private var lastPlace = 0

    init(pipeline: Pipeline, taskIndex: Int) {
        self.pipeline = pipeline
        self.taskIndex = taskIndex
    }

    /// Notes how far a partition was taken.
    mutating func notePosition(partition: Int32, nextOffset: Int64) {
        if lastPlace < positions.count, positions[lastPlace].partition == partition {
            positions[lastPlace].nextOffset = nextOffset
            return
        }
        if let place = positions.firstIndex(where: { $0.partition == partition }) {
            lastPlace = place
            positions[place].nextOffset = nextOffset
        } else {
            lastPlace = positions.count
            positions.append(Position(partition: partition, nextOffset: nextOffset))
        }
    }

    // MARK: Metrics

    mutating func writeMetrics(
        _ report: MetricsReport, counters: ProcessorCounters, into output: inout OutputBuffer
    ) {
        json.clear()
        let places = positions.sorted { $0.partition < $1.partition }
        json.object { json in
            json.member("type", "metrics")
            json.member("version", Self.version)
            json.member("pipeline", pipeline.name)
            json.member("task", taskIndex)
            json.object("offsets") { json in
                for place in places { json.member("\(place.partition)", place.nextOffset) }
            }
            json.member("records", counters.records)
            if counters.faultTotal > 0 {
                json.object("faults") { json in
                    for fault in RecordFault.allCases
                    where counters.faults[Int(fault.rawValue)] > 0 {
                        json.member(fault.name, counters.faults[Int(fault.rawValue)])
                    }
                }
            }
            if let models = counters.models, case .field(let path, let limit) = pipeline.scope {
                json.object("models") { json in
                    json.member("field", FieldPath.text(path))
                    json.member("limit", limit)
                    json.member("live", models.live)
                    json.member("evicted", models.evicted)
                    if models.unkeyed > 0 { json.member("unkeyed", models.unkeyed) }
                }
            }
            if !pipeline.detectors.isEmpty {
                json.list("drift") { json in
                    for (index, detector) in pipeline.detectors.enumerated() {
                        json.object { json in
                            json.member("detector", detector.component.name)
                            json.member("drifts", counters.drifts[index])
                            json.member("warnings", counters.warnings[index])
                        }
                    }
                }
            }
            report.write(to: &json)
        }
        write(into: &output)
    }

    // MARK: Drift

    mutating func writeDrift(
        position: Int, isDrift: Bool, model: String?, record: RawRecord, eventTime: Int64,
        into output: inout OutputBuffer
    ) {
        let detector = pipeline.detectors[position]
        json.clear()
        json.object { json in
            json.member("type", "drift")
            json.member("version", Self.version)
            json.member("pipeline", pipeline.name)
            json.member("task", taskIndex)
            if let model { json.member("model", model) }
            json.member("detector", detector.component.name)
            json.member("position", position)
            json.member("watch", "error")
            json.member("signal", isDrift ? "drift" : "warning")
            json.member("then", isDrift ? detector.action.rawValue : "alert")
            json.member("partition", record.partition)
            json.member("offset", record.offset)
            if eventTime > 0 { json.member("event_time", eventTime) }
        }
        write(into: &output)
    }

    private func write(into output: inout OutputBuffer) {
        output.append(json.bytes, to: .metrics, partition: Int32(taskIndex))
    }
}

// MARK: - State

extension ReportWriter {
    mutating func restore(from decoder: inout StateDecoder) throws(StateError) {
        let partitions = try decoder.readIntegers(Int32.self)
        let offsets = try decoder.readIntegers(Int64.self)
        guard partitions.count == offsets.count else {
            throw .invalidValue("the positions of a report are torn")
        }
        replace(
            positions: zip(partitions, offsets).map { Position(partition: $0, nextOffset: $1) })
    }

    mutating func replace(positions: [Position]) {
        self.positions = positions
        lastPlace = 0
    }
}
