package import Core

/// Turns input records into output records, and learns from them: the whole state of a task.
///
/// A pure function of the records in their order: where batches are cut changes nothing. The task
/// around it moves records, forms commits and replays; it does not know what is learned.
package protocol BatchProcessor: AnyObject {
    /// The pipeline version: what the state depends on besides the records.
    var fingerprint: UInt64 { get }
    /// Memory of the state, in bytes.
    var stateBytes: Int { get }

    /// Takes records in order and appends what they lead to.
    ///
    /// - Parameter headers: The headers of a record by its index in `records`; asked for dead
    ///   letters only.
    func process(
        _ records: Span<RawRecord>, headers: (Int) -> [OutputHeader],
        into output: inout OutputBuffer
    ) throws(TaskFailure)

    /// Writes the complete state.
    func encodeState(to encoder: inout StateEncoder)
}
