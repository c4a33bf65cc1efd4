/// The keys of queued records: their numbers as decimal texts, in blocks of their own.
struct RecordKeys: ~Copyable {
    /// The most digits of a number.
    private static let digitsMax = 19

    private var blocks = RecordBlocks(blockByteCount: 1 << 16)
    private var filled = 0
    private var lastStart = 0

    init() {
        blocks.take(atLeast: 0)
    }

    /// The text written last.
    ///
    /// - Safety: valid until its record is released.
    @unsafe
    var last: UnsafePointer<UInt8> {
        unsafe UnsafePointer(blocks.current.base + lastStart)
    }

    /// Writes a number of at least 0 and returns how many digits it has.
    mutating func append(_ number: Int64) -> Int {
        precondition(number >= 0, "the number must be at least 0, got \(number)")
        if blocks.current.capacity - filled < Self.digitsMax {
            blocks.take(atLeast: 0)
            filled = 0
        }
        var count = 1
        var rest = number / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        let base = unsafe blocks.current.base
        rest = number
        for place in stride(from: filled + count - 1, through: filled, by: -1) {
            // Safety: the block has room for `digitsMax` bytes after `filled`.
            unsafe base[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        lastStart = filled
        filled += count
        blocks.addRecord()
        return count
    }

    /// Gives back the oldest keys.
    mutating func release(_ count: Int) {
        blocks.release(count)
    }
}
