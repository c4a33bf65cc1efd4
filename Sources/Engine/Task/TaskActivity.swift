/// What a step of a task did.
package enum TaskActivity: Equatable, Sendable {
    /// Took this many records.
    case worked(records: Int)
    /// Nothing to read; the inputs' ends are reached.
    case idle
    /// Waits for an input that has not said how far it goes, so that the time order is kept.
    case waiting
    /// Holds as much uncommitted output as it may, until the commit under way is done.
    case blocked
}
