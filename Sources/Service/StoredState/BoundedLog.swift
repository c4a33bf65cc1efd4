import Core
import State

/// A log of one partition that ends at an offset, whatever comes after it: a journal as it was.
final class BoundedLog: InputLog {
    private let log: any InputLog
    private let bound: Int64

    /// - Parameter bound: The offset of the first record that is left out.
    init(_ log: any InputLog, before bound: Int64) {
        precondition(log.partitions.count == 1, "one partition has one bound")
        self.log = log
        self.bound = bound
    }

    var partitions: [TopicPartition] { log.partitions }

    func poll(_ input: Int, upTo limit: Int) throws(LogError) {
        try log.poll(input, upTo: limit)
    }

    func queuedCount(_ input: Int) -> Int {
        log.withQueued(input) { visibleCount($0) }
    }

    func withQueued<Result>(_ input: Int, _ body: (Span<RawRecord>) -> Result) -> Result {
        log.withQueued(input) { span in body(span.extracting(0..<visibleCount(span))) }
    }

    func release(_ input: Int, _ count: Int) { log.release(input, count) }

    func endOffset(_ input: Int) -> Int64? {
        let isHiding = log.withQueued(input) { visibleCount($0) < $0.count }
        return isHiding ? bound : log.endOffset(input).map { min($0, bound) }
    }

    func seek(_ input: Int, to offset: Int64) throws(LogError) {
        try log.seek(input, to: offset)
    }

    func headers(_ input: Int, _ index: Int) -> [OutputHeader] { log.headers(input, index) }

    private func visibleCount(_ span: Span<RawRecord>) -> Int {
        var count = span.count
        while count > 0, span[count - 1].offset >= bound { count -= 1 }
        return count
    }
}
