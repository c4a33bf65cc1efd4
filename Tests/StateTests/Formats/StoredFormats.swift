/// Encoded values as other versions of this program left them on a disk: as hexadecimal text, made
/// once by an independent program, and never made anew. Each must stay readable.
enum StoredFormats {
    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }.utf8.compactMap {
            UInt8(String(UnicodeScalar($0)), radix: 16)
        }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
