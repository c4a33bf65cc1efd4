import Core

extension StateEncoder {
    /// Writes a task's inputs, in the order that numbers them, and the next offset of each.
    mutating func write(inputs: [TopicPartition], nextOffsets: [Int64]) {
        write(inputs.count)
        for input in inputs {
            write(input.topic)
            write(input.partition)
        }
        for offset in nextOffsets { write(offset) }
    }
}

extension StateDecoder {
    /// Reads what ``StateEncoder/write(inputs:nextOffsets:)`` wrote: as many offsets as inputs.
    mutating func readInputs() throws(StateError) -> (
        inputs: [TopicPartition], nextOffsets: [Int64]
    ) {
        let count = try readInt(in: 0...(remaining / 12), "inputs")
        var inputs: [TopicPartition] = []
        for _ in 0..<count {
            let topic = try readString()
            inputs.append(TopicPartition(topic: topic, partition: try readInteger(Int32.self)))
        }
        var nextOffsets: [Int64] = []
        for _ in 0..<count { nextOffsets.append(try readInt64()) }
        return (inputs, nextOffsets)
    }
}
