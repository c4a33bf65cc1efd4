/// A 64-bit hash of content, the same on every machine and in every run.
///
/// Proves that a replay repeated the same bytes and that stored state is whole. It does not
/// protect against a person who wants two contents to collide.
///
/// - Complexity: O(*n*) time, a multiplication for eight bytes; O(1) memory.
package struct ContentHash: Sendable, Equatable {
    /// The hash of everything combined so far.
    package var value: UInt64 { Self.finish(accumulator ^ length) }

    @usableFromInline
    var accumulator: UInt64
    @usableFromInline
    var length: UInt64 = 0

    @inlinable
    package init(seed: UInt64 = 0) {
        accumulator = seed ^ 0x9E37_79B9_7F4A_7C15
    }

    /// Adds one word.
    @inlinable @inline(__always)
    package mutating func combine(_ word: UInt64) {
        let product = (accumulator ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        accumulator = product.high ^ product.low ^ (word &* 0xE703_7ED1_A0B4_28DB)
        length &+= 8
    }

    /// Adds bytes; cutting them differently gives a different hash, so callers fix their units.
    @inlinable
    package mutating func combine(_ content: Span<UInt8>) {
        let count = content.count
        let words = count &>> 3
        // Safety: word `index` ends at byte 8 · index + 8, which is at most `count`.
        let raw = unsafe content.bytes
        for index in 0..<words {
            combine(
                UInt64(
                    littleEndian: unsafe raw.unsafeLoadUnaligned(
                        fromUncheckedByteOffset: index &* 8, as: UInt64.self)))
        }
        combine(Self.tail(of: content, from: words &* 8))
        combine(UInt64(count))
    }

    /// The bytes after the last whole word, the first in the lowest place.
    @inlinable @inline(__always)
    static func tail(of content: Span<UInt8>, from start: Int) -> UInt64 {
        let rest = content.count &- start
        guard rest > 0 else { return 0 }
        if start > 0 {
            // Safety: `start` is a whole word or more, so the last eight bytes are in the content.
            let word = UInt64(
                littleEndian: unsafe content.bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: content.count &- 8, as: UInt64.self))
            return word &>> UInt64((8 &- rest) &* 8)
        }
        var tail: UInt64 = 0
        for index in 0..<rest { tail |= UInt64(content[index]) &<< UInt64(index &* 8) }
        return tail
    }

    /// Adds the UTF-8 bytes of a text.
    package mutating func combine(_ text: String) {
        let bytes = Array(text.utf8)
        combine(bytes.span)
    }

    @usableFromInline
    static func finish(_ word: UInt64) -> UInt64 {
        var mixed = word
        mixed = (mixed ^ (mixed &>> 32)) &* 0xD6E8_FEB8_6659_FD93
        mixed = (mixed ^ (mixed &>> 32)) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ (mixed &>> 32)
    }
}
