// Method: every registered model goes through the same seeded stream, with missing values, new
// classes, categories, weights and hashed features, and keeps the promises of a learner.
import Core
import Models
import TestSupport
import Testing

@Suite("Model checks")
struct ModelChecks {
    @Test("predicting before learning works", arguments: ModelCase.all)
    func predictsBeforeLearning(model: ModelCase) {
        let rows = StreamGenerator.rows(300, of: model, seed: 1)
        let learner = TestLearner(model)
        let predictions = learner.predicted(rows)
        learner.checkRange(predictions, rows)
    }

    @Test("predicting never changes the state", arguments: ModelCase.all)
    func predictingIsPure(model: ModelCase) {
        let rows = StreamGenerator.rows(600, of: model, seed: 2)
        var learner = TestLearner(model)
        learner.learn(rows, 0..<500)
        let before = learner.encoded
        let first = learner.predicted(rows)
        let second = learner.predicted(rows)
        #expect(learner.encoded == before)
        let isEqual = first.equals(second, rows.count)
        #expect(isEqual)
    }

    @Test("cutting batches changes no bit", arguments: ModelCase.all)
    func batches(model: ModelCase) {
        let rows = StreamGenerator.rows(1500, of: model, seed: 3)
        var whole = TestLearner(model)
        let expected = whole.predictedAndLearned(rows, by: 1000)
        whole.checkRange(expected, rows)
        for size in [1, 7] {
            var cut = TestLearner(model)
            let found = cut.predictedAndLearned(rows, by: size)
            let isEqual = found.equals(expected, rows.count)
            #expect(isEqual, "batches of \(size)")
            #expect(cut.encoded == whole.encoded, "batches of \(size)")
        }
        var separate = TestLearner(model)
        var found = Predictions(capacity: rows.count, classCapacity: StreamGenerator.classes)
        for row in 0..<rows.count {
            separate.predict(rows, row..<(row + 1), into: &found)
            separate.learn(rows, row..<(row + 1))
        }
        let isSeparateEqual = found.equals(expected, rows.count)
        #expect(isSeparateEqual, "predict, then learn")
        #expect(separate.encoded == whole.encoded, "predict, then learn")
    }

    @Test("without probabilities the labels and the state are the same", arguments: ModelCase.all)
    func labelsAlone(model: ModelCase) {
        let rows = StreamGenerator.rows(1000, of: model, seed: 4)
        var full = TestLearner(model)
        let expected = full.predictedAndLearned(rows, by: 100)
        var learner = TestLearner(model)
        var found = Predictions(
            capacity: rows.count, classCapacity: StreamGenerator.classes, wantsProbabilities: false)
        learner.predictAndLearn(rows, 0..<rows.count, into: &found)
        for row in 0..<rows.count {
            let label = found.labels[row]
            let other = expected.labels[row]
            #expect(label == other, "row \(row)")
        }
        #expect(learner.encoded == full.encoded)
    }

    @Test("the state survives its bytes", arguments: ModelCase.all)
    func roundTrip(model: ModelCase) throws {
        let rows = StreamGenerator.rows(1500, of: model, seed: 5)
        var learner = TestLearner(model)
        for cut in [0, 40, 700, 1200] {
            learner.learn(rows, learner.learned..<cut)
            let bytes = learner.encoded
            var restored = try learner.decoded(bytes)
            #expect(restored.encoded == bytes, "after \(cut) rows")
            var original = learner
            let end = min(rows.count, cut + 300)
            var expected = Predictions(capacity: rows.count, classCapacity: StreamGenerator.classes)
            var found = Predictions(capacity: rows.count, classCapacity: StreamGenerator.classes)
            original.predictAndLearn(rows, cut..<end, into: &expected)
            restored.predictAndLearn(rows, cut..<end, into: &found)
            let isEqual = found.equals(expected, end)
            #expect(isEqual, "after \(cut) rows")
            #expect(restored.encoded == original.encoded, "after \(cut) rows")
        }
    }

    @Test("a copy is independent", arguments: ModelCase.all)
    func copies(model: ModelCase) {
        let rows = StreamGenerator.rows(800, of: model, seed: 6)
        var learner = TestLearner(model)
        learner.learn(rows, 0..<400)
        let bytes = learner.encoded
        var copy = learner
        copy.learn(rows, 400..<800)
        #expect(learner.encoded == bytes)
        learner.learn(rows, 400..<800)
        #expect(learner.encoded == copy.encoded)
    }

    @Test("a row of weight 0 teaches nothing", arguments: ModelCase.all)
    func weightZero(model: ModelCase) {
        var rows = StreamGenerator.rows(900, of: model, seed: 7)
        for row in 500..<900 { rows.setWeight(row, 0) }
        var learner = TestLearner(model)
        learner.learn(rows, 0..<500)
        let bytes = learner.encoded
        learner.learn(rows, 500..<700)
        var predictions = Predictions(capacity: 900, classCapacity: StreamGenerator.classes)
        learner.predictAndLearn(rows, 700..<900, into: &predictions)
        #expect(learner.encoded == bytes)
    }

