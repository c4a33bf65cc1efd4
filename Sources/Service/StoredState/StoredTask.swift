import Core
import Engine
import KafkaIO
import State

/// What is stored of one task: the last entry of its journal, what it refers to, what is kept.
struct StoredTask {
    /// A snapshot that the last entry refers to.
    struct Snapshot {
        let reference: SnapshotReference
        /// Its list of chunks, or why that cannot be used.
        let index: Result<SnapshotIndex, SnapshotProblem>
        /// Offsets that the inputs went on by since: the records that a restore replays, and
        /// markers of transactions; `nil` when the index cannot be read.
        let age: Int64?
    }

    let number: Int
    /// The last committed entry; `nil` when there is none.
    let last: StoredPipeline.Entry?
    /// Why the last entry cannot be read.
    let problem: String?
    /// The task's inputs, those included that were added since.
    let inputs: [TopicPartition]
    /// The first offset of each input, and the one after its last committed record.
    let inputEnds: [(low: Int64, high: Int64)]
    let journalEnds: (low: Int64, high: Int64)
    /// `nil` when there is no state topic.
    let stateEnds: (low: Int64, high: Int64)?
    let live: Snapshot?
    let previous: Snapshot?

    /// The next offset of an input; `nil` before the task's first entry that names it.
    func nextOffset(_ input: Int) -> Int64? {
        guard let entry = last?.entry, input < entry.nextOffsets.count else { return nil }
        return entry.nextOffsets[input]
    }

    /// The offsets between where the task stands and the inputs' ends.
    var lag: Int64 {
        inputs.indices.reduce(0) { sum, input in
            sum + max(0, inputEnds[input].high - (nextOffset(input) ?? inputEnds[input].low))
        }
    }
}

extension StoredPipeline {
    /// Looks at these tasks.
    func tasks(_ numbers: [Int]) throws(KafkaError) -> [StoredTask] {
        let found = try lastEntries(of: numbers)
        var tasks: [StoredTask] = []
        for number in numbers { tasks.append(try task(number, last: found[number])) }
        return tasks
    }

    private func task(
        _ number: Int, last found: Result<Entry, TaskFailure>?
    ) throws(KafkaError) -> StoredTask {
        var last: Entry?
        var problem: String?
        switch found {
        case .success(let entry): last = entry
        case .failure(let failure): problem = failure.message
        case nil: break
        }
        let inputs = layout.inputs(ofTask: number)
        var inputEnds: [(low: Int64, high: Int64)] = []
        for input in inputs { inputEnds.append(try ends(of: input)) }
        var stateEnds: (low: Int64, high: Int64)?
        if let statePartitions, number < statePartitions {
            stateEnds = try ends(
                of: TopicPartition(
                    topic: pipeline.output.stateTopic, partition: Int32(number)))
        }
        let store = chunks(number)
        defer { store.close() }
        return StoredTask(
            number: number, last: last, problem: problem, inputs: inputs, inputEnds: inputEnds,
            journalEnds: try ends(of: journal(number)), stateEnds: stateEnds,
            live: last?.entry.live.map { snapshot($0, of: number, last, store) },
            previous: last?.entry.previous.map { snapshot($0, of: number, last, store) })
    }

    private func snapshot(
        _ reference: SnapshotReference, of task: Int, _ last: Entry?, _ store: KafkaChunkStore
    ) -> StoredTask.Snapshot {
        let index: Result<SnapshotIndex, SnapshotProblem>
        do throws(SnapshotProblem) {
            index = .success(try reference.index(ofTask: task, from: store))
        } catch {
            index = .failure(error)
        }
        var age: Int64?
        if case .success(let found) = index, let offsets = last?.entry.nextOffsets {
            age = zip(offsets, found.nextOffsets).reduce(0) { $0 + max(0, $1.0 - $1.1) }
        }
        return StoredTask.Snapshot(reference: reference, index: index, age: age)
    }
}
