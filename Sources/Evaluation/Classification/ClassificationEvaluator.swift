import Core

/// Measures the predictions of a classifier and its two baselines, from the start and over windows.
struct ClassificationEvaluator: Sendable, Equatable {
    /// Windows of up to this many records rank their scores for an exact ROC AUC; larger ones and
    /// the cumulative scope take it from histograms.
    static let exactRecordsLimit = 1 << 14
    /// The same for windows of time, whose size nobody chose, so that a report stays cheap.
    static let exactTimeLimit = 1 << 11

    private(set) var clock: EvaluationClock
    var positiveClass: Int32?
    private let tracked: [String]
    private let needsProbabilities: Bool
    private var windows: WindowSet
    private var table: ClassTable
    private var scores: ScoreTable
    /// By scope: log loss, Brier, labels equal to the one before; weighted.
    private var sums: [CompensatedSum]
    /// By slot: model, two baselines, label.
    private var codes: [SIMD4<Int32>]
    /// By slot: what the record added to ``sums``, and its weight.
    private var values: [SIMD4<Double>]
    private var classCount = 0
    /// −2 before the first label.
    private var previousLabel: Int32 = -2
    /// Whether some batch came without probabilities.
    private var lacksProbabilities = false

    init(_ settings: EvaluationSettings) {
        clock = EvaluationClock(every: settings.every)
        positiveClass = settings.positiveClass
        tracked = settings.tracked
        let tracksScores = tracked.contains("roc_auc")
        needsProbabilities =
            tracksScores || tracked.contains("log_loss") || tracked.contains("brier")
        windows = WindowSet(settings.windows)
        let scopeCount = settings.windows.count + 1
        table = ClassTable(scopeCount: scopeCount, capacity: 2)
        let keepsHistogram = settings.windows.map { extent in
            if case .records(let count) = extent { count > Self.exactRecordsLimit } else { true }
        }
        scores = ScoreTable(
            slotCount: windows.slotCount, keepsHistogram: [true] + keepsHistogram,
            isTracked: tracksScores)
        sums = [CompensatedSum](repeating: CompensatedSum(), count: scopeCount)
        codes = [SIMD4<Int32>](repeating: .zero, count: windows.slotCount)
        values = [SIMD4<Double>](repeating: .zero, count: windows.slotCount)
    }

    mutating func update(
        _ rows: borrowing Rows, _ range: Range<Int>, _ predictions: borrowing Predictions,
        majority: borrowing Predictions, noChange: borrowing Predictions
    ) -> Int {
        let times = rows.eventTimes
        let labels = rows.classLabels
        let known = rows.knownClasses
        let weights = rows.weights
        let predicted = predictions.labels
        let firstBaseline = majority.labels
        let secondBaseline = noChange.labels
        let isScored = needsProbabilities && predictions.wantsProbabilities
        if needsProbabilities, !isScored { lacksProbabilities = true }
        for row in range {
            clock.see(times[row])
            let label = labels[row]
            if label < 0 {
                clock.unlabelled &+= 1
            } else {
                let record = SIMD4(predicted[row], firstBaseline[row], secondBaseline[row], label)
                let weight = min(weights[row], 1e100)
                let classes = Int(known[row])
                let slot = makeSlot(times[row], record, weight, classes)
                var value = SIMD4(0, 0, repeats(label, classes) ? weight : 0, weight)
                if isScored {
                    value += weight * score(slot, predictions, row, Int(label), classes)
                }
                codes[slot] = record
                values[slot] = value
                previousLabel = label
                add(slot, record, value, times[row])
                if record[0] < 0 { clock.unpredicted &+= 1 }
                clock.countEvaluated()
            }
            if clock.isReportDue { return row &+ 1 }
        }
        return range.upperBound
    }

    /// Whether repeating the label before would be right; before the first, class 0 if it is known.
    @inline(__always)
    private func repeats(_ label: Int32, _ known: Int) -> Bool {
        label == previousLabel || (previousLabel == -2 && known > 0 && label == 0)
    }

