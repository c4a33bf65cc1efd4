import CPlatform
import Core
import Drift
import Features
import Foundation
import Models
import TestSupport

/// `bench kernels`: models, detectors, steps, decoding and encoding in memory, one thread.
///
/// Each pass starts with a new model and takes the whole stream in batches of 1,000; the median of
/// five passes after one to warm up, in processor time. Allocations are those of one more pass over
/// the same stream with the model that has seen it already.
struct KernelBenchmark {
    private let only: String
    private let jsonPath: String?
    private let repetitions = 5
    private let batchRecords = 1_000

    init(_ arguments: inout Arguments) throws {
        only = try arguments.option("only") ?? ""
        jsonPath = try arguments.option("json")
        try arguments.finish()
        guard TestEnvironment.hasData else {
            throw ToolFailure.usage(TestEnvironment.dataRemedy)
        }
    }

    func run() throws {
        print(machineDescription())
        let prototypes = try PrototypeKernels.fromEnvironment()
        var reference = try prototypes?.run() ?? [:]
        var kernels = try models()
        if isWanted("standardize") { kernels += try steps() }
        kernels += try detectors()
        if isWanted("evaluation") {
            kernels += try EvaluationKernels(batchRecords: batchRecords, repetitions: repetitions)
                .measure()
        }
        if isWanted("decode") || isWanted("encode") {
            kernels += try FormatKernels(batchRecords: batchRecords, repetitions: repetitions)
                .measure()
        }
        if isWanted("whole pipeline") {
            kernels += try ProcessorKernels(batchRecords: batchRecords, repetitions: repetitions)
                .measure()
            kernels += try FieldKernels(batchRecords: batchRecords, repetitions: repetitions)
                .measure()
        }
        // Once more, so that a machine that changes its mood shows on both sides.
        for (name, nanoseconds) in try prototypes?.run() ?? [:] {
            reference[name] = (nanoseconds + (reference[name] ?? nanoseconds)) / 2
        }
        try report(kernels, reference)
    }

    // MARK: Models

    private func models() throws -> [Kernel] {
        let elec = try Dataset.elec.get()
        let fried = try Dataset.fried.get()
        let moving = MovingPoints(count: 100_000, columns: 8, clusters: 10)
        var kernels: [Kernel] = []
        let candidates: [(name: String, model: String, preset: String?, [Override], String?)] = [
            ("tree, adaptive leaves", "hoeffding_tree", nil, [], "ht elec NBA fused"),
            (
                "tree, majority leaves", "hoeffding_tree", nil,
                [("leaf_prediction", .text("majority"))], "ht elec MC fused"
            ),
            (
                "tree, naive Bayes leaves", "hoeffding_tree", nil,
                [("leaf_prediction", .text("naive_bayes"))], "ht elec NB fused"
            ),
            ("tree, compat moa", "hoeffding_tree", "moa", [], "ht elec NBA fused"),
            ("logistic regression", "logistic_regression", nil, [], "sgd elec lanes8 fused"),
            (
                "adagrad", "logistic_regression", nil,
                [("schedule", .text("adagrad")), ("learning_rate", .number(0.1))],
                "adagrad elec lanes8 fused"
            ),
            ("majority", "majority", nil, [], nil),
            ("no change", "no_change", nil, [], nil),
        ]
        for (name, model, preset, overrides, prototype) in candidates
        where isWanted(name) {
            let learner = Candidate(model: model, preset: preset, overrides: overrides)
            kernels.append(
                try measure("\(name), elec", learner, elec.layout, prototype) {
                    elec.rows(0..<elec.count)
                })
            // What the prototypes do: they know no probabilities.
            guard prototype != nil, model == "hoeffding_tree", preset == nil else { continue }
            kernels.append(
                try measure(
                    "\(name), labels only, elec", learner, elec.layout, prototype,
                    wantsProbabilities: false
                ) { elec.rows(0..<elec.count) })
        }
        if isWanted("sparse logistic") {
            let spam = try HashedWords()
            kernels.append(
                try measure(
                    "sparse logistic regression, spam", Candidate(model: "logistic_regression"),
                    spam.layout, "sgd sparse spam 156 nnz Double"
                ) { spam.rows() })
        }
        if isWanted("linear regression") {
            kernels.append(
                try measure(
                    "linear regression, fried", Candidate(model: "linear_regression"), fried.layout,
                    nil
                ) { fried.rows(0..<fried.count) })
        }
        if isWanted("k-means") {
            kernels.append(
                try measure(
                    "k-means, k 10, d 8",
                    Candidate(model: "kmeans", overrides: [("k", .integer(10))]),
                    ColumnLayout(numericCount: 8), "kmeans k10 d8 MacQueen rows+fold"
                ) { moving.rows() })
        }
        return kernels
    }

