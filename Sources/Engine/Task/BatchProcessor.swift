package import Core
import State

/// Turns input records into output records, and learns from them: the whole state of a task.
///
/// A pure function of the records in their order: where batches are cut changes nothing. The task
/// around it moves records, forms commits and replays; it does not know what is learned.
package protocol BatchProcessor: AnyObject {
    /// The pipeline version: what the state depends on besides the records.
    var fingerprint: UInt64 { get }
    /// The version of the state: a task whose journal has an earlier one begins anew where that
    /// ends.
    var version: UInt32 { get }
    /// The settings that the state depends on or that say what is done with it, for whoever
    /// compares them with another pipeline file's.
    var settings: [TextPair] { get }
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

    /// The complete state as a value of its own: learning on does not change it.
    ///
    /// Cheap whatever the state's size: memory is shared until it is written to.
    func captureState() -> any StateCapture

    /// Continues from what a capture wrote, which is everything that the decoder has left; after an
    /// error the state is what it was before.
    func restoreState(from decoder: inout StateDecoder) throws(StateError)
}

extension BatchProcessor {
    /// Writes the complete state.
    package func encodeState(to encoder: inout StateEncoder) {
        captureState().encode(to: &encoder)
    }

    /// The hash of the complete state.
    package func stateHash() -> UInt64 {
        var encoder = StateEncoder(capacity: stateBytes)
        encodeState(to: &encoder)
        return contentHash(of: encoder.finish())
    }

    /// The hash of what was learned.
    package func learnedHash() -> UInt64 {
        var encoder = StateEncoder(capacity: stateBytes)
        captureState().encodeLearned(to: &encoder)
        return contentHash(of: encoder.finish())
    }
}

/// The state of a task at one moment, to be written by another thread while the task learns on.
package protocol StateCapture: Sendable {
    /// About how many bytes ``encode(to:)`` writes.
    var stateBytes: Int { get }
    /// Writes the complete state.
    func encode(to encoder: inout StateEncoder)
    /// Writes what predictions depend on: the state without what measures and reports them.
    func encodeLearned(to encoder: inout StateEncoder)
}

extension StateCapture {
    package func encodeLearned(to encoder: inout StateEncoder) { encode(to: &encoder) }
}
