// Method: rebalances in the orders in which one poll can tell them; what is left to follow must be the
// last assignment, if it still holds, and everything that is none.
import KafkaIO
import Testing

@testable import Service

@Suite("Rebalances told in one poll")
struct PendingMembershipTests {
    private func assigned(_ tasks: [Int32]) -> MemberEvent {
        .assigned(journalPartitions: tasks, token: GroupToken(groupID: "group"))
    }

    /// The tasks of each assignment that is left.
    private func assignments(after events: [MemberEvent]) -> [[Int32]] {
        var pending = PendingMembership()
        for event in events { pending.add(event) }
        return pending.events.compactMap { event in
            if case .assigned(let tasks, _) = event { tasks } else { nil }
        }
    }

    @Test("an assignment that ended before it was followed is forgotten")
    func overtaken() {
        #expect(assignments(after: [assigned([0, 1, 2, 3])]) == [[0, 1, 2, 3]])
        #expect(
            assignments(after: [assigned([0, 1, 2, 3]), .revoked, assigned([0, 1])]) == [[0, 1]])
        #expect(assignments(after: [assigned([0]), .lost, assigned([])]) == [[]])
        #expect(assignments(after: [assigned([0]), .revoked]).isEmpty)
        #expect(assignments(after: [.revoked, assigned([2])]) == [[2]])
    }

    @Test("what is no assignment is kept, in order")
    func others() {
        var pending = PendingMembership()
        pending.add(.instanceFenced("another"))
        pending.add(assigned([0]))
        pending.add(.lost)
        #expect(pending.events.count == 1)
        if case .instanceFenced(let reason)? = pending.events.first {
            #expect(reason == "another")
        } else {
            Issue.record("the fencing was forgotten")
        }
    }
}
