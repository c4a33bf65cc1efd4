// Method: MOA's prequential runs over public and generated streams; the accuracy after every
// thousand rows must be exact, and the tree the same: tests, thresholds, class counts, size.
import Core
import Models
import TestSupport
import Testing

@Suite("Hoeffding tree against MOA")
struct HoeffdingTreeGoldenTests {
    /// A run of a reference file.
    struct Run: Sendable, CustomTestStringConvertible {
        let golden: Golden
        let index: Int
        var testDescription: String {
            let run = golden["runs"][index]
            let data = run["data"].exists ? run["data"].string : "missing \(run["missing"].bool)"
            return "\(data): \(run["learner"].string)"
        }
        var values: Golden { golden["runs"][index] }
    }

    static func runs(_ name: String) -> [Run] {
        guard let golden = try? Golden.load(name) else { return [] }
        return golden["runs"].array.indices.map { Run(golden: golden, index: $0) }
            .filter { MOACommandLine.isHoeffdingTree($0.values["learner"].string) }
    }

    @Test("the files are there")
    func filesExist() {
        #expect(!Self.runs("hoeffding_tree").isEmpty)
        #expect(!Self.runs("hoeffding_tree_nominal").isEmpty)
    }

    @Test(
        "numeric streams", .enabled(if: TestEnvironment.hasData, "\(TestEnvironment.dataRemedy)"),
        arguments: runs("hoeffding_tree"))
    func numeric(run: Run) throws {
        let name = run.values["data"].string
        let data =
            try (name == "elec" ? Dataset.elec : name == "sea" ? Dataset.sea : nil)?.get()
            ?? Dataset.load(name)
        try compare(run, data.layout, classCount: data.classes.count) { data.rows($0) }
    }

    @Test("generated streams with categories", arguments: runs("hoeffding_tree_nominal"))
    func nominal(run: Run) throws {
        let rows = run.values["rows"].int
        let inputs = run.golden["inputs"].string
        let seed = try #require(
            inputs.firstRange(of: "seed ").map { range in
                Int(inputs[range.upperBound...].prefix(while: \.isNumber))
            } ?? nil)
        let stream = NominalStream(
            seed: seed, rows: rows, missing: run.values["missing"].bool)
        for (index, row) in run.values["first_rows"].array.enumerated() {
            #expect(stream.text(index) == row.array.map(\.string), "the generator differs")
        }
        try compare(run, NominalStream.layout, classCount: 3) { stream.rows($0) }
    }

    /// Runs the stream in batches of the curve's step and compares; in debug builds a prefix.
    private func compare(
        _ run: Run, _ layout: ColumnLayout, classCount: Int, batch: (Range<Int>) -> Rows
    ) throws {
        let values = run.values
        var tree = try HoeffdingTree(
            settings: MOACommandLine.settings(values["learner"].string), layout: layout,
            declaredClasses: classCount, seed: 1)
        let count = values["rows"].int
        let step = values["accuracy_every"].int
        let curve = values["accuracy_curve"].doubles
        let last = TestEnvironment.isRelease ? count : min(count, 6 * step)
        var correct = 0
        var start = 0
        while start < last {
            let end = min(start + step, last)
            let rows = batch(start..<end)
            var predictions = Predictions(capacity: rows.count, wantsProbabilities: false)
            tree.predictAndLearn(rows, 0..<rows.count, into: &predictions)
            for row in 0..<rows.count where predictions.labels[row] == rows.classLabels[row] {
                correct += 1
            }
            start = end
            if end % step == 0 {
                let expected = (curve[end / step - 1] * Double(end)).rounded()
                #expect(Double(correct) == expected, "correct after \(end) rows")
            }
        }
        guard last == count else { return }
        #expect(
            isClose(Double(correct) / Double(count), values["accuracy"].double, tolerance: 1e-12))
        let statistics = values["tree"]
        if statistics["depth"].exists { #expect(tree.depth == statistics["depth"].int) }
        if statistics["tree depth"].exists { #expect(tree.depth == statistics["tree depth"].int) }
        if statistics["active learning leaves"].exists {
            #expect(tree.activeLeafCount == statistics["active learning leaves"].int)
        }
        compareNode(values["tree_top"], tree.structure, 0)
    }

    private func compareNode(_ golden: Golden, _ nodes: [HoeffdingTreeNode], _ index: Int) {
        let node = nodes[index]
        guard golden["attribute"].exists else {
            #expect(node.test == .leaf, "\(golden.path) is a leaf")
            let counts = golden["counts"].doubles
            for (code, count) in counts.enumerated() {
                let mine = code < node.counts.count ? node.counts[code] : 0
                #expect(isClose(mine, count, tolerance: 1e-11), "\(golden.path), class \(code)")
            }
            return
        }
        #expect(node.column == golden["attribute"].int, "\(golden.path).attribute")
        if golden["le"].exists {
            guard case .atMost(let threshold) = node.test else {
                Issue.record("\(golden.path) is \(node.test)")
                return
            }
            #expect(isClose(threshold, golden["le"].double, tolerance: 1e-14), "\(golden.path).le")
        } else {
            #expect(node.test == .eachCode || isEquality(node.test), "\(golden.path)")
        }
        guard golden["children"].exists else { return }
        let children = golden["children"].array
        #expect(children.count == node.children.count, "\(golden.path).children")
        for (child, mine) in zip(children, node.children) {
            guard let mine else {
                #expect(!child.exists, "\(child.path) is absent")
                continue
            }
            compareNode(child, nodes, mine)
        }
    }

    private func isEquality(_ test: HoeffdingTreeNode.Test) -> Bool {
        if case .equals = test { return true }
        return false
    }
}
