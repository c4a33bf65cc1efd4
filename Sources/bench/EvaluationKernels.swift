import CPlatform
import Core
import Evaluation
import TestSupport

/// Judging predictions: a model and two baselines, from the start and over two windows.
struct EvaluationKernels {
    let batchRecords: Int
    let repetitions: Int

    func measure() throws -> [Kernel] {
        let elec = try Dataset.elec.get()
        let rows = elec.rows(0..<elec.count)
        var model = Predictions(capacity: rows.count, classCapacity: 2)
        var majority = Predictions(capacity: rows.count, wantsProbabilities: false)
        var noChange = Predictions(capacity: rows.count, wantsProbabilities: false)
        var random = SplitMix64(seed: 8)
        for row in 0..<rows.count {
            let probability = random.nextUnit()
            model.setLabel(row, probability >= 0.5 ? 1 : 0)
            model.setProbability(row, 0, 1 - probability)
            model.setProbability(row, 1, probability)
            majority.setLabel(row, 0)
            noChange.setLabel(row, row > 0 ? rows.classLabels[row - 1] : 0)
        }
        let label = try measure(
            "evaluation, labels", ["accuracy", "kappa"], rows, model, majority, noChange)
        let scores = try measure(
            "evaluation, probabilities", ["accuracy", "log_loss", "roc_auc"], rows, model,
            majority, noChange)
        return [label, scores]
    }

    private func measure(
        _ name: String, _ tracked: [String], _ rows: borrowing Rows,
        _ model: borrowing Predictions, _ majority: borrowing Predictions,
        _ noChange: borrowing Predictions
    ) throws -> Kernel {
        func make() -> Evaluator {
            // No report falls into a pass.
            Evaluator(
                EvaluationSettings(
                    task: .classification, tracked: tracked,
                    windows: [.records(1_000), .records(10_000)], every: .records(1 << 40)))
        }
        var nanoseconds: [Double] = []
        var evaluator = make()
        for repetition in 0...repetitions {
            evaluator = make()
            let start = tw_thread_cpu_nanoseconds()
            pass(&evaluator, rows, model, majority, noChange)
            let spent = Double(tw_thread_cpu_nanoseconds() - start) / Double(rows.count)
            if repetition > 0 { nanoseconds.append(spent) }
        }
        let allocations = countAllocations { pass(&evaluator, rows, model, majority, noChange) }
        return Kernel(
            name: name, nanoseconds: nanoseconds, allocations: allocations, records: rows.count,
            prototype: nil)
    }

    private func pass(
        _ evaluator: inout Evaluator, _ rows: borrowing Rows, _ model: borrowing Predictions,
        _ majority: borrowing Predictions, _ noChange: borrowing Predictions
    ) {
        for start in stride(from: 0, to: rows.count, by: batchRecords) {
            let range = start..<min(rows.count, start + batchRecords)
            let taken = evaluator.update(rows, range, model, baseline: majority, noChange: noChange)
            precondition(taken == range.upperBound, "a report came in between")
        }
    }
}
