/// What a group has committed for a partition.
package struct CommittedOffset: Sendable, Equatable {
    /// The next offset to be read; −1 where nothing is committed.
    package let offset: Int64
    /// The text that was committed with it.
    package let metadata: String

    private static let sequencePrefix = "seq="

    package init(offset: Int64, metadata: String = "") {
        self.offset = offset
        self.metadata = metadata
    }

    /// What a task commits its offsets with: the number of the commit's journal entry.
    static func metadata(sequence: UInt64) -> String { "\(sequencePrefix)\(sequence)" }

    /// The number of the commit's journal entry; `nil` where no task committed the offset.
    package var sequence: UInt64? {
        guard metadata.hasPrefix(Self.sequencePrefix) else { return nil }
        return UInt64(metadata.dropFirst(Self.sequencePrefix.count))
    }
}
