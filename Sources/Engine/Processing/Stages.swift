import Core
import Evaluation
import Formats

/// The stages of one task and their work space.
struct Stages: ~Copyable {
    private let pipeline: Pipeline
    private let measurement: MeasurementKey
    private var decoder: RecordDecoder
    private var batch: DecodedBatch
    private var models: TaskModels
    private var work: ModelWork
    private var evaluator: Evaluator
    private var encoder: PredictionEncoder
    private var deadLetters: DeadLetterWriter
    private var reports: ReportWriter
    private(set) var counters = ProcessorCounters()

    init(
        _ pipeline: Pipeline, taskIndex: Int, format: InputFormat
    ) throws(ProcessorError) {
        // Everything that may be refused is made first: a noncopyable value is initialised whole.
        let decoder: RecordDecoder
        do {
            decoder = try RecordDecoder(
                schema: pipeline.schema, format: format,
                valueBytesLimit: pipeline.input.valueBytesLimit)
        } catch {
            throw .format(error)
        }
        let models = try TaskModels(pipeline, declaredClasses: decoder.classCount)
        self.pipeline = pipeline
        measurement = pipeline.measurementKey
        self.decoder = decoder
        self.models = models
        batch = DecodedBatch(
            columnCount: models.columnCount, capacity: PipelineProcessor.batchRecords)
        work = ModelWork(pipeline)
        evaluator = Evaluator(pipeline.evaluation)
        encoder = PredictionEncoder(pipeline.predictionKind)
        deadLetters = DeadLetterWriter(topic: pipeline.input.topic ?? "file")
        reports = ReportWriter(pipeline: pipeline, taskIndex: taskIndex)
        counters = ProcessorCounters(pipeline)
    }

    var stateBytes: Int { models.stateBytes + evaluator.stateBytes }

    // MARK: A batch

    mutating func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        batch.clear()
        decoder.decode(records, into: &batch)
        if !batch.rejections.isEmpty { try setAside(records, headers: headers, into: &output) }
        work.begin(rows: batch.rows.count, classes: max(1, decoder.classCount))
        models.run(&batch, &work)
        var cursor = BatchCursor()
        judge(records, &cursor, into: &output)
        encoder.encode(
            0..<batch.rows.count, of: batch, records: records, predictions: work.predictions,
            classes: decoder.classes, into: &output)
        advance(&cursor, records, to: records.count)
    }

    /// Counts the faulty records and treats them as the pipeline says.
    private mutating func setAside(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        for rejection in batch.rejections {
            let record = records[rejection.recordIndex]
            switch pipeline.onBadRecord {
            case .skip: break
            case .deadLetter:
                deadLetters.write(
                    record, fault: rejection.fault, headers: headers(rejection.recordIndex),
                    into: &output)
            case .fail:
                throw .badRecord(
                    rejection.fault, partition: record.partition, offset: record.offset)
            }
        }
    }

    /// Evaluates the predicted rows and writes what is due, in the order of the records.
    ///
    /// Reports and signals are written at the very record where they fall due, whatever the batch.
    private mutating func judge(
        _ records: Span<RawRecord>, _ cursor: inout BatchCursor, into output: inout OutputBuffer
    ) {
        work.sortSignals()
        let count = batch.rows.count
        var next = 0
        while next < count {
            let rest = next..<count
            next =
                pipeline.task == .clustering
                ? evaluator.update(batch.rows, rest, work.predictions)
                : evaluator.update(
                    batch.rows, rest, work.predictions, baseline: work.baseline,
                    noChange: work.noChange)
            writeSignals(before: next, records, &cursor, into: &output)
            if evaluator.isReportDue {
                advance(&cursor, records, to: Int(batch.recordIndices[next - 1]) + 1)
                writeReport(into: &output)
            }
        }
    }

    /// Counts and writes what the detectors signalled at the rows before `end`.
    private mutating func writeSignals(
        before end: Int, _ records: Span<RawRecord>, _ cursor: inout BatchCursor,
        into output: inout OutputBuffer
    ) {
        while cursor.signal < work.signals.count, work.signals[cursor.signal].row < end {
            let signal = work.signals[cursor.signal]
            cursor.signal += 1
            if signal.isDrift {
                counters.drifts[signal.detector] += 1
            } else {
                counters.warnings[signal.detector] += 1
            }
            var model: String?
            if pipeline.schema.modelPath != nil {
                model = batch.modelKeyText(signal.row)
            }
            let record = records[Int(batch.recordIndices[signal.row])]
            let eventTime = batch.rows.eventTimes[signal.row]
            reports.writeDrift(
                position: signal.detector, isDrift: signal.isDrift, model: model, record: record,
                eventTime: eventTime, into: &output)
        }
    }

    /// Counts the records before `end`, so that a report covers just what came before it.
    private mutating func advance(
        _ cursor: inout BatchCursor, _ records: Span<RawRecord>, to end: Int
    ) {
        while cursor.record < end {
            let record = records[cursor.record]
            reports.notePosition(partition: record.partition, nextOffset: record.offset + 1)
            cursor.record += 1
            counters.records += 1
            if record.keyCount < 0 { counters.models?.unkeyed += 1 }
        }
        while cursor.rejection < batch.rejections.count,
            batch.rejections[cursor.rejection].recordIndex < end
        {
            counters.faults[Int(batch.rejections[cursor.rejection].fault.rawValue)] += 1
            cursor.rejection += 1
        }
        while cursor.arrival < work.arrivals.count {
            let arrival = work.arrivals[cursor.arrival]
            guard Int(batch.recordIndices[arrival.row]) < end else { break }
            counters.models?.note(arrival)
            cursor.arrival += 1
        }
    }

    /// How far the records of a batch are counted.
    private struct BatchCursor {
        var record = 0
        var rejection = 0
        var signal = 0
        var arrival = 0
    }

    // MARK: Reports

    mutating func report() -> MetricsReport {
        let classes = (0..<decoder.classCount).map { decoder.classes.text($0) }
        if let name = pipeline.positiveClass ?? Self.usualPositiveClass(of: classes),
            let code = classes.firstIndex(of: name)
        {
            evaluator.setPositiveClass(Int32(code))
        }
        return evaluator.makeReport(classes: classes)
    }

    /// `1` of 0 and 1, `true` of false and true; otherwise no class is the positive one.
    private static func usualPositiveClass(of classes: [String]) -> String? {
        switch classes.sorted() {
        case ["0", "1"]: "1"
        case ["false", "true"]: "true"
        default: nil
        }
    }

    /// What the models have become.
    func summary() -> ModelSummary {
        ModelSummary(
            model: pipeline.model.name, counters: counters,
            evaluatedRecords: evaluator.evaluated,
            detectors: pipeline.detectors.map(\.component.name), facts: models.facts,
            classes: pipeline.task == .classification
                ? (0..<decoder.classCount).map { decoder.classes.text($0) } : [],
            stateBytes: stateBytes)
    }

    mutating func writeReport(into output: inout OutputBuffer) {
        let report = report()
        reports.writeMetrics(report, counters: counters, into: &output)
    }
}

