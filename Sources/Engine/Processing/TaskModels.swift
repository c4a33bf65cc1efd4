import Core
import Formats

/// The models of a task: one for all records, or one for each value of a field.
///
/// With a field, a new value begins with a fresh model, and beyond the limit the model of the value
/// that had no record for longest is forgotten: in the order of the records, so a function of the log
/// alone. Models know nothing of each other.
///
/// A value: a copy shares its memory until either learns, and then copies what is touched.
///
/// - Complexity: one call of each component for each run of records of one value.
struct TaskModels: Sendable {
    /// Runs after which the memory of a value's model is measured again.
    private static let runsPerMeasure: UInt32 = 64

    /// How a new value begins; `nil` where one model serves all records.
    private let fresh: ModelUnit?
    private var units: [ModelUnit]
    private var values: RecentTexts
    /// The memory of each value's model when it was measured last, the sum, and the runs since.
    private var bytes: [Int] = []
    private var bytesTotal = 0
    private var runs: [UInt32] = []

    /// - Throws: What a component refuses, placed in the pipeline file.
    init(_ pipeline: Pipeline, declaredClasses: Int) throws(ProcessorError) {
        let unit = try ModelUnit(pipeline, declaredClasses: declaredClasses)
        columnCount = max(unit.columnCount, pipeline.schema.layout.columns.count)
        if case .field(_, let limit) = pipeline.scope {
            fresh = unit
            units = []
            values = RecentTexts(limit: limit)
        } else {
            fresh = nil
            units = [unit]
            values = RecentTexts(limit: 1)
        }
    }

    /// The dense columns of the widest layout that rows pass through.
    let columnCount: Int

    /// Memory of the state, in bytes; of a value's model as of at most 64 runs ago.
    var stateBytes: Int { fresh == nil ? units[0].stateBytes : bytesTotal }

    /// What can be counted about the models together.
    var facts: [ModelSummary.Fact] { ModelSummary.Fact.combined(units.map(\.facts)) }

    /// Takes the rows of a batch through their models, in order.
    mutating func run(_ batch: inout DecodedBatch, _ work: inout ModelWork) {
        let count = batch.rows.count
        guard let fresh else { return units[0].run(&batch.rows, 0..<count, &work) }
        var first = 0
        var current = -1
        for row in 0..<count {
            let visit = values.visit(batch.modelKeys.extracting(batch.modelKeyRange(row)))
            if visit.place == current, !visit.isNew { continue }
            if row > first { run(current, &batch.rows, first..<row, &work) }
            if visit.isNew {
                work.arrivals.append(ModelWork.Arrival(row: row, evicts: visit.evicts))
                put(fresh, at: visit.place)
            }
            first = row
            current = visit.place
        }
        if count > first { run(current, &batch.rows, first..<count, &work) }
    }

    private mutating func run(
        _ place: Int, _ rows: inout Rows, _ range: Range<Int>, _ work: inout ModelWork
    ) {
        units[place].run(&rows, range, &work)
        runs[place] &+= 1
        if runs[place] % Self.runsPerMeasure == 1 { measure(place) }
    }

    /// Gives a place, a new one or that of an evicted value, its model.
    private mutating func put(_ unit: ModelUnit, at place: Int) {
        if place == units.count {
            units.append(unit)
            bytes.append(0)
            runs.append(0)
        } else {
            units[place] = unit
            runs[place] = 0
        }
    }

    private mutating func measure(_ place: Int) {
        let measured = units[place].stateBytes + values.text(place).count
        bytesTotal += measured - bytes[place]
        bytes[place] = measured
    }
}

// MARK: - State

extension TaskModels {
    /// Writes the models; with a field from the value that had no record for longest to the last.
    func encode(to encoder: inout StateEncoder) {
        encode(to: &encoder) { $0.encode(to: &$1) }
    }

    /// Writes what predictions depend on.
    func encodeLearned(to encoder: inout StateEncoder) {
        encode(to: &encoder) { $0.encodeLearned(to: &$1) }
    }

    private func encode(
        to encoder: inout StateEncoder, _ write: (ModelUnit, inout StateEncoder) -> Void
    ) {
        guard fresh != nil else { return write(units[0], &encoder) }
        encoder.section("field_models", version: 1)
        encoder.write(values.count)
        for place in values.placesByAge {
            encoder.write(values.text(place))
            write(units[place], &encoder)
        }
    }

    /// Takes over what the models of a pipeline that learns the same wrote.
    mutating func restore(
        _ pipeline: Pipeline, _ detectors: DetectorSources, from decoder: inout StateDecoder
    ) throws(StateError) {
        guard let fresh else { return try units[0].restore(pipeline, detectors, from: &decoder) }
        _ = try decoder.section("field_models", through: 1)
        let count = try decoder.readInt(in: 0...values.limit, "the number of models")
        var restored = self
        restored.values = RecentTexts(limit: values.limit)
        restored.units = []
        restored.bytes = []
        restored.runs = []
        restored.bytesTotal = 0
        for place in 0..<count {
            let text = try decoder.readBytes()
            guard restored.values.visit(text.span).isNew else {
                throw .invalidValue("a value has two models")
            }
            var unit = fresh
            try unit.restore(pipeline, detectors, from: &decoder)
            restored.put(unit, at: place)
            restored.measure(place)
        }
        self = restored
    }
}
