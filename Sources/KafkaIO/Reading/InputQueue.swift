import CRdKafka
import Core
import State
import Synchronization

/// The fetched records of one partition: librdkafka's messages, and beside each the borrowed
/// record.
///
/// Lies in one block, so that the queue can be lent as a span; the front is given back by moving
/// the rest down, which happens at most once per half of the block. Allocates only when a larger
/// limit is asked for.
///
/// - Complexity: O(1) time per record, amortised; 64 bytes per record beside librdkafka's own 440.
@safe
final class InputQueue: @unchecked Sendable {
    /// What a drained message was, if it was no record.
    struct Fault {
        let code: rd_kafka_resp_err_t
        let reason: String
    }

    // Safety: one thread at a time uses it, the log's owner; the reader only disposes of it in the
    // end. Both blocks belong to this object and hold `capacity` elements; those from `head` to
    // `head + count` are initialised. `queue` is a reference of its own, given back by `dispose`,
    // before the client is destroyed.
    private var queue: OpaquePointer?
    private var messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private var records: UnsafeMutablePointer<RawRecord>
    private var capacity: Int
    private var head = 0
    private(set) var count = 0
    /// The offset after the end that was last seen, until records after it are drained.
    private(set) var endOffset: Int64?
    /// The offset at which the next record is expected: one past the last one drained.
    private(set) var nextOffset: Int64
    /// Whether librdkafka has given up fetching, for want of an offset that exists.
    private(set) var hasStopped = false
    /// What other threads may know of the queue.
    let progress = QueueProgress()

    /// Takes over a reference to a partition's queue.
    init(queue: OpaquePointer, start: Int64) {
        unsafe self.queue = unsafe queue
        nextOffset = start
        progress.drainedOffset.store(start, ordering: .relaxed)
        progress.position.store(start, ordering: .relaxed)
        capacity = 4096
        unsafe messages = .allocate(capacity: capacity)
        unsafe records = .allocate(capacity: capacity)
    }

    deinit {
        dispose()
        unsafe messages.deallocate()
        unsafe records.deallocate()
    }

    /// Destroys all messages, also those that librdkafka holds, and gives the partition's queue
    /// back.
    ///
    /// A client cannot be destroyed while anyone refers to a queue of it.
    func dispose() {
        guard let queue = unsafe queue else { return }
        discardFetched()
        unsafe rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
        unsafe rd_kafka_queue_destroy(queue)
        unsafe self.queue = nil
    }

