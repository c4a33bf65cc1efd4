import Core

/// The hash of stored bytes.
package func contentHash(of bytes: [UInt8]) -> UInt64 {
    var hash = ContentHash()
    hash.combine(bytes.span)
    return hash.value
}

extension StateEncoder {
    /// Everything written, closed by a hash over all of it.
    consuming func sealed() -> [UInt8] {
        write(contentHash(of: bytes))
        return finish()
    }
}

extension StateDecoder {
    /// Checks that what follows is the end and the hash of all before it.
    ///
    /// - Parameter bytes: All that the decoder was made from.
    mutating func checkSeal(of bytes: [UInt8]) throws(StateError) {
        let stored = try readUInt64()
        try finish()
        guard stored == contentHash(of: Array(bytes.dropLast(8))) else { throw .hashMismatch }
    }
}