    /// Log loss and Brier score of a row, whose scores it stores.
    @inline(__always)
    private mutating func score(
        _ slot: Int, _ predictions: borrowing Predictions, _ row: Int, _ label: Int, _ known: Int
    ) -> SIMD4<Double> {
        let probabilities = predictions.probabilities
        let first = row &* predictions.classCapacity
        let count = min(known, predictions.classCapacity)
        var brier = label < count ? 0.0 : 1.0
        for code in 0..<count {
            let distance =
                clampedProbability(probabilities[first &+ code]) - (code == label ? 1 : 0)
            brier += distance * distance
        }
        let probability = label < count ? clampedProbability(probabilities[first &+ label]) : 0
        if scores.isKept { scores.store(slot, probabilities, from: first, known: count) }
        return SIMD4(logLoss(probability), brier, 0, 0)
    }

    /// Lets expired records go, makes room for new classes, and gives the next record its slot.
    @inline(__always)
    private mutating func makeSlot(
        _ time: Int64, _ record: SIMD4<Int32>, _ weight: Double, _ known: Int
    ) -> Int {
        settle(makesRoom: true)
        let classes = max(known, Int(record.max()) &+ 1)
        if classes > classCount { setClassCount(classes) }
        if windows.isFull { makeRoom() }
        table.prepare(weight)
        return windows.append(time, highest: clock.highestTime)
    }

    @inline(__always)
    private mutating func add(
        _ slot: Int, _ record: SIMD4<Int32>, _ value: SIMD4<Double>, _ time: Int64
    ) {
        add(scope: 0, slot, record, value)
        let highest = clock.highestTime
        for window in 0..<windows.count where windows.admits(window, time, highest: highest) {
            add(scope: window &+ 1, slot, record, value)
        }
    }

    @inline(__always)
    private mutating func add(
        scope: Int, _ slot: Int, _ record: SIMD4<Int32>, _ value: SIMD4<Double>
    ) {
        table.add(scope, record, value[3])
        sums[scope].add(value)
        if scores.isKept { scores.add(scope, slot, label: Int(record[3]), weight: value[3]) }
    }

    @inline(__always)
    private mutating func remove(window: Int, _ slot: Int) {
        add(scope: window &+ 1, slot, codes[slot], -values[slot])
    }

    @inline(__always)
    private mutating func settle(makesRoom: Bool) {
        let highest = clock.highestTime
        for window in 0..<windows.count {
            while true {
                let slot = windows.nextExpired(window, highest: highest, makesRoom: makesRoom)
                if slot < 0 { break }
                remove(window: window, slot)
            }
        }
    }

    private mutating func makeRoom() {
        windows.release()
        guard windows.isFull else { return }
        if windows.isAtLimit {
            for window in windows.extents.indices {
                let slot = windows.nextForced(window, highest: clock.highestTime)
                if slot >= 0 { remove(window: window, slot) }
            }
            windows.release()
        } else {
            let (start, end) = (windows.start, windows.end)
            windows.grow()
            codes = WindowSet.regrown(codes, from: start, to: end, fill: .zero)
            values = WindowSet.regrown(values, from: start, to: end, fill: .zero)
            if scores.isKept { scores.growRing(from: start, to: end) }
        }
    }

    private mutating func setClassCount(_ count: Int) {
        classCount = count
        table.reserve(count)
        guard scores.setClassCount(count) else { return }
        for window in windows.extents.indices where scores.keepsHistogram(window + 1) {
            scores.clear(window + 1)
            for slot in windows.slots(window, highest: clock.highestTime) {
                scores.add(
                    window + 1, slot, label: Int(codes[slot][3]), weight: values[slot][3])
            }
        }
    }

    var stateBytes: Int {
        table.stateBytes + scores.stateBytes + 64 * sums.count + windows.slotCount * (16 + 32 + 9)
    }
}

// MARK: - Reports

extension ClassificationEvaluator {
    mutating func makeReport(classes names: [String]) -> MetricsReport {
        settle(makesRoom: false)
        clock.reported()
        var classes = Array(names.prefix(classCount))
        while classes.count < classCount { classes.append(String(classes.count)) }
        let positive = positiveClass.map(Int.init).flatMap { $0 < classCount ? $0 : nil }
        let scopes = (0...windows.extents.count).map { scope in
            makeScope(scope, positive)
        }
        return MetricsReport(
            task: .classification, tracked: tracked, records: clock.records,
            evaluated: clock.evaluated, unlabelled: clock.unlabelled,
            unpredicted: clock.unpredicted,
            highestEventTime: clock.records > 0 ? clock.highestTime : nil, classes: classes,
            positiveClass: positive, scopes: scopes)
    }