// MARK: - State

extension Stages {
    /// Everything that the stages learned, sharing memory with them until they learn on.
    func capture() -> StagesState {
        StagesState(
            decoder: decoder.state, models: models, evaluator: evaluator, counters: counters,
            positions: reports.positions, measurement: measurement)
    }

    /// Takes over what a capture wrote; after an error everything is as before.
    mutating func restore(from decoder: inout StateDecoder) throws(StateError) {
        let before = capture()
        do throws(StateError) {
            try read(from: &decoder)
            try decoder.finish()
        } catch {
            put(before)
            throw error
        }
    }

    private mutating func read(from decoder: inout StateDecoder) throws(StateError) {
        let format = try decoder.section("pipeline", through: 2)
        // Before format 2, what was stored is what the file says.
        let stored = format >= 2 ? try MeasurementKey(from: &decoder) : measurement
        let sources = measurement.sources(in: stored)
        try self.decoder.restore(from: &decoder)
        try models.restore(
            pipeline, DetectorSources(stored: stored.detectors.map(\.name), sources),
            from: &decoder)
        if format < 2 {
            evaluator = try Evaluator(pipeline.evaluation, from: &decoder)
        } else {
            var measured = StateDecoder(try decoder.readBytes())
            if stored.evaluation == measurement.evaluation {
                evaluator = try Evaluator(pipeline.evaluation, from: &measured)
                try measured.finish()
            } else {
                evaluator = Evaluator(pipeline.evaluation)
            }
        }
        counters = try ProcessorCounters(
            pipeline, storedDetectors: stored.detectors.count, sources, from: &decoder)
        try reports.restore(from: &decoder)
        encoder = PredictionEncoder(pipeline.predictionKind)
    }

    private mutating func put(_ state: StagesState) {
        decoder.restore(state.decoder)
        models = state.models
        evaluator = state.evaluator
        counters = state.counters
        reports.replace(positions: state.positions)
    }
}
