import Synchronization

/// Remembers what was last told of something that is tried again and again, so that each trouble is
/// told once. Any thread.
final class ToldOnce: Sendable {
    private let last = Mutex<String?>(nil)

    /// Whether this differs from what was told last, and so is to be told.
    func isNews(_ trouble: String) -> Bool {
        last.withLock { last in
            defer { last = trouble }
            return last != trouble
        }
    }

    /// It went well: the same trouble would be news again.
    func wentWell() { last.withLock { $0 = nil } }
}
