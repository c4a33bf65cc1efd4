/// Growable bytes at a stable address between growths: what encoders write into.
///
/// Keeps its memory when cleared, so that steady state allocates nothing.
@safe
package struct ByteBuffer: ~Copyable, @unchecked Sendable {
    // Safety: the memory belongs to this value alone; being noncopyable, it has one owner.
    @usableFromInline
    var base: UnsafeMutablePointer<UInt8>
    /// The number of bytes written.
    @usableFromInline
    package private(set) var count = 0
    /// The number of bytes there is room for.
    package private(set) var capacity: Int

    package init(capacity: Int = 4096) {
        self.capacity = max(64, capacity)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    /// Forgets the bytes and keeps the memory.
    package mutating func clear() {
        count = 0
    }

    /// Forgets the bytes after the first `count`.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot truncate to \(count)")
        self.count = count
    }

    /// The bytes written.
    @inlinable
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            // Safety: `count` bytes are initialised and the borrow keeps them in place.
            let buffer = unsafe UnsafeBufferPointer(start: base, count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// The bytes written, for changing them in place.
    package var mutableBytes: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            // Safety: as for `bytes`; the exclusive access lasts as long as the span.
            let buffer = unsafe UnsafeMutableBufferPointer(start: base, count: count)
            return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
        }
    }

    /// The address of the first byte, valid until the next write; for C.
    @unsafe
    package var address: UnsafeMutablePointer<UInt8> { unsafe base }

    /// Makes room for `extra` more bytes.
    @inlinable @inline(__always)
    package mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(extra) }
    }

    @usableFromInline
    @inline(never)
    mutating func grow(_ extra: Int) {
        capacity = max(capacity * 2, count + extra)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        // Safety: both blocks hold at least `count` bytes and do not overlap.
        unsafe larger.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = larger
    }

    @inlinable @inline(__always)
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        // Safety: `reserve` made room for one byte at `count`.
        unsafe base[count] = byte
        count &+= 1
    }

    @inlinable @inline(__always)
    package mutating func append(_ content: Span<UInt8>) {
        let extra = content.count
        guard extra > 0 else { return }
        reserve(extra)
        // Safety: `reserve` made room; a span never overlaps memory that this value owns alone.
        unsafe content.withUnsafeBufferPointer { source in
            if let start = source.baseAddress {
                unsafe (base + count).update(from: start, count: extra)
            }
        }
        count &+= extra
    }

    @inlinable @inline(__always)
    package mutating func append(_ text: StaticString) {
        let extra = text.utf8CodeUnitCount
        reserve(extra)
        // Safety: `reserve` made room; a static text has `utf8CodeUnitCount` bytes.
        unsafe (base + count).update(from: text.utf8Start, count: extra)
        count &+= extra
    }

    /// Appends the UTF-8 of a text; for what is written seldom.
    package mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Lets `body` write at most `limit` bytes at the end and return how many it wrote.
    @unsafe
    @inlinable @inline(__always)
    package mutating func write(
        upTo limit: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
        reserve(limit)
        // Safety: `reserve` made room for `limit` bytes; the result is checked against it.
        let written = unsafe body(base + count)
        precondition(written >= 0 && written <= limit, "wrote \(written) of at most \(limit)")
        count &+= written
    }
}
