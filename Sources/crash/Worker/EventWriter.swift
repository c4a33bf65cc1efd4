import CPlatform
import Foundation

/// Tells the driver what happens, a line each on standard output, with the monotonic time.
struct EventWriter: Sendable {
    /// One write for a line, so that lines of several threads do not mix and survive a kill.
    func write(_ text: String) {
        let bytes = Array("\(tw_monotonic_nanoseconds()) \(text)\n".utf8)
        _ = bytes.withUnsafeBytes { Foundation.write(1, $0.baseAddress, $0.count) }
    }
}
