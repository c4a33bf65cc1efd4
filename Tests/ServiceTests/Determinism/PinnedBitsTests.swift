// Method: seeded records through whole pipelines; the hashes of all predictions and of the final
// state are kept here, so that debug, release and every later build must reach the same bits.
import Core
import Engine
import TestSupport
import Testing

@Suite("Pinned bits")
struct PinnedBitsTests {
    /// What to do when a hash differs.
    private static let remedy =
        "If the change was meant: raise numericsVersion (\(numericsVersion)) when predictions "
        + "or learned numbers changed, or a section's version when only the encoding did; "
        + "then keep the new hash, and add stored states (StoredStateTests)."

    @Test("predictions and final state have the bits that are kept here", arguments: pinned)
    func bits(pinned: PinnedPipeline) throws {
        let list = RecordList(pinned.stream.lines(PinnedPipeline.recordCount))
        let processor = try pinned.processor()
        var hash = ContentHash()
        try list.withRecords { records in
            try PinnedPipeline.feed(
                processor, records, 0..<records.count, batch: 1_000, into: &hash)
        }
        let state = PinnedPipeline.hash(PinnedPipeline.state(processor))
        #expect(
            hash.value == pinned.predictions,
            "predictions: 0x\(String(hash.value, radix: 16)). \(Self.remedy)")
        #expect(
            state == pinned.state, "state: 0x\(String(state, radix: 16)). \(Self.remedy)")
    }

    @Test("a restored pipeline ends in the same bits, whatever its batches", arguments: pinned)
    func restored(pinned: PinnedPipeline) throws {
        let list = RecordList(pinned.stream.lines(PinnedPipeline.recordCount))
        var hash = ContentHash()
        let end = try list.withRecords { records in
            var processor = try pinned.processor()
            var start = 0
            for (cut, batch) in [(1, 1), (1_111, 7), (2_900, 64), (records.count, 333)] {
                try PinnedPipeline.feed(
                    processor, records, start..<cut, batch: batch, into: &hash)
                start = cut
                let bytes = PinnedPipeline.state(processor)
                var decoder = StateDecoder(bytes)
                let next = try pinned.processor()
                try next.restoreState(from: &decoder)
                try decoder.finish()
                #expect(PinnedPipeline.state(next) == bytes, "after \(cut) records")
                processor = next
            }
            return PinnedPipeline.state(processor)
        }
        #expect(hash.value == pinned.predictions)
        #expect(PinnedPipeline.hash(end) == pinned.state)
    }

    @Test("changed bytes are refused or read, never a trap", arguments: pinned)
    func mutatedState(pinned: PinnedPipeline) throws {
        let list = RecordList(pinned.stream.lines(PinnedPipeline.recordCount))
        let processor = try pinned.processor()
        var hash = ContentHash()
        try list.withRecords { records in
            try PinnedPipeline.feed(processor, records, 0..<1_500, batch: 500, into: &hash)
        }
        let bytes = PinnedPipeline.state(processor)
        var random = SplitMix64(seed: 23)
        var refused = 0
        for _ in 0..<(TestEnvironment.isRelease ? 2_000 : 20) {
            var mutated = bytes
            for _ in 0...random.next(below: 3) {
                // Sizes stand near the front of each part; a third of the changes is a single bit.
                let place = random.next(below: bytes.count)
                mutated[place] =
                    random.next(below: 3) == 0
                    ? mutated[place] ^ (1 << UInt8(random.next(below: 8)))
                    : UInt8(truncatingIfNeeded: random.next())
            }
            if random.next(below: 5) == 0 { mutated.removeLast(random.next(below: mutated.count)) }
            var decoder = StateDecoder(mutated)
            do throws(StateError) {
                try processor.restoreState(from: &decoder)
                _ = PinnedPipeline.state(processor)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    static let pinned: [PinnedPipeline] = [
        .file(
            "blobs.yaml", .blobs, predictions: 0x9138_3a7e_f82d_0bf2, state: 0xad98_ac7e_ab5b_efd6),
        .file(
            "electricity-logistic.yaml", .electricity, predictions: 0xc0c4_de57_9f8a_95a6,
            state: 0x8a4f_70a6_abf9_b256),
        .file(
            "electricity.yaml", .electricity, predictions: 0x8cc6_2899_f308_edcc,
            state: 0xe4f1_5ba9_e7af_c7fe),
        .file(
            "fried.yaml", .friedman, predictions: 0xd058_9852_9441_3dcb,
            state: 0x40ad_53c9_ba88_193e),
        .file("sea.yaml", .sea, predictions: 0xa483_ca85_2b1a_12d3, state: 0xc08b_dcd2_e919_140f),
        .file(
            "spam.yaml", .words, predictions: 0x2c93_c8bd_7e0e_1a8f, state: 0x8bc4_c8ef_6273_fb7d),
        .variant(
            "tree-bayes", .randomTree,
            """
            model: { hoeffding_tree: { leaf_prediction: naive_bayes, grace_period: 50, \
            delta: 0.05 } }
            metrics: { windows: [100 records, 1000 records, 5000 records] }
            """, predictions: 0xf136_8827_3889_2888, state: 0xc74d_80da_f152_d045),
        .variant(
            "tree-ragged", .ragged,
            """
            model: { hoeffding_tree: { grace_period: 50, delta: 0.1 } }
            metrics: { windows: [300 records] }
            drift: [{ ddm: { then: alert } }, { adwin: { then: alert } }]
            """, predictions: 0x558f_1a2b_e1fd_4585, state: 0x2078_bbdf_1879_5ddc),
        .variant(
            "tree-majority-gini", .electricity,
            """
            model: { hoeffding_tree: { leaf_prediction: majority, split_criterion: gini, \
            grace_period: 50, delta: 0.1 } }
            metrics: { track: [accuracy, log_loss, roc_auc, brier] }
            """, predictions: 0x0ec8_16fd_24da_16f3, state: 0xb54a_e893_33b0_db6b),
        .variant(
            "adagrad", .electricity,
            """
            prepare: [{ min_max: all }]
            model: { logistic_regression: { schedule: adagrad, learning_rate: 0.1 } }
            """, predictions: 0x06e2_baac_b1bd_daf5, state: 0xd3a1_6835_aec1_0c4e),
        .variant(
            "adagrad-penalties", .ragged,
            """
            prepare: [{ impute: all }, { standardize: all }, { one_hot: all }]
            model: { logistic_regression: { schedule: adagrad, l1: 0.001, l2: 0.001 } }
            """, predictions: 0x3c51_c322_79ae_bb64, state: 0x5ce5_16ba_5344_80b5),
        .variant(
            "softmax", .ragged,
            """
            model: { logistic_regression: { loss: hinge, schedule: inverse_scaling } }
            drift: [{ page_hinkley: { then: reset, threshold: 5, min_instances: 10 } }]
            """, predictions: 0x4e9c_db1e_5ac2_4728, state: 0x53f8_03c2_c498_728a),
        .variant(
            "huber", .friedman,
            """
            model: { linear_regression: { loss: huber, l2: 0.001, schedule: optimal } }
            metrics: { windows: [50 records, 2000 records] }
            drift: [{ adwin: { then: reset } }, { page_hinkley: { then: alert, direction: both } }]
            """, predictions: 0x254e_f0e8_34d8_da83, state: 0xef6c_2ecd_b38c_86ed),
        .variant(
            "field-models", .ragged,
            """
            prepare: [{ impute: all }, { min_max: all }]
            model: logistic_regression
            one_model_per: { field: c, limit: 5 }
            drift: [{ ddm: { then: reset } }]
            metrics: { windows: [100 records] }
            """, predictions: 0x65e2_a24d_e30b_810e, state: 0xfb18_cf92_874b_5f38),
    ]
}
