/// Why stored state could not be read.
package enum StateError: Error, Equatable {
    /// The bytes ended before the value did.
    case truncated
    /// A section began with another name than the reader expects.
    case unexpectedSection(expected: String, found: String)
    /// The section was written in a format that this program does not know.
    case unsupportedVersion(section: String, version: Int)
    /// A value is outside of what its reader allows.
    case invalidValue(String)
    /// Bytes follow the last value.
    case trailingBytes(Int)
    /// The stored hash differs from that of the bytes.
    case hashMismatch
}