    /// Whether a kernel's name holds the text of `--only`.
    private func isWanted(_ name: String) -> Bool { only.isEmpty || name.contains(only) }

    private typealias Override = (key: String, value: SettingValue)

    /// A model of the catalogue with its settings.
    private struct Candidate {
        let model: String
        var preset: String?
        var overrides: [Override] = []

        func make(_ layout: ColumnLayout) throws -> any Learner {
            guard
                let declaration = ModelCatalogue.declarations.first(where: { $0.name == model })
            else { throw ToolFailure.running("there is no model \(model)") }
            let settings = declaration.settings(preset: preset, overrides)
            let learner = try ModelCatalogue.make(
                model, settings: settings, layout: layout, declaredClasses: 2, seed: 1)
            return switch learner {
            case .classifier(let model): model
            case .regressor(let model): model
            case .clusterer(let model): model
            }
        }
    }

    private func measure(
        _ name: String, _ candidate: Candidate, _ layout: ColumnLayout, _ prototype: String?,
        wantsProbabilities: Bool = true, _ makeRows: () -> Rows
    ) throws -> Kernel {
        let rows = makeRows()
        var predictions = Predictions(
            capacity: rows.count, classCapacity: 2, wantsProbabilities: wantsProbabilities)
        var nanoseconds: [Double] = []
        var learner = try candidate.make(layout)
        for repetition in 0...repetitions {
            learner = try candidate.make(layout)
            let start = tw_thread_cpu_nanoseconds()
            pass(&learner, rows, &predictions)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(rows.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        let allocations = countAllocations { pass(&learner, rows, &predictions) }
        return Kernel(
            name: name, nanoseconds: nanoseconds, allocations: allocations,
            records: rows.count, prototype: prototype)
    }

    private func pass(
        _ learner: inout any Learner, _ rows: borrowing Rows, _ predictions: inout Predictions
    ) {
        for start in stride(from: 0, to: rows.count, by: batchRecords) {
            let range = start..<min(rows.count, start + batchRecords)
            learner.predictAndLearn(rows, range, into: &predictions)
        }
    }

    // MARK: Steps and detectors

    private func steps() throws -> [Kernel] {
        let elec = try Dataset.elec.get()
        let declaration = PreparationCatalogue.declarations.first { $0.name == "standardize" }
        guard let declaration else { return [] }
        func make() throws -> any PreparationStep {
            try PreparationCatalogue.make(
                "standardize", settings: declaration.settings(), layout: elec.layout)
        }
        var nanoseconds: [Double] = []
        var step = try make()
        for repetition in 0...repetitions {
            step = try make()
            var rows = elec.rows(0..<elec.count)
            let start = tw_thread_cpu_nanoseconds()
            pass(&step, &rows)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(rows.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        var rows = elec.rows(0..<elec.count)
        let allocations = countAllocations { pass(&step, &rows) }
        return [
            Kernel(
                name: "standardize, elec", nanoseconds: nanoseconds, allocations: allocations,
                records: elec.count, prototype: nil)
        ]
    }

    private func pass(_ step: inout any PreparationStep, _ rows: inout Rows) {
        for start in stride(from: 0, to: rows.count, by: batchRecords) {
            step.transformAndLearn(&rows, start..<min(rows.count, start + batchRecords))
        }
    }

    private func detectors() throws -> [Kernel] {
        let count = 1_000_000
        var random = SplitMix64(seed: 6)
        let shares = [0.1, 0.3, 0.1, 0.5]
        let values = (0..<count).map {
            random.nextUnit() < shares[4 * $0 / count] ? 1.0 : 0.0
        }
        let pairs = [
            ("adwin", "adwin bernoulli 1M"), ("page_hinkley", "page-hinkley 1M"), ("ddm", "ddm 1M"),
        ]
        return try pairs.filter { isWanted($0.0) }.compactMap { name, prototype in
            guard
                let declaration = DetectorCatalogue.declarations.first(where: { $0.name == name })
            else { return nil }
            var nanoseconds: [Double] = []
            var signals = [UInt8](repeating: 0, count: batchRecords)
            var detector = try DetectorCatalogue.make(name, settings: declaration.settings())
            for repetition in 0...repetitions {
                detector.reset()
                let start = tw_thread_cpu_nanoseconds()
                pass(&detector, values.span, &signals)
                let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(count)
                if repetition > 0 { nanoseconds.append(spent) }
            }
            let allocations = countAllocations { pass(&detector, values.span, &signals) }
            return Kernel(
                name: "\(name), 1,000,000 Bernoulli", nanoseconds: nanoseconds,
                allocations: allocations, records: count, prototype: prototype)
        }
    }

    private func pass(
        _ detector: inout any DriftDetector, _ values: Span<Double>, _ signals: inout [UInt8]
    ) {
        for start in stride(from: 0, to: values.count, by: batchRecords) {
            let end = min(values.count, start + batchRecords)
            var out = signals.mutableSpan
            detector.update(values.extracting(start..<end), into: &out)
        }
    }

    // MARK: Report

    private func report(_ kernels: [Kernel], _ reference: [String: Double]) throws {
        var rows: [[String]] = []
        var parts: [String] = []
        for kernel in kernels {
            let middle = median(kernel.nanoseconds)
            let prototype = kernel.prototype.flatMap { reference[$0] }
            var fields = [
                ("nanoseconds", rounded(middle, 1)),
                ("nanoseconds_min", rounded(kernel.nanoseconds.min() ?? .nan, 1)),
                ("nanoseconds_max", rounded(kernel.nanoseconds.max() ?? .nan, 1)),
                ("records_per_cpu_second", (1e9 / middle).rounded()),
            ]
            if let allocations = kernel.allocations {
                let perThousand = Double(allocations) / Double(kernel.records) * 1_000
                fields.append(("allocations_per_1000_records", rounded(perThousand, 3)))
            }
            var row = [kernel.name] + fields.map { shown($0.1) }
            if let prototype {
                fields.append(("prototype_nanoseconds", rounded(prototype, 1)))
                fields.append(("ratio_to_prototype", rounded(middle / prototype, 2)))
                row += [shown(rounded(prototype, 1)), shown(rounded(middle / prototype, 2))]
            } else {
                row += ["", ""]
            }
            rows.append(row)
            parts.append("\"\(kernel.name)\":\(jsonLine(fields))")
        }
        print()
        print(
            markdownTable(
                [
                    "kernel", "ns", "min", "max", "records per CPU s", "allocations per 1,000",
                    "prototype ns", "ratio",
                ], rows))
        if reference.isEmpty { print("\nskipped: \(PrototypeKernels.remedy)") }
        try write("{" + parts.joined(separator: ",") + "}", to: jsonPath)
    }
}

/// What was measured of one kernel.
struct Kernel {
    let name: String
    /// Processor time for each record, pass by pass.
    let nanoseconds: [Double]
    /// In one pass; `nil` where they cannot be counted.
    let allocations: Int?
    let records: Int
    /// The prototypes' name for the same work.
    let prototype: String?
}

/// Points around centres on a diagonal, as the prototypes' k-means gets them.
private struct MovingPoints {
    let count: Int
    let columns: Int
    let clusters: Int

    func rows() -> Rows {
        var random = SplitMix64(seed: 5)
        var rows = Rows(columnCount: columns, capacity: count)
        for _ in 0..<count {
            let row = rows.appendRow()
            let centre = Double(random.next() % UInt64(clusters)) / Double(clusters)
            for column in 0..<columns {
                rows.setValue(row, column, centre + 0.1 * random.nextUnit())
            }
        }
        return rows
    }
}
