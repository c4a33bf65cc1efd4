package import State

/// What is known of a task's last transaction besides its journal and the group's offsets; looked
/// for where those two differ.
package struct CommitEvidence: Sendable, Equatable {
    /// The furthest committed output of an input in one partition of a topic.
    package struct Output: Sendable, Equatable {
        package let place: TopicPartition
        package let input: TopicPartition
        /// The offset after the last input record that the output tells of.
        package let nextOffset: Int64

        package init(place: TopicPartition, input: TopicPartition, nextOffset: Int64) {
            self.place = place
            self.input = input
            self.nextOffset = nextOffset
        }
    }

    /// For each input the number of the entry that its offset was committed with; `nil` where no task
    /// committed it.
    package let sequences: [UInt64?]
    package let outputs: [Output]
    /// Why there may be committed outputs besides these; `nil` if there are none.
    package let doubt: String?

    package init(sequences: [UInt64?], outputs: [Output], doubt: String? = nil) {
        self.sequences = sequences
        self.outputs = outputs
        self.doubt = doubt
    }
}
