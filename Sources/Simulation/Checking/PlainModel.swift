import Core
import Engine
import State

/// One record that a task must have written.
struct WrittenRecord: Equatable {
    let stream: OutputStream
    let partition: Int
    let value: [UInt8]
}

/// A state that learns one record after the other, without tasks, batches, commits or restores.
protocol PlainModel: AnyObject {
    /// Learns a record; returns what is written for it.
    func take(_ record: StoredRecord, partition: Int32, offset: Int64) -> [WrittenRecord]
    /// The complete state.
    var state: [UInt8] { get }
    /// Goes back to an earlier state.
    func goBack(to state: [UInt8])
}

extension Learning {
    /// The plain model of a task.
    func plainModel(task: Int) -> any PlainModel {
        self == .canary ? PlainCanary() : PlainPipeline(processor(task: task))
    }
}

private final class PlainCanary: PlainModel {
    private var memory = CanaryMemory()

    func take(_ record: StoredRecord, partition: Int32, offset: Int64) -> [WrittenRecord] {
        memory.take(record.value.span, partition: partition)
        return [
            WrittenRecord(
                stream: .predictions, partition: Int(partition),
                value: memory.prediction(offset: offset))
        ]
    }

    var state: [UInt8] {
        var encoder = StateEncoder()
        memory.encode(to: &encoder)
        return encoder.finish()
    }

    func goBack(to state: [UInt8]) {
        var decoder = StateDecoder(state)
        guard let found = try? CanaryMemory(from: &decoder) else {
            preconditionFailure("the state was encoded just here")
        }
        memory = found
    }
}

private final class PlainPipeline: PlainModel {
    private let processor: any BatchProcessor
    private var buffer = OutputBuffer()

    init(_ processor: any BatchProcessor) { self.processor = processor }

    func take(_ record: StoredRecord, partition: Int32, offset: Int64) -> [WrittenRecord] {
        let raw = [record.borrowed(partition: partition, offset: offset)]
        buffer.clear()
        do {
            try processor.process(raw.span, headers: { _ in [] }, into: &buffer)
        } catch {
            preconditionFailure("the simulated pipeline sets bad records aside: \(error)")
        }
        return Self.records(in: buffer)
    }

    private static func records(in buffer: borrowing OutputBuffer) -> [WrittenRecord] {
        var records: [WrittenRecord] = []
        for entry in buffer.entries {
            records.append(
                WrittenRecord(
                    stream: entry.stream, partition: Int(entry.partition),
                    value: [UInt8](copying: buffer.value(of: entry))))
        }
        return records
    }

    var state: [UInt8] {
        var encoder = StateEncoder()
        processor.encodeState(to: &encoder)
        return encoder.finish()
    }

    func goBack(to state: [UInt8]) {
        var decoder = StateDecoder(state)
        do {
            try processor.restoreState(from: &decoder)
        } catch {
            preconditionFailure("the state was encoded just here: \(error)")
        }
    }
}
