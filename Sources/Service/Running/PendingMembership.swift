import KafkaIO

/// What a poll of the membership has told, to be followed after it.
struct PendingMembership {
    private(set) var events: [MemberEvent] = []

    /// Adds an event in the order of its coming.
    ///
    /// One poll may tell of several rebalances. An assignment that ended before it was followed is
    /// forgotten: its tasks are another process's by now, and starting them would fence that process
    /// again and again.
    mutating func add(_ event: MemberEvent) {
        switch event {
        case .assigned, .instanceFenced, .failed:
            events.append(event)
        case .revoked, .lost:
            events.removeAll { event in
                if case .assigned = event { true } else { false }
            }
        }
    }
}
