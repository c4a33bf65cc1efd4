/// One record as it came from a log, borrowed: its bytes stay valid until the log releases them.
///
/// Trivially copyable, so that a queue of records is an array of these.
@safe
package struct RawRecord {
    /// The value's first byte; not read when `valueCount` is 0 or less.
    @usableFromInline
    let valuePointer: UnsafePointer<UInt8>?
    /// The key's first byte; not read when `keyCount` is 0 or less.
    @usableFromInline
    let keyPointer: UnsafePointer<UInt8>?
    /// The length of the value in bytes; −1 for a tombstone.
    package let valueCount: Int
    /// The length of the key in bytes; −1 without a key.
    package let keyCount: Int
    /// The partition that the record came from.
    package let partition: Int32
    package let offset: Int64
    /// The log's timestamp, in milliseconds since 1970; −1 where the log has none.
    package let timestamp: Int64

    /// - Safety: the pointers must be valid for the counts until the log releases the record.
    @unsafe
    @inlinable
    package init(
        value: UnsafePointer<UInt8>?, valueCount: Int, key: UnsafePointer<UInt8>?, keyCount: Int,
        partition: Int32, offset: Int64, timestamp: Int64
    ) {
        unsafe valuePointer = value
        unsafe keyPointer = key
        self.valueCount = unsafe value == nil ? -1 : valueCount
        self.keyCount = unsafe key == nil ? -1 : keyCount
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    /// The value's bytes; empty for a tombstone.
    @inlinable
    package var value: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            // Safety: the initialiser's caller keeps the memory valid while the record is in use.
            let buffer = unsafe UnsafeBufferPointer(
                start: valuePointer, count: valuePointer == nil ? 0 : valueCount)
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// The key's bytes; empty without a key.
    @inlinable
    package var key: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            // Safety: as for `value`.
            let buffer = unsafe UnsafeBufferPointer(
                start: keyPointer, count: keyPointer == nil ? 0 : keyCount)
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// The value's address, for decoders in C; nil for a tombstone.
    @unsafe
    @inlinable
    package var valueAddress: UnsafePointer<UInt8>? { unsafe valuePointer }
}
