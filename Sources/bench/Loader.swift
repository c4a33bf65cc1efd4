import CRdKafka
import Foundation
import TestSupport

/// `bench load`: fills a topic with electricity records as flat JSON, about 140 bytes each.
///
/// The stream is repeated until there are enough; `id` counts up over all of them, is the key too,
/// and record *i* goes to partition *i* mod *partitions*.
enum Loader {
    static func run(_ arguments: inout Arguments) throws {
        let records = try arguments.number("records", default: 1_000_000)
        let partitions = try arguments.number("partitions", default: 4)
        let bootstrap = try arguments.required("BOOTSTRAP")
        let topic = try arguments.required("TOPIC")
        try arguments.finish()
        try load(bootstrap: bootstrap, topic: topic, records: records, partitions: partitions)
    }

    static func load(bootstrap: String, topic: String, records: Int, partitions: Int) throws {
        let rows = try ElectricityRows()
        let producer = try KafkaClient(
            producer: bootstrap,
            [
                "linger.ms": "50", "batch.size": "1000000", "batch.num.messages": "10000",
                "queue.buffering.max.messages": "200000", "enable.idempotence": "true",
            ])
        let handle = try producer.topic(topic)
        defer { rd_kafka_topic_destroy(handle) }
        var bytes = 0
        var record: [UInt8] = []
        for index in 0..<records {
            rows.write(row: index, id: index, into: &record)
            bytes += record.count
            try producer.produce(
                handle, partition: index % partitions, key: Array("\(index)".utf8), value: record)
        }
        try producer.flush(seconds: 120)
        printJSON([
            ("records", Double(records)),
            ("bytes_per_record", rounded(Double(bytes) / Double(max(1, records)), 1)),
        ])
    }
}

/// The rows of `elec.csv.gz` as the middle part of flat JSON records.
struct ElectricityRows {
    private var bytes: [UInt8] = []
    private var starts: [Int] = [0]

    var count: Int { starts.count - 1 }

    init() throws {
        guard let folder = TestEnvironment.dataFolder else {
            throw ToolFailure.usage(TestEnvironment.dataRemedy)
        }
        let file = folder.appending(path: "elec.csv.gz").path
        let lines = try ChildProcess.run(["gzip", "-dc", file]).split(separator: "\n")
        guard let names = lines.first?.split(separator: ",") else {
            throw ToolFailure.running("\(file) is empty")
        }
        for line in lines.dropFirst() {
            for (name, value) in zip(names, line.split(separator: ",")) {
                bytes += ",\"\(name)\":\(value)".utf8
            }
            bytes.append(UInt8(ascii: "}"))
            starts.append(bytes.count)
        }
    }

    /// Replaces `record` by `{"id":…,"period":…,…,"class":…}`; rows repeat from the first.
    func write(row: Int, id: Int, into record: inout [UInt8]) {
        record.removeAll(keepingCapacity: true)
        record += "{\"id\":\(id)".utf8
        let index = row % count
        record += bytes[starts[index]..<starts[index + 1]]
    }

    /// Every row once as a record of four partitions.
    func records() -> [RecordList.Record] {
        (0..<count).map { index in
            var value: [UInt8] = []
            write(row: index, id: index, into: &value)
            return RecordList.Record(
                value: value, key: Array("\(index)".utf8), partition: Int32(index % 4),
                offset: Int64(index / 4), timestamp: 1_700_000_000_000 + Int64(index))
        }
    }
}
