import Core
import Drift

/// What the models of a task say of a batch, and the work space that they share.
struct ModelWork: ~Copyable {
    /// A detector's signal at a row.
    struct Signal {
        let row: Int
        /// The detector's place in the pipeline file.
        let detector: Int
        let isDrift: Bool
    }

    /// A row whose value of the model's field was new.
    struct Arrival {
        let row: Int
        /// Whether another value lost its model to it.
        let evicts: Bool
    }

    private let task: LearningTask
    private let actions: [Pipeline.Detector.Action]
    /// Whether a detector may reset a model, so that it gets one row at a time.
    let resetsModel: Bool
    var predictions: Predictions
    /// What the baselines say: the first and the second of ``ModelCatalogue/baselines(of:)``.
    var baseline: Predictions
    var noChange: Predictions
    /// Warnings and drifts of the batch.
    private(set) var signals: [Signal] = []
    /// The new values of the batch, in order.
    var arrivals: [Arrival] = []
    /// The errors of the labelled rows of a run, and where they come from.
    private var errors: [Double] = []
    private var errorRows: [Int] = []
    private var raw: [UInt8] = []

    init(_ pipeline: Pipeline) {
        task = pipeline.task
        actions = pipeline.detectors.map(\.action)
        resetsModel = actions.contains(.reset)
        let capacity = PipelineProcessor.batchRecords
        predictions = Predictions(capacity: capacity)
        baseline = Predictions(capacity: capacity, wantsProbabilities: false)
        noChange = Predictions(capacity: capacity, wantsProbabilities: false)
    }

    /// Makes room for a batch and forgets the one before.
    mutating func begin(rows: Int, classes: Int) {
        predictions.reserve(rows: rows, classes: classes)
        baseline.reserve(rows: rows, classes: classes)
        noChange.reserve(rows: rows, classes: classes)
        signals.removeAll(keepingCapacity: true)
        arrivals.removeAll(keepingCapacity: true)
    }

    /// Whether ``collectErrors(_:_:)`` found any.
    var hasErrors: Bool { !errors.isEmpty }

    /// Collects what the detectors watch: 0 or 1 for classes, the absolute error for numbers, the
    /// distance to the centre for clusters.
    mutating func collectErrors(_ rows: borrowing Rows, _ range: Range<Int>) {
        errors.removeAll(keepingCapacity: true)
        errorRows.removeAll(keepingCapacity: true)
        for row in range {
            switch task {
            case .classification:
                let label = rows.classLabels[row]
                guard label >= 0 else { continue }
                errors.append(predictions.labels[row] == label ? 0 : 1)
            case .regression:
                let error = abs(predictions.values[row] - rows.targets[row])
                guard error.isFinite else { continue }
                errors.append(error)
            case .clustering:
                guard predictions.labels[row] >= 0 else { continue }
                errors.append(predictions.values[row].squareRoot())
            }
            errorRows.append(row)
        }
    }

    /// Shows the errors to a detector and notes its signals.
    ///
    /// - Returns: whether it found a drift that resets the model.
    mutating func note(
        detector index: Int, _ update: (Span<Double>, inout MutableSpan<UInt8>) -> Void
    ) -> Bool {
        while raw.count < errors.count { raw.append(0) }
        // Taken out while in use: a mutable span of a property locks the whole value.
        var working: [UInt8] = []
        swap(&working, &raw)
        var span = working.mutableSpan
        update(errors.span, &span)
        swap(&working, &raw)
        var isReset = false
        for place in errors.indices where raw[place] != DriftSignal.none.rawValue {
            let isDrift = raw[place] == DriftSignal.drift.rawValue
            signals.append(Signal(row: errorRows[place], detector: index, isDrift: isDrift))
            if isDrift && actions[index] == .reset { isReset = true }
        }
        return isReset
    }

    /// Puts the signals into the order of the rows, and of the detectors at each.
    mutating func sortSignals() {
        guard signals.count > 1 else { return }
        signals.sort { ($0.row, $0.detector) < ($1.row, $1.detector) }
    }
}
