import CRdKafka
import Synchronization

/// What became of the records of a producer whose client reports deliveries.
struct Delivery: Sendable {
    /// Written for certain.
    var count = 0
    /// Not written, since the owner looked last.
    var failedCount = 0
    /// The last failure's code.
    var code: Int32 = 0
    /// Where the last written record stands.
    var lastOffset: Int64 = -1
}

/// librdkafka's delivery callback: runs inside a poll of the producer's owner.
func onDelivery(
    _ client: OpaquePointer?, _ message: UnsafePointer<rd_kafka_message_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let message = unsafe message, let callbacks = unsafe KafkaCallbacks.behind(opaque) else {
        return
    }
    // Safety: the message is librdkafka's and valid during the callback.
    let code = unsafe message.pointee.err
    let offset = unsafe message.pointee.offset
    callbacks.deliveries.withLock { deliveries in
        if code == RD_KAFKA_RESP_ERR_NO_ERROR {
            deliveries.count += 1
            deliveries.lastOffset = offset
        } else {
            deliveries.failedCount += 1
            deliveries.code = code.rawValue
        }
    }
}
