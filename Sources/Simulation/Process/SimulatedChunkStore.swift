import Core
import State

/// A task's partition of the state topic, with the journal that is trimmed beside it: a plain
/// idempotent producer, a reader at given offsets, and DeleteRecords.
final class SimulatedChunkStore: ChunkStore, @unchecked Sendable {
    // Safety: one thread runs the whole simulation.

    /// A record on its way: copies of the same request store it once.
    private final class Sending {
        let record: StoredRecord
        var offset: Int?

        init(_ record: StoredRecord) { self.record = record }
    }

    private let process: SimulatedProcess
    private let broker: SimulatedBroker
    private let task: Int
    private let output: any SimulatedTaskOutput
    private let bug: PlantedBug?
    /// Chunks that a planted bug has promised, but not stored.
    private var promised = 0

    init(process: SimulatedProcess, task: Int, output: any SimulatedTaskOutput) {
        self.process = process
        broker = process.broker
        self.task = task
        self.output = output
        bug = process.scenario.bug
    }

    private var world: World { process.world }
    private var chunks: SimulatedPartition { broker.partition(.state, task) }

    func journalEnd() throws(ChunkError) -> Int64 {
        try ask { [broker, task] in Int64(broker.partition(.journal, task).end) }
    }

    func write(key: [UInt8], chunk: [UInt8]) throws(ChunkError) -> ChunkPosition {
        let sending = Sending(StoredRecord(key: key, value: chunk, timestamp: 0))
        if bug == .referenceBeforeChunks { return promise(sending) }
        if bug == .chunksWithoutGeneration { broker.note(chunk, of: plain(key)) }
        for _ in 0..<3 {
            process.meetTrouble(weight: 2)
            let answer = process.network.requestTwice(from: process) { [broker, task] in
                if let offset = sending.offset { return offset }
                let chunks = broker.partition(.state, task)
                sending.offset = chunks.end
                chunks.append(sending.record)
                return chunks.end - 1
            }
            guard process.isAlive else { throw .failed("killed") }
            if let answer { return ChunkPosition(offset: Int64(answer)) }
        }
        throw .failed("the chunk's outcome is not known")
    }

    func read(_ position: ChunkPosition, key: [UInt8]) throws(ChunkError) -> [UInt8] {
        let found = try ask { [broker, task] () -> StoredRecord? in
            let chunks = broker.partition(.state, task)
            let offset = Int(position.offset)
            guard offset >= chunks.start, offset < chunks.end else { return nil }
            return chunks.records[offset]
        }
        if bug == .chunksWithoutGeneration, let newest = broker.newest(plain(key)) {
            return newest
        }
        guard let found, found.key == key else { throw .missing(position) }
        return found.value
    }

    func trim(journalBefore: Int64, chunksBefore: Int64) throws(ChunkError) {
        process.meetTrouble(weight: 2)
        let areConfirmed = output.confirmsEntries()
        guard process.isAlive else { throw .failed("killed") }
        guard areConfirmed else { throw .failed("the task may be another's by now") }
        let isDone = try ask { [broker, task] in
            broker.trim(task, journalBefore: journalBefore, chunksBefore: chunksBefore)
        }
        guard isDone else { throw .failed("an offset beyond the end") }
    }

    // MARK: Planted bugs

    /// Names the chunk's place before the chunk is there.
    private func promise(_ sending: Sending) -> ChunkPosition {
        let position = ChunkPosition(offset: Int64(chunks.end + promised))
        promised += 1
        world.after(world.draw(5...200)) { [self] in
            promised -= 1
            if process.isAlive { chunks.append(sending.record) }
        }
        return position
    }

    /// A key without the generation.
    private func plain(_ key: [UInt8]) -> [UInt8] { Array(key[..<4] + key[8...]) }

    private func ask<Answer>(_ apply: @escaping () -> Answer) throws(ChunkError) -> Answer {
        let answer = process.network.request(from: process, apply)
        guard process.isAlive else { throw .failed("killed") }
        guard let answer else { throw .failed("no answer") }
        return answer
    }
}
