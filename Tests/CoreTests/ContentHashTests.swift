// Method: beside the same hash written plainly, byte by byte, for contents of every length around the
// words that it reads at once.
import Core
import Testing

@Suite("Content hash")
struct ContentHashTests {
    /// The definition: words in little-endian order, the last one filled with zeros, then the length.
    private func plain(_ contents: [[UInt8]], seed: UInt64) -> UInt64 {
        var hash = ContentHash(seed: seed)
        for content in contents {
            var start = 0
            while start + 8 <= content.count {
                hash.combine(
                    content[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
                start += 8
            }
            hash.combine(content[start...].reversed().reduce(0) { $0 << 8 | UInt64($1) })
            hash.combine(UInt64(content.count))
        }
        return hash.value
    }

    @Test("bytes of every length hash as their words do")
    func lengths() {
        var random = SplitMix64(seed: 11)
        for count in 0...40 {
            let content = (0..<count).map { _ in UInt8(random.next(below: 256)) }
            var hash = ContentHash(seed: 5)
            hash.combine(content.span)
            hash.combine(content.reversed().span)
            #expect(hash.value == plain([content, content.reversed()], seed: 5), "\(count) bytes")
        }
    }
}
