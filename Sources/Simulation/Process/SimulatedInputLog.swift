import Core
import State

/// Reads partitions of the simulated cluster as a read-committed consumer does.
final class SimulatedInputLog: InputLog {
    private struct Input {
        let partition: SimulatedPartition
        let number: Int32
        var position: Int
        var queue: [RawRecord] = []
        /// Keeps the queue's bytes.
        var stored: [StoredRecord] = []
        var endOffset: Int64?
    }

    let partitions: [TopicPartition]
    private unowned let world: World
    private unowned let process: SimulatedProcess
    private var inputs: [Input]

    /// - Parameter start: Where each partition begins; `nil` at its first record.
    init(
        process: SimulatedProcess, _ places: [(name: TopicPartition, SimulatedPartition)],
        start: [Int64]?
    ) {
        self.process = process
        world = process.world
        partitions = places.map(\.name)
        inputs = places.enumerated().map { index, place in
            Input(
                partition: place.1, number: place.name.partition,
                position: start.map { Int($0[index]) } ?? place.1.start)
        }
    }

    func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        guard inputs[input].queue.count < limit, !process.network.isDown else { return }
        // The answer of a fetch comes when it comes.
        guard !world.happens(perMille: process.scenario.slowFetches) else { return }
        let partition = inputs[input].partition
        var position = inputs[input].position
        if position < partition.start || position > partition.end {
            throw .lostRecords(
                partitions[input], offset: Int64(position), firstOffset: Int64(partition.start))
        }
        let stable = partition.stable
        var room = min(limit - inputs[input].queue.count, world.draw(1...limit))
        while position < stable, room > 0 {
            if partition.statuses[position].isVisible, let record = partition.records[position] {
                inputs[input].queue.append(
                    record.borrowed(partition: inputs[input].number, offset: Int64(position)))
                inputs[input].stored.append(record)
                inputs[input].endOffset = nil
                room -= 1
            }
            position += 1
        }
        // What is not visible behind the last record is passed over at once.
        while position < stable, !partition.statuses[position].isVisible { position += 1 }
        inputs[input].position = position
        inputs[input].endOffset = position >= stable ? Int64(position) : nil
    }

    func queuedCount(_ input: Int) -> Int { inputs[input].queue.count }

    func withQueued<Result>(_ input: Int, _ body: (Span<RawRecord>) -> Result) -> Result {
        let queue = inputs[input].queue
        return body(queue.span)
    }

    func release(_ input: Int, _ count: Int) {
        inputs[input].queue.removeFirst(count)
        inputs[input].stored.removeFirst(count)
    }

    func endOffset(_ input: Int) -> Int64? { inputs[input].endOffset }

    func seek(_ input: Int, to offset: Int64) throws(LogError) {
        inputs[input].queue = []
        inputs[input].stored = []
        inputs[input].endOffset = nil
        inputs[input].position = Int(offset)
    }

    func headers(_ input: Int, _ index: Int) -> [OutputHeader] { [] }
}