    /// Moves what librdkafka has fetched into the queue, without waiting, until it holds `limit`.
    ///
    /// Returns the first fault met; records drained with it are kept.
    func drain(upTo limit: Int) -> Fault? {
        guard let queue = unsafe queue else { preconditionFailure("the log is closed") }
        guard count < limit else { return nil }
        let before = nextOffset
        defer {
            if nextOffset == before { progress.emptyPolls.add(1, ordering: .relaxed) }
            publish()
        }
        var fault: Fault?
        while count < limit {
            let room = limit - count
            makeRoom(room)
            let tail = head + count
            let drained = unsafe rd_kafka_consume_batch_queue(queue, 0, messages + tail, room)
            guard drained >= 0 else {
                let code = rd_kafka_last_error()
                return Fault(code: code, reason: KafkaError.text(of: code))
            }
            for index in 0..<drained {
                guard let message = unsafe messages[tail + index] else { continue }
                if unsafe message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                    unsafe append(message)
                } else {
                    let found = unsafe take(message)
                    fault = fault ?? found
                }
            }
            if drained < room || fault != nil { return fault }
        }
        return fault
    }

    @inline(__always)
    private func append(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let slot = head + count
        unsafe messages[slot] = unsafe message
        // Safety: the message owns its payload and key until it is destroyed in `release`.
        unsafe records[slot] = unsafe RawRecord(
            value: message.pointee.payload.map {
                unsafe UnsafePointer($0.assumingMemoryBound(to: UInt8.self))
            },
            valueCount: unsafe message.pointee.len,
            key: unsafe message.pointee.key.map {
                unsafe UnsafePointer($0.assumingMemoryBound(to: UInt8.self))
            },
            keyCount: unsafe message.pointee.key_len, partition: unsafe message.pointee.partition,
            offset: unsafe message.pointee.offset,
            timestamp: unsafe rd_kafka_message_timestamp(message, nil))
        nextOffset = unsafe message.pointee.offset + 1
        endOffset = nil
        count += 1
    }

    /// Consumes a message that is no record: an end of the partition, or a fault.
    private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> Fault? {
        // Safety: the message is ours; its code and text are read before it is destroyed.
        defer { unsafe rd_kafka_message_destroy(message) }
        if unsafe message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            endOffset = unsafe message.pointee.offset
            nextOffset = unsafe max(nextOffset, message.pointee.offset)
            return nil
        }
        if unsafe message.pointee.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET { hasStopped = true }
        return unsafe Fault(
            code: message.pointee.err,
            reason: rd_kafka_message_errstr(message).map { unsafe String(cString: $0) } ?? "")
    }

    /// Lends the queued records, oldest first.
    func withQueued<Result>(_ body: (Span<RawRecord>) -> Result) -> Result {
        // Safety: `count` records from `head` are initialised and stay in place during `body`.
        unsafe body(Span(_unsafeElements: UnsafeBufferPointer(start: records + head, count: count)))
    }

    /// The message behind a queued record.
    @unsafe
    func message(_ index: Int) -> UnsafeMutablePointer<rd_kafka_message_t>? {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
        return unsafe messages[head + index]
    }

    /// Destroys the first messages; their records are invalid from now.
    func release(_ released: Int) {
        precondition(released >= 0 && released <= count, "cannot release \(released) of \(count)")
        for index in head..<(head + released) {
            if let message = unsafe messages[index] { unsafe rd_kafka_message_destroy(message) }
        }
        head += released
        count -= released
        if count == 0 { head = 0 }
        publish()
    }

    private func publish() {
        progress.drainedOffset.store(nextOffset, ordering: .relaxed)
        // Safety: the record at `head` is initialised while the queue is not empty.
        let position = unsafe count > 0 ? records[head].offset : nextOffset
        progress.position.store(position, ordering: .relaxed)
    }

    /// The partition is fetched again, from the offset that is expected next.
    func resume() {
        hasStopped = false
    }

    /// Empties the queue: what follows is read from another offset.
    func restart(at offset: Int64) {
        clear()
        endOffset = nil
        hasStopped = false
        nextOffset = offset
        publish()
    }

    private func discardFetched() {
        repeat { clear() } while drain(upTo: 4096) == nil && count > 0
        clear()
    }

    private func clear() {
        release(count)
    }

    private func makeRoom(_ room: Int) {
        if head + count + room <= capacity { return }
        if count + room > capacity / 2 {
            grow(to: 2 * (count + room))
        } else {
            // Safety: both ranges lie inside the blocks; `update` allows them to overlap.
            unsafe messages.update(from: messages + head, count: count)
            unsafe records.update(from: records + head, count: count)
        }
        head = 0
    }

    private func grow(to larger: Int) {
        let newMessages = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>.allocate(
            capacity: larger)
        let newRecords = UnsafeMutablePointer<RawRecord>.allocate(capacity: larger)
        // Safety: the new blocks hold more than `count` elements and do not overlap the old ones.
        unsafe newMessages.initialize(from: messages + head, count: count)
        unsafe newRecords.initialize(from: records + head, count: count)
        unsafe messages.deallocate()
        unsafe records.deallocate()
        unsafe messages = unsafe newMessages
        unsafe records = unsafe newRecords
        capacity = larger
    }
}

/// How far a queue is, written by its owner and read by the control thread.
final class QueueProgress: Sendable {
    /// One past the last record drained.
    let drainedOffset = Atomic<Int64>(0)
    /// The first record that the owner has not released, or where it will stand.
    let position = Atomic<Int64>(0)
    /// The polls that wanted records and got none.
    let emptyPolls = Atomic<Int>(0)
    /// Whether the owner is asked to have the partition assigned anew at its next poll.
    let wantsRefetch = Atomic<Bool>(false)
}
