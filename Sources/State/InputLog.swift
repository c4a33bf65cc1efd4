package import Core

/// One partition of a topic.
package struct TopicPartition: Sendable, Hashable, Comparable {
    package let topic: String
    package let partition: Int32

    package init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    package static func < (first: TopicPartition, second: TopicPartition) -> Bool {
        (first.topic, first.partition) < (second.topic, second.partition)
    }
}

/// Why a log cannot be read on.
package enum LogError: Error, Equatable, Sendable {
    /// The records at this offset are gone: deleted by retention or by an operator.
    ///
    /// `firstOffset` is the first one that is still there, if known.
    case lostRecords(TopicPartition, offset: Int64, firstOffset: Int64?)
    /// The topic or partition does not exist any more.
    case topicGone(TopicPartition)
    /// The broker refuses the right to read.
    case unauthorised(TopicPartition, String)
    /// The log failed for good; what it said.
    case failed(String)
}

/// Reads a fixed list of partitions, each in offset order, without ever blocking.
///
/// Each input has a queue of borrowed records. `poll` fills it, `withQueued` looks at it, `release`
/// gives its first records back. Kafka, files and the simulation implement it; one owner at a time.
package protocol InputLog: AnyObject {
    /// The partitions, in the order that numbers them; an *input* is an index into this list.
    var partitions: [TopicPartition] { get }

    /// Moves fetched records to the input's queue, until the queue holds `limit` records.
    ///
    /// Short outages are retried inside; only what cannot be survived is thrown.
    func poll(_ input: Int, upTo limit: Int) throws(LogError)

    /// The number of records in the input's queue.
    func queuedCount(_ input: Int) -> Int

    /// Lends the input's queue, oldest first; the span must not leave `body`.
    ///
    /// The records themselves stay valid until they are released.
    func withQueued<Result>(_ input: Int, _ body: (Span<RawRecord>) -> Result) -> Result

    /// Gives back the first `count` records of the input's queue; their bytes are invalid from now.
    func release(_ input: Int, _ count: Int)

    /// When the queue holds everything that the partition had when it was last asked, the offset
    /// at which the next record will stand (past transaction markers); else `nil`.
    func endOffset(_ input: Int) -> Int64?

    /// Empties the input's queue and continues at this offset.
    func seek(_ input: Int, to offset: Int64) throws(LogError)

    /// The headers of a queued record; read for dead letters only.
    func headers(_ input: Int, _ index: Int) -> [OutputHeader]
}
