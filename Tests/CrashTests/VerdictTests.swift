// Method: evidence of a run in which nothing went wrong, made in memory, is accepted; the same evidence
// with one thing planted that must not be is refused, for every kind of thing that the test looks for.
import Core
import Engine
import Foundation
import State
import TestSupport
import Testing

@testable import crash

/// What can be wrong, and how many of it the verdict must find.
enum Plant: CaseIterable, Sendable {
    case lostPrediction
    case doubledPrediction
    case changedPrediction
    case unknownPrediction
    case swappedPredictions
    case lostReport
    case doubledReport
    case changedReport
    case otherState
    case noState
    case lostInputRecord
    case damagedEntry
    case lostEntry
    case doubledEntry
    case offsetsGoBack
    case uncoveredEnd
    case openTransaction
    case untrimmedState
}

@Suite("The crash test's verdict")
struct VerdictTests {
    private static let kinds: [PipelineUnderTest.Kind] = [
        .tree, .field, .canary, .logistic, .canaryMerged, .preloaded, .atLeastOnce,
        .atLeastOnceMerged,
    ]

    /// A pipeline and the evidence of an uninterrupted run over `count` records.
    private static func clean(
        _ kind: PipelineUnderTest.Kind, count: Int = 600
    ) throws -> (pipeline: PipelineUnderTest, evidence: Evidence) {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "tidewheel-verdict-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let pipeline = try PipelineUnderTest(
            kind, bootstrap: "localhost:1", topic: "in", partitions: 2, folder: folder)
        var input = (0..<2).map { StoredPartition(Int32($0)) }
        var random = SplitMix64(seed: 5)
        for index in 0..<count {
            let partition = random.next(below: 2)
            input[partition].append(
                key: Array("k\(index)".utf8), value: Load.value(index),
                // As after transactions: offsets have gaps.
                offset: Int64(2 * input[partition].entries.count),
                timestamp: 1000 + Int64(index) + Int64(random.next(below: 9)))
        }
        let journals = (0..<pipeline.taskCount).map { task in
            journal(
                of: pipeline.taskCount == 1 ? [0, 1] : [task], input,
                wholeAtOnce: kind == .preloaded)
        }
        var oracle = Oracle(pipeline.pipeline, input: input)
        switch pipeline.oracle {
        case .partitions: try oracle.passOverPartitions()
        case .journal: try oracle.replay(journals[0])
        case .timestamps: try oracle.mergeByTimestamp()
        }
        let states = Dictionary(uniqueKeysWithValues: oracle.states.enumerated().map { ($0, $1) })
        var evidence = Evidence(
            input: input, harvest: oracle.harvest, journals: journals, states: states)
        evidence.ends = [Evidence.Ends(place: "out[0]", end: 7, stable: 7)]
        return (pipeline, evidence)
    }

    /// A journal of five commits over the inputs, which it takes at different speeds.
    private static func journal(
        of inputs: [Int], _ stored: [StoredPartition], wholeAtOnce: Bool
    ) -> [JournalEntry] {
        let places = inputs.map { TopicPartition(topic: "in", partition: Int32($0)) }
        let entries = inputs.map { stored[$0].entries }
        func entry(_ sequence: UInt64, _ ends: [Int], _ rounds: [[Int]], _ count: Int)
            -> JournalEntry
        {
            func offsets(_ indices: [Int]) -> [Int64] {
                zip(indices, entries).map { index, entries in
                    index == 0 ? 0 : entries[index - 1].offset + 1
                }
            }
            return JournalEntry(
                fingerprint: 1, sequence: sequence, generation: 1, inputs: places,
                nextOffsets: offsets(ends), rounds: rounds.map(offsets),
                recordCount: UInt64(count), predictionCount: UInt64(count), predictionHash: 0,
                learnedHash: nil)
        }
        var all = [entry(0, inputs.map { _ in 0 }, [], 0)]
        var heads = inputs.map { _ in 0 }
        let commits = wholeAtOnce ? 1 : 5
        for commit in 1...commits {
            let ends = entries.enumerated().map { place, entries in
                commit == commits ? entries.count : min(entries.count, commit * (30 + 20 * place))
            }
            let count = zip(ends, heads).reduce(0) { $0 + $1.0 - $1.1 }
            all.append(entry(UInt64(commit), ends, [ends], count))
            heads = ends
        }
        return all
    }

    @Test("a run in which nothing went wrong is clean", arguments: kinds)
    func accepted(kind: PipelineUnderTest.Kind) throws {
        let (pipeline, evidence) = try Self.clean(kind, count: 2400)
        let verdict = try Verification(pipeline, evidence)
        #expect(verdict.isClean, "\(verdict.problems) \(verdict.comparison.examples)")
        #expect(verdict.comparison.expected == 2400)
        #expect(verdict.comparison.reportsExpected > 0)
    }

    @Test(
        "what is planted is found", arguments: [PipelineUnderTest.Kind.tree, .canaryMerged],
        Plant.allCases)
    func refused(kind: PipelineUnderTest.Kind, plant: Plant) throws {
        var (pipeline, evidence) = try Self.clean(kind, count: 2400)
        put(plant, into: &evidence)
        let verdict = try Verification(pipeline, evidence)
        #expect(!verdict.isClean)
        let found = verdict.comparison
        switch plant {
        case .lostPrediction: #expect(found.lost == 1 && found.doubled + found.changed == 0)
        case .doubledPrediction: #expect(found.doubled == 1 && found.lost + found.changed == 0)
        case .changedPrediction: #expect(found.changed == 1 && found.lost + found.doubled == 0)
        case .unknownPrediction: #expect(found.unknown == 1)
        case .swappedPredictions: #expect(found.disordered > 0 && found.changed == 0)
        case .lostReport, .doubledReport, .changedReport: #expect(found.reportsWrong > 0)
        case .lostInputRecord: #expect(found.unknown == 1)
        // Where the journal is replayed, what it does not name is not expected either.
        default: #expect(!verdict.problems.isEmpty && (found.isClean || kind == .canaryMerged))
        }
    }

    private func put(_ plant: Plant, into evidence: inout Evidence) {
        let task = evidence.journals.count - 1
        switch plant {
        case .lostPrediction: evidence.harvest.predictions[1].remove(at: 50)
        case .doubledPrediction:
            evidence.harvest.predictions[1].insert(evidence.harvest.predictions[1][50], at: 50)
        case .changedPrediction: evidence.harvest.predictions[1][50].hash ^= 1
        case .unknownPrediction: evidence.harvest.predictions[1].append((999_999, 1))
        case .swappedPredictions: evidence.harvest.predictions[1].swapAt(50, 51)
        case .lostReport: evidence.harvest.reports[0].removeFirst()
        case .doubledReport:
            evidence.harvest.reports[0].append(evidence.harvest.reports[0][0])
        case .changedReport: evidence.harvest.reports[0][0] ^= 1
        case .otherState: evidence.states[task]? ^= 1
        case .noState: evidence.states[task] = nil
        case .lostInputRecord: evidence.input[1].remove(at: 50)
        case .damagedEntry: evidence.damagedEntries = 1
        case .lostEntry: evidence.journals[task].remove(at: 2)
        case .doubledEntry: evidence.journals[task].insert(evidence.journals[task][2], at: 2)
        case .offsetsGoBack: evidence.journals[task][2].nextOffsets[0] = 0
        case .uncoveredEnd: evidence.journals[task].removeLast()
        case .openTransaction:
            evidence.ends.append(Evidence.Ends(place: "out[1]", end: 7, stable: 6))
        case .untrimmedState:
            evidence.chunks[0] = (0..<20).map {
                ChunkKey(task: 0, generation: 1, sequence: $0, part: 0)
            }
        }
    }

    @Test(
        "at least once, copies are accepted and nothing else",
        arguments: [PipelineUnderTest.Kind.atLeastOnce, .atLeastOnceMerged], Plant.allCases)
    func copies(kind: PipelineUnderTest.Kind, plant: Plant) throws {
        var (pipeline, evidence) = try Self.clean(kind, count: 2400)
        put(plant, into: &evidence)
        let verdict = try Verification(pipeline, evidence)
        let found = verdict.comparison
        switch plant {
        case .doubledPrediction: #expect(verdict.isClean && found.copies == 1)
        case .doubledReport: #expect(verdict.isClean)
        case .lostPrediction: #expect(found.lost == 1 && found.copies == 0)
        case .changedPrediction: #expect(found.changed == 1 && found.lost == 1)
        case .swappedPredictions: #expect(found.disordered > 0 && found.copies == 0)
        default: #expect(!verdict.isClean)
        }
    }

    @Test("at least once, other predictions need an overtaken owner and a right one beside")
    func strays() throws {
        func changed(_ kind: PipelineUnderTest.Kind, overtaken: Int, replacing: Bool) throws
            -> Comparison
        {
            var (pipeline, evidence) = try Self.clean(kind, count: 2400)
            evidence.overtakenRecords = overtaken
            var other = evidence.harvest.predictions[1][50]
            other.hash ^= 1
            if replacing { evidence.harvest.predictions[1].remove(at: 50) }
            evidence.harvest.predictions[1].insert(other, at: 50)
            return try Verification(pipeline, evidence).comparison
        }
        let accepted = try changed(.atLeastOnceMerged, overtaken: 1, replacing: false)
        #expect(accepted.isClean && accepted.strays == 1)
        #expect(try !changed(.atLeastOnceMerged, overtaken: 0, replacing: false).isClean)
        #expect(try changed(.atLeastOnceMerged, overtaken: 1, replacing: true).lost == 1)
        #expect(try changed(.atLeastOnce, overtaken: 1, replacing: false).changed == 1)
        #expect(try changed(.canaryMerged, overtaken: 1, replacing: true).changed == 1)
    }

    @Test("a canary tells of one changed byte in every later prediction")
    func canary() throws {
        let (pipeline, evidence) = try Self.clean(.canary)
        var changed = evidence
        changed.input[0].flipByte(ofValueAt: 100)
        let verdict = try Verification(pipeline, changed)
        let count = evidence.input[0].entries.count
        #expect(verdict.comparison.changed == count - 100)
        #expect(verdict.problems == ["task 0 has another state"])
    }
}
