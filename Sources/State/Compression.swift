import CZstd
package import Core

/// Zstandard at its fastest level: a snapshot's chunks.
package enum Compression {
    private static let level: Int32 = 1

    /// A frame that holds a part of `bytes`.
    package static func compress(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
        let bound = ZSTD_compressBound(range.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            // Safety: the target has the room that the library asks for; the source stands.
            unsafe bytes.withUnsafeBytes { source in
                let piece = unsafe UnsafeRawBufferPointer(rebasing: source[range])
                count = unsafe ZSTD_compress(
                    target.baseAddress, target.count, piece.baseAddress, piece.count, level)
            }
            let failed = ZSTD_isError(count)
            precondition(failed == 0, "compressing into a buffer of the right size fails")
        }
    }

    /// Takes a frame apart and appends its content of at most `limit` bytes.
    package static func decompress(
        _ frame: [UInt8], limit: Int, into bytes: inout [UInt8]
    ) throws(StateError) {
        var failed = false
        let content = unsafe [UInt8](unsafeUninitializedCapacity: limit) { target, count in
            // Safety: the library writes at most `limit` bytes, and reads the frame alone.
            unsafe frame.withUnsafeBytes { source in
                count = unsafe ZSTD_decompress(
                    target.baseAddress, limit, source.baseAddress, source.count)
            }
            if ZSTD_isError(count) != 0 {
                failed = true
                count = 0
            }
        }
        if failed { throw .invalidValue("a chunk is no Zstandard frame of the right size") }
        bytes += content
    }
}
