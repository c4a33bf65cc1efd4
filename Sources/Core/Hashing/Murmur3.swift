/// The 32-bit MurmurHash3 (x86 variant), which gives texts, maps and sets their sparse indices.
///
/// Part of the state's format: a model's weights stand at the indices that it gave.
///
/// - Complexity: O(*n*) time, two multiplications for four bytes.
/// - Note: Austin Appleby, *MurmurHash3*, 2011, `MurmurHash3_x86_32`.
package enum Murmur3 {
    /// The hash of bytes, the same on every machine.
    @inlinable
    package static func hash32(_ bytes: Span<UInt8>, seed: UInt32 = 0) -> UInt32 {
        let count = bytes.count
        let blocks = count &>> 2
        var hash = seed
        // Safety: block `index` ends at byte 4 · index + 4, which is at most `count`.
        let raw = unsafe bytes.bytes
        for index in 0..<blocks {
            let block = UInt32(
                littleEndian: unsafe raw.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: index &* 4, as: UInt32.self))
            hash ^= scrambled(block)
            hash = (hash &<< 13) | (hash &>> 19)
            hash = hash &* 5 &+ 0xE654_6B64
        }
        var tail: UInt32 = 0
        for index in (blocks &* 4)..<count {
            tail |= UInt32(bytes[index]) &<< UInt32((index & 3) &* 8)
        }
        hash ^= scrambled(tail)
        hash ^= UInt32(truncatingIfNeeded: count)
        hash = (hash ^ (hash &>> 16)) &* 0x85EB_CA6B
        hash = (hash ^ (hash &>> 13)) &* 0xC2B2_AE35
        return hash ^ (hash &>> 16)
    }

    @usableFromInline
    static func scrambled(_ block: UInt32) -> UInt32 {
        let product = block &* 0xCC9E_2D51
        return ((product &<< 15) | (product &>> 17)) &* 0x1B87_3593
    }
}
