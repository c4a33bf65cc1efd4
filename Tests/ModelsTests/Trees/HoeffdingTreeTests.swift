// Method: small and seeded streams whose right answer is known: missing values, new classes and
// codes, weights, memory; and naive Bayes' fast scores against densities from Foundation.
import Core
import Foundation
import Models
import TestSupport
import Testing

@Suite("Hoeffding tree")
struct HoeffdingTreeTests {
    static func tree(
        _ overrides: [(key: String, value: SettingValue)] = [],
        _ layout: ColumnLayout = ColumnLayout(numericCount: 3), classes: Int = 2
    ) throws -> HoeffdingTree {
        try HoeffdingTree(
            settings: HoeffdingTree.declaration.settings(overrides), layout: layout,
            declaredClasses: classes, seed: 1)
    }

    /// Rows of three uniform columns; the class is whether the first is above a half.
    static func rows(
        _ count: Int, seed: UInt64, known: Int32 = 2, _ label: (([Double]) -> Int32)? = nil
    ) -> Rows {
        var random = SplitMix64(seed: seed)
        var rows = Rows(columnCount: 3, capacity: count)
        for _ in 0..<count {
            let row = rows.appendRow()
            let values = (0..<3).map { _ in random.nextUnit() }
            for (column, value) in values.enumerated() { rows.setValue(row, column, value) }
            rows.setClassLabel(row, label?(values) ?? (values[0] > 0.5 ? 1 : 0))
            rows.setKnownClasses(row, known)
        }
        return rows
    }

    static func bytes(_ tree: HoeffdingTree) -> [UInt8] {
        var encoder = StateEncoder()
        tree.encode(to: &encoder)
        return encoder.bytes
    }

