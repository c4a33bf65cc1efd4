import Core
import Drift
import Evaluation
import Features
import Formats
import Models

/// The stages of one task and their work space.
struct Stages: ~Copyable {
    private let pipeline: Pipeline
    private var decoder: RecordDecoder
    private var batch: DecodedBatch
    private var steps: [any PreparationStep]
    private var learner: any Learner
    private var baselines: BaselinePair
    private var predictions: Predictions
    private var evaluator: Evaluator
    private var detectors: [DetectorRun]
    private var encoder: PredictionEncoder
    private var deadLetters: DeadLetterWriter
    private var reports: ReportWriter
    private(set) var counters = ProcessorCounters()
    /// Whether a detector may reset the model, so that it gets one row at a time.
    private let resetsModel: Bool
    /// The errors of the labelled rows of a batch and where they come from.
    private var errors: [Double] = []
    private var errorRows: [Int] = []

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
        let (steps, layout) = try Self.makeSteps(pipeline)
        let learner = try Self.makeLearner(
            pipeline, layout: layout, declaredClasses: decoder.classCount)
        var detectors: [DetectorRun] = []
        for (index, definition) in pipeline.detectors.enumerated() {
            do {
                detectors.append(try DetectorRun(definition))
            } catch {
                throw .settings(section: "drift[\(index)]", error)
            }
        }
        self.pipeline = pipeline
        self.decoder = decoder
        self.steps = steps
        self.learner = learner
        self.detectors = detectors
        let width = max(layout.columns.count, pipeline.schema.layout.columns.count)
        batch = DecodedBatch(columnCount: width, capacity: PipelineProcessor.batchRecords)
        predictions = Predictions(capacity: PipelineProcessor.batchRecords)
        baselines = BaselinePair(pipeline.task, layout: layout)
        evaluator = Evaluator(pipeline.evaluation)
        encoder = PredictionEncoder(pipeline.predictionKind)
        deadLetters = DeadLetterWriter(topic: pipeline.input.topic ?? "file")
        reports = ReportWriter(pipeline: pipeline, taskIndex: taskIndex)
        resetsModel = pipeline.detectors.contains { $0.action == .reset }
        counters.drifts = [Int](repeating: 0, count: detectors.count)
        counters.warnings = counters.drifts
    }

    private static func makeSteps(
        _ pipeline: Pipeline
    ) throws(ProcessorError) -> ([any PreparationStep], ColumnLayout) {
        var steps: [any PreparationStep] = []
        var layout = pipeline.schema.layout
        for (index, component) in pipeline.preparation.enumerated() {
            do {
                let step = try PreparationCatalogue.make(
                    component.name, settings: component.settings, layout: layout)
                layout = step.output
                steps.append(step)
            } catch {
                throw .settings(section: "prepare[\(index)]", error)
            }
        }
        return (steps, layout)
    }

    private static func makeLearner(
        _ pipeline: Pipeline, layout: ColumnLayout, declaredClasses: Int
    ) throws(ProcessorError) -> any Learner {
        do {
            let made = try ModelCatalogue.make(
                pipeline.model.name, settings: pipeline.model.settings, layout: layout,
                declaredClasses: declaredClasses, seed: SplitMix64.derived(pipeline.seed, "model"))
            return made.learner
        } catch {
            throw .settings(section: "model", error)
        }
    }

    var stateBytes: Int {
        steps.reduce(learner.stateBytes + evaluator.stateBytes) { $0 + $1.stateBytes }
    }

    // MARK: A batch

    mutating func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure) {
        batch.clear()
        decoder.decode(records, into: &batch)
        if !batch.rejections.isEmpty { try setAside(records, headers: headers, into: &output) }
        let rows = 0..<batch.rows.count
        for index in steps.indices { steps[index].transformAndLearn(&batch.rows, rows) }
        predictions.reserve(rows: rows.count, classes: max(1, decoder.classCount))
        baselines.predictAndLearn(batch.rows, rows, classes: max(1, decoder.classCount))
        var cursor = BatchCursor()
        if resetsModel {
            for row in rows {
                learner.predict(batch.rows, row..<(row + 1), into: &predictions)
                judge(row..<(row + 1), records, &cursor, into: &output)
                learner.learn(batch.rows, row..<(row + 1))
            }
        } else {
            learner.predictAndLearn(batch.rows, rows, into: &predictions)
            judge(rows, records, &cursor, into: &output)
        }
        encoder.encode(
            rows, of: batch, records: records, predictions: predictions,
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

    /// Evaluates predicted rows, lets the detectors see their errors, and writes what is due.
    ///
    /// Reports are written at the very record where they fall due, whatever the batch.
    private mutating func judge(
        _ rows: Range<Int>, _ records: Span<RawRecord>, _ cursor: inout BatchCursor,
        into output: inout OutputBuffer
    ) {
        var next = rows.lowerBound
        while next < rows.upperBound {
            let rest = next..<rows.upperBound
            let taken =
                pipeline.task == .clustering
                ? evaluator.update(batch.rows, rest, predictions)
                : evaluator.update(
                    batch.rows, rest, predictions, baseline: baselines.first,
                    noChange: baselines.second)
            if !detectors.isEmpty { detect(next..<taken, records, into: &output) }
            next = taken
            if evaluator.isReportDue {
                advance(&cursor, records, to: Int(batch.recordIndices[taken - 1]) + 1)
                writeReport(into: &output)
            }
        }
    }

    private mutating func detect(
        _ rows: Range<Int>, _ records: Span<RawRecord>, into output: inout OutputBuffer
    ) {
        collectErrors(rows)
        guard !errors.isEmpty else { return }
        var isReset = false
        let watched = errors
        for index in detectors.indices {
            detectors[index].update(watched.span)
            for place in errors.indices where detectors[index].signals[place] != .none {
                let isDrift = detectors[index].signals[place] == .drift
                if isDrift { counters.drifts[index] += 1 } else { counters.warnings[index] += 1 }
                let row = errorRows[place]
                let record = records[Int(batch.recordIndices[row])]
                let eventTime = batch.rows.eventTimes[row]
                let action = detectors[index].action
                let name = detectors[index].name
                reports.writeDrift(
                    detector: name, position: index, action: action, isDrift: isDrift,
                    record: record, eventTime: eventTime, into: &output)
                if isDrift && action == .reset { isReset = true }
            }
        }
        // Before the record is learned, so that it is the new model's first.
        if isReset { learner.reset() }
    }

    /// What the detectors watch: 0 or 1 for classes, the absolute error for numbers, the distance
    /// to the centre for clusters.
    private mutating func collectErrors(_ rows: Range<Int>) {
        errors.removeAll(keepingCapacity: true)
        errorRows.removeAll(keepingCapacity: true)
        for row in rows {
            switch pipeline.task {
            case .classification:
                let label = batch.rows.classLabels[row]
                guard label >= 0 else { continue }
                errors.append(predictions.labels[row] == label ? 0 : 1)
            case .regression:
                let target = batch.rows.targets[row]
                let error = abs(predictions.values[row] - target)
                guard error.isFinite else { continue }
                errors.append(error)
            case .clustering:
                guard predictions.labels[row] >= 0 else { continue }
                errors.append(predictions.values[row].squareRoot())
            }
            errorRows.append(row)
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
        }
        while cursor.rejection < batch.rejections.count,
            batch.rejections[cursor.rejection].recordIndex < end
        {
            counters.faults[Int(batch.rejections[cursor.rejection].fault.rawValue)] += 1
            cursor.rejection += 1
        }
    }

    /// How far the records of a batch are counted.
    private struct BatchCursor {
        var record = 0
        var rejection = 0
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

    mutating func writeReport(into output: inout OutputBuffer) {
        let report = report()
        reports.writeMetrics(report, counters: counters, into: &output)
    }
}

// MARK: - State

extension Stages {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("pipeline", version: 1)
        decoder.encode(to: &encoder)
        for step in steps { step.encode(to: &encoder) }
        learner.encode(to: &encoder)
        baselines.encode(to: &encoder)
        evaluator.encode(to: &encoder)
        for detector in detectors { detector.encode(to: &encoder) }
        counters.encode(to: &encoder)
        reports.encode(to: &encoder)
    }

    mutating func restore(from decoder: inout StateDecoder) throws(StateError) {
        _ = try decoder.section("pipeline", through: 1)
        try self.decoder.restore(from: &decoder)
        for (index, component) in pipeline.preparation.enumerated() {
            steps[index] = try PreparationCatalogue.decode(component.name, from: &decoder)
        }
        learner = try ModelCatalogue.decode(pipeline.model.name, from: &decoder).learner
        try baselines.restore(from: &decoder)
        evaluator = try Evaluator(pipeline.evaluation, from: &decoder)
        for index in detectors.indices { try detectors[index].restore(from: &decoder) }
        counters = try ProcessorCounters(from: &decoder, detectors: detectors.count)
        try reports.restore(from: &decoder)
        encoder = PredictionEncoder(pipeline.predictionKind)
    }
}

extension ProcessorCounters {
    func encode(to encoder: inout StateEncoder) {
        encoder.write(records)
        encoder.write(faults)
        encoder.write(drifts)
        encoder.write(warnings)
    }

    init(from decoder: inout StateDecoder, detectors: Int) throws(StateError) {
        records = try decoder.readInt()
        faults = try decoder.readIntegers(Int.self)
        drifts = try decoder.readIntegers(Int.self)
        warnings = try decoder.readIntegers(Int.self)
        guard faults.count == RecordFault.allCases.count, drifts.count == detectors,
            warnings.count == detectors
        else { throw .invalidValue("the counters are of another pipeline") }
    }
}

extension AnyLearner {
    /// What all kinds have in common.
    var learner: any Learner {
        switch self {
        case .classifier(let model): model
        case .regressor(let model): model
        case .clusterer(let model): model
        }
    }
}