    private func exactLimit(_ window: Int) -> Int {
        switch windows.extents[window] {
        case .records: Self.exactRecordsLimit
        case .time: Self.exactTimeLimit
        }
    }

    private func makeScope(_ scope: Int, _ positive: Int?) -> MetricsScope {
        let isWindow = scope > 0
        let count = isWindow ? windows.counts[scope - 1] : clock.evaluated
        var histograms: ScoreHistograms?
        var exactROCAUC: Double??
        if scores.isKept, !lacksProbabilities {
            if isWindow, count <= exactLimit(scope - 1) {
                let slots = windows.slots(scope - 1, highest: clock.highestTime)
                histograms = scores.histograms(slots, labels: codes, weights: values)
                exactROCAUC = scores.exactROCAUC(slots, labels: codes, weights: values)
            } else {
                histograms = scores.histograms(scope)
            }
        }
        let sum = sums[scope].value
        let series = ["model", "majority", "no_change"].enumerated().map { index, name in
            var series = table.sums(scope, series: index, classCount: classCount)
            series.unchanged = sum[2]
            if index == 0, needsProbabilities, !lacksProbabilities {
                series.probabilistic = ProbabilisticSums(
                    logLoss: sum[0], brier: sum[1], scores: histograms)
            }
            return MetricsSeries(
                name: name, sums: .classification(series), tracked: tracked,
                positiveClass: positive, exactROCAUC: exactROCAUC)
        }
        return MetricsScope(
            extent: isWindow ? windows.extents[scope - 1] : nil, count: count,
            truncated: isWindow ? windows.truncated[scope - 1] : 0, series: series)
    }
}

// MARK: - State

extension ClassificationEvaluator {
    func encode(to encoder: inout StateEncoder) {
        encoder.section("classification_evaluator", version: 1)
        clock.encode(to: &encoder)
        encoder.write(optional: positiveClass) { $0.write($1) }
        encoder.write(classCount)
        encoder.write(previousLabel)
        encoder.write(lacksProbabilities)
        windows.encode(to: &encoder)
        table.encode(to: &encoder)
        scores.encode(to: &encoder, windows: windows)
        for sum in sums { sum.encode(to: &encoder) }
        for sequence in windows.start..<windows.end {
            let slot = windows.slot(sequence)
            for lane in 0..<4 { encoder.write(codes[slot][lane]) }
            for lane in 0..<4 { encoder.write(values[slot][lane]) }
        }
    }

    init(_ settings: EvaluationSettings, from decoder: inout StateDecoder) throws(StateError) {
        self.init(settings)
        _ = try decoder.section("classification_evaluator", through: 1)
        try clock.decode(from: &decoder)
        positiveClass = try decoder.readOptional { decoder throws(StateError) in
            try decoder.readInteger(Int32.self)
        }
        classCount = try decoder.readInt(in: 0...Int(Int32.max), "the number of classes")
        previousLabel = try decoder.readInteger(Int32.self)
        lacksProbabilities = try decoder.readBool()
        windows = try WindowSet(settings.windows, from: &decoder)
        table = try ClassTable(scopeCount: settings.windows.count + 1, from: &decoder)
        guard classCount <= table.capacity else {
            throw .invalidValue("\(classCount) classes in a table for \(table.capacity)")
        }
        try scores.decode(from: &decoder, windows: windows)
        for scope in sums.indices { sums[scope] = try CompensatedSum(from: &decoder) }
        codes = [SIMD4<Int32>](repeating: .zero, count: windows.slotCount)
        values = [SIMD4<Double>](repeating: .zero, count: windows.slotCount)
        for sequence in windows.start..<windows.end {
            let slot = windows.slot(sequence)
            for lane in 0..<4 { codes[slot][lane] = try decoder.readInteger(Int32.self) }
            for lane in 0..<4 { values[slot][lane] = try decoder.readDouble() }
            guard (0..<Int32(classCount)).contains(codes[slot][3]),
                codes[slot].min() >= -1, codes[slot].max() < Int32(classCount)
            else { throw .invalidValue("a stored window holds an unknown class") }
        }
    }
}
