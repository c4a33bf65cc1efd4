/// Fixed memory that records are read into, lent to them until they are released.
///
/// Blocks are taken and given back in order; a block that was given back is used again.
struct RecordBlocks: ~Copyable {
    /// A piece of memory and how many queued records stand in it.
    @safe
    struct Block {
        // Safety: allocated by `take`; freed when given back, or by `deinit` of the owner.
        let base: UnsafeMutablePointer<UInt8>
        let capacity: Int
        /// Records that stand here and are not released.
        var recordCount = 0

        init(capacity: Int) {
            unsafe base = .allocate(capacity: capacity)
            self.capacity = capacity
        }

        /// Part of the memory.
        ///
        /// - Safety: the range must be initialised, and the block must not be freed meanwhile.
        @unsafe
        func withBytes<Result>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Result) -> Result {
            precondition(range.upperBound <= capacity, "\(range) is past the block's end")
            let buffer = unsafe UnsafeBufferPointer(
                start: base + range.lowerBound, count: range.count)
            return unsafe body(Span(_unsafeElements: buffer))
        }

        func free() { unsafe base.deallocate() }
    }

    /// The bytes of an ordinary block.
    let blockByteCount: Int
    private var used: [Block] = []
    private var spare: [Block] = []

    init(blockByteCount: Int) {
        self.blockByteCount = blockByteCount
    }

    deinit {
        for block in used { block.free() }
        for block in spare { block.free() }
    }

    /// The number of blocks in use.
    var usedCount: Int { used.count }

    /// The block that is being filled.
    var current: Block { used[used.count - 1] }

    /// Begins a block of at least this many bytes, which becomes the current one.
    mutating func take(atLeast byteCount: Int) {
        if byteCount <= blockByteCount, let block = spare.popLast() {
            used.append(block)
        } else {
            used.append(Block(capacity: max(byteCount, blockByteCount)))
        }
    }

    /// Counts a record of the current block.
    mutating func addRecord() {
        used[used.count - 1].recordCount += 1
    }

    /// Gives back the oldest `count` records, and the blocks that hold no record any more, but
    /// never the current one.
    mutating func release(_ count: Int) {
        var left = count
        for index in used.indices where left > 0 {
            let taken = min(left, used[index].recordCount)
            used[index].recordCount -= taken
            left -= taken
        }
        precondition(left == 0, "released \(left) records more than are queued")
        let empty = used.dropLast().prefix { $0.recordCount == 0 }.count
        giveBack(empty)
    }

    /// Gives back everything.
    mutating func clear() {
        for index in used.indices { used[index].recordCount = 0 }
        giveBack(used.count)
    }

    private mutating func giveBack(_ count: Int) {
        for block in used[..<count] {
            if block.capacity == blockByteCount { spare.append(block) } else { block.free() }
        }
        used.removeFirst(count)
    }
}