    @Test("only sparse features are refused with the remedy")
    func sparseOnly() {
        let error = #expect(throws: SettingsError.self) {
            try Self.tree([], ColumnLayout(columns: [], sparseBits: 10))
        }
        #expect(error?.remedy.contains("logistic_regression") == true)
        #expect(throws: SettingsError.self) { try Self.tree([("memory", .bytes(1000))]) }
    }

    @Test("no class known gives no label, and declared classes the first one")
    func beforeLearning() throws {
        let tree = try Self.tree()
        var rows = Self.rows(2, seed: 1)
        rows.setKnownClasses(0, 0)
        var predictions = Predictions(capacity: 2)
        tree.predict(rows, 0..<2, into: &predictions)
        let labels = [predictions.labels[0], predictions.labels[1]]
        #expect(labels == [-1, 0])
        let half = predictions.probabilities[2]
        #expect(half == 0.5)
    }

    @Test("a separable stream is split at its boundary")
    func splits() throws {
        var tree = try Self.tree()
        let rows = Self.rows(5000, seed: 2)
        tree.learn(rows, 0..<rows.count)
        let root = tree.structure[0]
        #expect(root.column == 0)
        guard case .atMost(let threshold) = root.test else {
            Issue.record("the root is \(root.test)")
            return
        }
        #expect(abs(threshold - 0.5) < 0.06)
        var predictions = Predictions(capacity: rows.count)
        tree.predict(rows, 0..<rows.count, into: &predictions)
        var correct = 0
        for row in 0..<rows.count where predictions.labels[row] == rows.classLabels[row] {
            correct += 1
        }
        #expect(correct > 4700)
    }

    @Test("a record without the value that a split asks for is answered there and teaches nothing")
    func missingAtSplit() throws {
        var tree = try Self.tree()
        let training = Self.rows(5000, seed: 3)
        tree.learn(training, 0..<training.count)
        let root = tree.structure[0]
        #expect(root.column == 0)
        let before = tree.structure
        var rows = Self.rows(50, seed: 4)
        for row in 0..<50 { rows.setValue(row, 0, .nan) }
        var predictions = Predictions(capacity: 50)
        tree.predictAndLearn(rows, 0..<50, into: &predictions)
        #expect(tree.structure == before)
        let majority: Int32 = root.counts[1] > root.counts[0] ? 1 : 0
        let share = root.counts[1] / (root.counts[0] + root.counts[1])
        for row in 0..<50 {
            let label = predictions.labels[row]
            let probability = predictions.probabilities[row * 2 + 1]
            #expect(label == majority)
            #expect(isClose(probability, share, tolerance: 1e-15))
        }
    }

    @Test("classes that appear in mid-stream are learned")
    func newClasses() throws {
        var tree = try Self.tree([("grace_period", .integer(50))], classes: 0)
        var rows = Self.rows(6000, seed: 5) { values in Int32(values[0] * 20) }
        var known: Int32 = 0
        for row in 0..<rows.count {
            // Class c appears from record 100 c on.
            let label = min(rows.classLabels[row], Int32(row / 100))
            rows.setClassLabel(row, label)
            rows.setKnownClasses(row, known)
            known = max(known, label + 1)
        }
        var predictions = Predictions(capacity: rows.count, classCapacity: 20)
        tree.predictAndLearn(rows, 0..<rows.count, into: &predictions)
        var correct = 0
        for row in 3000..<rows.count where predictions.labels[row] == rows.classLabels[row] {
            correct += 1
        }
        #expect(correct > 2000, "\(correct) of 3000")
        #expect(tree.splitCount > 0)
    }

    @Test("codes appear in mid-stream, at leaves and at splits")
    func newCodes() throws {
        let layout = ColumnLayout(columns: [Column(name: "c", kind: .categorical(limit: 500))])
        var tree = try Self.tree([("grace_period", .integer(50))], layout)
        var random = SplitMix64(seed: 6)
        var rows = Rows(columnCount: 1, capacity: 20_000)
        for index in 0..<20_000 {
            let row = rows.appendRow()
            let code = random.next(below: 2 + min(498, index / 40))
            rows.setValue(row, 0, Double(code))
            rows.setClassLabel(row, Int32(code % 2))
            rows.setKnownClasses(row, 2)
        }
        var predictions = Predictions(capacity: rows.count)
        tree.predictAndLearn(rows, 0..<rows.count, into: &predictions)
        #expect(tree.structure[0].test == .eachCode)
        #expect(tree.structure[0].children.count > 400)
        var correct = 0
        for row in 10_000..<20_000 where predictions.labels[row] == rows.classLabels[row] {
            correct += 1
        }
        #expect(correct > 9000, "\(correct) of 10000")
    }

    @Test("a weight of 2 counts as two records")
    func weights() throws {
        var double = Self.rows(150, seed: 7)
        for row in 0..<150 { double.setWeight(row, 2) }
        var heavy = try Self.tree([("leaf_prediction", .text("naive_bayes"))])
        heavy.learn(double, 0..<150)
        var repeated = try Self.tree([("leaf_prediction", .text("naive_bayes"))])
        for row in 0..<75 {
            repeated.learn(double, row..<(row + 1))
        }
        var single = Self.rows(150, seed: 7)
        for row in 0..<150 { single.setWeight(row, 1) }
        var twice = try Self.tree([("leaf_prediction", .text("naive_bayes"))])
        for row in 0..<75 {
            twice.learn(single, row..<(row + 1))
            twice.learn(single, row..<(row + 1))
        }
        #expect(twice.structure[0].counts == repeated.structure[0].counts)
        var first = Predictions(capacity: 150)
        var second = Predictions(capacity: 150)
        repeated.predict(single, 0..<150, into: &first)
        twice.predict(single, 0..<150, into: &second)
        for row in 0..<150 {
            let a = first.probabilities[row * 2]
            let b = second.probabilities[row * 2]
            #expect(isClose(a, b, tolerance: 1e-9))
        }
        #expect(heavy.structure.count == 1 || heavy.splitCount > 0)
    }

    @Test("naive Bayes' probabilities are those of Gaussian densities, missing values left out")
    func densities() throws {
        var tree = try Self.tree([
            ("leaf_prediction", .text("naive_bayes")), ("grace_period", .integer(1_000_000)),
        ])
        var rows = Self.rows(400, seed: 8) { values in
            values[0] + 0.3 * values[1] > 0.6 ? 1 : 0
        }
        for row in stride(from: 3, to: 400, by: 5) { rows.setValue(row, row % 3, .nan) }
        tree.learn(rows, 0..<300)
        var predictions = Predictions(capacity: 400)
        tree.predict(rows, 300..<400, into: &predictions)
        for row in 300..<400 {
            var votes = [0.0, 0.0]
            for code in 0..<2 {
                let members = (0..<300).filter { Int(rows.classLabels[$0]) == code }
                votes[code] = log(Double(members.count))
                for column in 0..<3 where !rows.value(row, column).isNaN {
                    let values = members.map { rows.value($0, column) }.filter { !$0.isNaN }
                    let mean = values.reduce(0, +) / Double(values.count)
                    let variance =
                        values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
                        / Double(values.count - 1)
                    let difference = rows.value(row, column) - mean
                    votes[code] -= difference * difference / (2 * variance) + log(variance) / 2
                }
            }
            let expected = 1 / (1 + exp(votes[0] - votes[1]))
            let found = predictions.probabilities[row * 2 + 1]
            #expect(isClose(found, expected, tolerance: 1e-10), "row \(row)")
        }
    }

    @Test("memory stays within its bound, and the tree goes on", arguments: [false, true])
    func memoryBound(stops: Bool) throws {
        let bound = 48 << 10
        var tree = try Self.tree([
            ("memory", .bytes(bound)), ("grace_period", .integer(20)), ("delta", .number(0.5)),
            ("tau", .number(0.5)), ("stop_memory_management", .boolean(stops)),
        ])
        var rows = Self.rows(20_000, seed: 9) { values in
            (values[0] + values[1]).truncatingRemainder(dividingBy: 0.3) > 0.15 ? 1 : 0
        }
        for row in 0..<rows.count { rows.setKnownClasses(row, 2) }
        var sawInactive = false
        var most = 0
        for start in stride(from: 0, to: rows.count, by: 50) {
            tree.learn(rows, start..<(start + 50))
            most = max(most, tree.stateBytes)
            sawInactive = sawInactive || tree.activeLeafCount < tree.leafCount
        }
        #expect(most <= bound, "\(most) bytes")
        #expect(tree.splitCount > 20)
        #expect(stops || sawInactive)
        var decoder = StateDecoder(Self.bytes(tree))
        let restored = try HoeffdingTree(from: &decoder)
        try decoder.finish()
        #expect(Self.bytes(restored) == Self.bytes(tree))
    }

    @Test("a restored tree goes on with the same bits while memory is short")
    func restoredUnderPressure() throws {
        var tree = try Self.tree([
            ("memory", .bytes(40 << 10)), ("grace_period", .integer(20)), ("delta", .number(0.5)),
            ("tau", .number(0.5)), ("memory_estimate_period", .integer(700)),
        ])
        let rows = Self.rows(12_000, seed: 11, known: 4) { values in
            Int32((values[0] + values[1]) * 7) % 4
        }
        for start in stride(from: 0, to: rows.count, by: 1500) {
            var decoder = StateDecoder(Self.bytes(tree))
            var restored = try HoeffdingTree(from: &decoder)
            #expect(restored.stateBytes == tree.stateBytes)
            restored.learn(rows, start..<(start + 1500))
            tree.learn(rows, start..<(start + 1500))
            #expect(Self.bytes(restored) == Self.bytes(tree), "from record \(start)")
        }
        #expect(tree.activeLeafCount < tree.leafCount)
    }

    @Test("the structure agrees with itself")
    func structure() throws {
        var tree = try Self.tree([("grace_period", .integer(50)), ("delta", .number(0.1))])
        let rows = Self.rows(4000, seed: 10) { values in values[1] > values[2] ? 1 : 0 }
        tree.learn(rows, 0..<rows.count)
        let nodes = tree.structure
        #expect(nodes.count == tree.leafCount + tree.splitCount)
        #expect(nodes.map(\.depth).max() == tree.depth)
        for node in nodes where node.test != .leaf {
            for case let child? in node.children {
                #expect(nodes[child].depth == node.depth + 1)
            }
        }
    }
}