    @Test("a row without a label teaches nothing", arguments: ModelCase.all)
    func unlabelled(model: ModelCase) {
        guard model.task != .clustering else { return }
        var rows = StreamGenerator.rows(700, of: model, seed: 8)
        for row in 500..<700 {
            rows.setClassLabel(row, -1)
            rows.setTarget(row, .nan)
        }
        var learner = TestLearner(model)
        learner.learn(rows, 0..<500)
        let bytes = learner.encoded
        learner.learn(rows, 500..<600)
        var predictions = Predictions(capacity: 700, classCapacity: StreamGenerator.classes)
        learner.predictAndLearn(rows, 600..<700, into: &predictions)
        #expect(learner.encoded == bytes)
    }

    @Test("wider rows make no difference", arguments: ModelCase.all)
    func widerRows(model: ModelCase) {
        let rows = StreamGenerator.rows(500, of: model, seed: 9)
        let wide = StreamGenerator.rows(500, of: model, seed: 9, furtherColumns: 20)
        var first = TestLearner(model)
        var second = TestLearner(model)
        let expected = first.predictedAndLearned(rows, by: 100)
        let found = second.predictedAndLearned(wide, by: 100)
        let isEqual = found.equals(expected, rows.count)
        #expect(isEqual)
        #expect(first.encoded == second.encoded)
    }

    @Test("huge values leave predictions finite", arguments: ModelCase.all)
    func hugeValues(model: ModelCase) throws {
        var rows = StreamGenerator.rows(1000, of: model, seed: 10)
        var random = SplitMix64(seed: 10)
        let numeric = model.layout.columns.indices.filter {
            model.layout.columns[$0].kind == .numeric
        }
        for row in 0..<500 where row % 3 == 0 {
            let column = numeric[random.next(below: numeric.count)]
            rows.setValue(row, column, [1e300, -1e300, 1.7e308, 1e-300][random.next(below: 4)])
            rows.setTarget(row, random.next(below: 2) == 0 ? 1e300 : -1.7e308)
        }
        var learner = TestLearner(model)
        let predictions = learner.predictedAndLearned(rows, by: 10)
        learner.checkRange(predictions, rows)
        #expect(try learner.decoded(learner.encoded).encoded == learner.encoded)
    }

    @Test("memory stays within 64 MiB", arguments: ModelCase.all)
    func memory(model: ModelCase) {
        let rows = StreamGenerator.rows(
            TestEnvironment.isRelease ? 50_000 : 3000, of: model, seed: 11)
        var learner = TestLearner(model)
        learner.learn(rows, 0..<rows.count)
        let bytes = learner.stateBytes
        #expect(bytes > 0 && bytes < 64 << 20, "\(bytes) bytes")
    }

    @Test(
        "once every class has come, a row allocates nothing",
        .enabled(if: TestEnvironment.isRelease),
        arguments: ModelCase.all)
    func allocations(model: ModelCase) throws {
        // A tree allocates when a leaf splits.
        guard model.name != "hoeffding_tree" else { return }
        let rows = StreamGenerator.rows(20_000, of: model, seed: 15)
        var any = TestLearner(model).learner
        var predictions = Predictions(
            capacity: rows.count, classCapacity: StreamGenerator.classes)
        any.learn(rows, 0..<18_000)
        // The engine changes a model in place; the copy that the existential may make comes once.
        any.predictAndLearn(rows, 18_000..<18_500, into: &predictions)
        let found = countAllocations {
            any.predictAndLearn(rows, 18_500..<20_000, into: &predictions)
        }
        let count = try #require(found)
        #expect(count == 0)
    }

    @Test("a reset model predicts like a new one", arguments: ModelCase.all)
    func reset(model: ModelCase) {
        // The start of a clusterer goes on with its random sequence, so it may differ.
        guard model.task != .clustering else { return }
        let rows = StreamGenerator.rows(600, of: model, seed: 12)
        var fresh = TestLearner(model)
        var used = TestLearner(model)
        used.learn(rows, 0..<600)
        used.reset()
        let expected = fresh.predictedAndLearned(rows, by: 50)
        let found = used.predictedAndLearned(rows, by: 50)
        let isEqual = found.equals(expected, rows.count)
        #expect(isEqual)
    }

    @Test("foreign bytes are refused or read, never a trap", arguments: ModelCase.all)
    func mutatedBytes(model: ModelCase) {
        let rows = StreamGenerator.rows(400, of: model, seed: 13)
        var learner = TestLearner(model)
        learner.learn(rows, 0..<400)
        let bytes = learner.encoded
        var random = SplitMix64(seed: 13)
        var refused = 0
        for _ in 0..<(TestEnvironment.isRelease ? 300 : 40) {
            var mutated = bytes
            for _ in 0...random.next(below: 3) {
                // Half of the changes fall into the head, where sizes stand.
                let reach = random.next(below: 2) == 0 ? min(600, bytes.count) : bytes.count
                mutated[random.next(below: reach)] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next(below: 4) == 0 {
                mutated.removeLast(random.next(below: mutated.count))
            }
            do {
                _ = try learner.decoded(mutated).encoded
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    @Test("the bits are the same in debug and release", arguments: ModelCase.pinned)
    func pinnedBits(model: ModelCase, hash: UInt64) {
        let rows = StreamGenerator.rows(1500, of: model, seed: 14)
        var learner = TestLearner(model)
        let predictions = learner.predictedAndLearned(rows, by: 100)
        let found = predictions.hash(rows.count)
        #expect(found == hash, "\(model): 0x\(String(found, radix: 16))")
    }
}
