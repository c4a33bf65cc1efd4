/// What an assignment gave a member: the right to commit offsets under it.
struct Membership: Equatable {
    let instance: Int
    let memberID: Int
    let generation: Int32
}

/// The coordinator of the pipeline's group: static members, generations, range assignment of the
/// journal's partitions, offsets.
final class SimulatedGroup {
    private struct Member {
        let instance: Int
        var memberID: Int
        var lastSeen: Int64
        var hasJoined: Bool
    }

    enum JoinAnswer {
        case joined(Membership, tasks: [Int])
        case waiting(memberID: Int)
        case refused(Refusal)
    }

    enum HeartbeatAnswer {
        case fine
        case rebalancing
        case refused(Refusal)
    }

    private struct Pending {
        let position: Int
        let offset: Int64
        let sequence: UInt64
    }

    private unowned let world: World
    private let taskCount: Int
    private let session: Int64
    private let rebalanceLimit: Int64
    private var members: [Member] = []
    private var nextMemberID = 1
    private(set) var generation: Int32 = 0
    /// When a rebalance under way goes on without those that have not joined.
    private var rebalanceEnd: Int64?
    /// By input partition.
    private(set) var offsets: [Int: Int64] = [:]
    private var pending: [Int: [Pending]] = [:]
    private var epochs: [Int: Int] = [:]
    /// Told of offsets that become visible: partition, offset before, offset, sequence.
    var onOffset: (Int, Int64?, Int64, UInt64) -> Void = { _, _, _, _ in }

    init(world: World, taskCount: Int, session: Int64, rebalanceLimit: Int64) {
        self.world = world
        self.taskCount = taskCount
        self.session = session
        self.rebalanceLimit = rebalanceLimit
    }

    // MARK: Membership

    func join(instance: Int, memberID: Int?) -> JoinAnswer {
        guard let place = members.firstIndex(where: { $0.instance == instance }) else {
            if memberID != nil { return .refused(.unknownMember) }
            members.append(
                Member(
                    instance: instance, memberID: nextMemberID, lastSeen: world.now,
                    hasJoined: true))
            members.sort { $0.instance < $1.instance }
            nextMemberID += 1
            startRebalance()
            return answer(instance)
        }
        if let memberID {
            guard members[place].memberID == memberID else { return .refused(.instanceFenced) }
        } else {
            // A restarted static member takes its predecessor's place.
            members[place].memberID = nextMemberID
            nextMemberID += 1
        }
        members[place].lastSeen = world.now
        if rebalanceEnd != nil { members[place].hasJoined = true }
        return answer(instance)
    }

    private func answer(_ instance: Int) -> JoinAnswer {
        finishRebalance()
        guard let member = members.first(where: { $0.instance == instance }) else {
            return .refused(.unknownMember)
        }
        guard rebalanceEnd == nil else { return .waiting(memberID: member.memberID) }
        return .joined(
            Membership(instance: instance, memberID: member.memberID, generation: generation),
            tasks: tasks(of: instance))
    }

    func heartbeat(_ membership: Membership) -> HeartbeatAnswer {
        guard let place = members.firstIndex(where: { $0.instance == membership.instance }) else {
            return .refused(.unknownMember)
        }
        guard members[place].memberID == membership.memberID else {
            return .refused(.instanceFenced)
        }
        members[place].lastSeen = world.now
        return rebalanceEnd != nil || membership.generation != generation ? .rebalancing : .fine
    }

    /// Whether the group knows the member.
    func isMember(_ membership: Membership?) -> Bool {
        members.contains {
            $0.instance == membership?.instance && $0.memberID == membership?.memberID
        }
    }

    func leave(_ membership: Membership) {
        guard
            let place = members.firstIndex(where: {
                $0.instance == membership.instance && $0.memberID == membership.memberID
            })
        else { return }
        members.remove(at: place)
        startRebalance()
        finishRebalance()
    }

    /// Makes everybody join again, as a change of the subscription does.
    func startRebalance() {
        guard rebalanceEnd == nil else { return }
        rebalanceEnd = world.now + rebalanceLimit
        for place in members.indices { members[place].hasJoined = false }
    }

    /// Drops members whose session is over and ends a rebalance that waited long enough.
    func expire() {
        let count = members.count
        let now = world.now
        members.removeAll { now - $0.lastSeen > session }
        if members.count != count {
            world.note(.expired, -1, members.count)
            startRebalance()
        }
        if let end = rebalanceEnd, now >= end {
            members.removeAll { !$0.hasJoined }
        }
        finishRebalance()
    }

    private func finishRebalance() {
        guard rebalanceEnd != nil, members.allSatisfy(\.hasJoined) else { return }
        rebalanceEnd = nil
        generation += 1
        world.note(.generation, Int(generation), members.count)
    }

    /// `range`: members in the order of their instance ids.
    private func tasks(of instance: Int) -> [Int] {
        guard let place = members.firstIndex(where: { $0.instance == instance }) else { return [] }
        let each = taskCount / members.count
        let more = taskCount % members.count
        let first = place * each + min(place, more)
        return Array(first..<(first + each + (place < more ? 1 : 0)))
    }

    // MARK: Offsets

    /// Keeps offsets until the producer's transaction ends.
    ///
    /// - Parameter membership: Checked against the group; `nil` is not checked, as with an empty
    ///   member id.
    func commit(
        _ offsets: [(partition: Int, offset: Int64)], sequence: UInt64, producer id: Int,
        epoch: Int, membership: Membership?
    ) -> Result<Void, Refusal> {
        if let membership {
            guard let member = members.first(where: { $0.instance == membership.instance }) else {
                return .failure(.unknownMember)
            }
            guard member.memberID == membership.memberID else { return .failure(.instanceFenced) }
            guard membership.generation == generation else { return .failure(.illegalGeneration) }
        }
        if let known = epochs[id], epoch < known { return .failure(.fenced) }
        epochs[id] = epoch
        // A later one for the same partition takes the place of what an earlier request left.
        pending[id, default: []].removeAll { old in
            offsets.contains { $0.partition == old.position }
        }
        pending[id, default: []] += offsets.map {
            Pending(position: $0.partition, offset: $0.offset, sequence: sequence)
        }
        world.note(.offsetsKept, id, epoch, Int(sequence))
        return .success(())
    }

    /// The marker of the producer's transaction arrives.
    func endTransaction(_ id: Int, epoch: Int, commits: Bool) {
        if let known = epochs[id], epoch < known { return }
        epochs[id] = epoch
        let ended = pending.removeValue(forKey: id) ?? []
        guard commits else { return }
        for entry in ended { show(entry) }
    }

    /// Commits offsets at once, outside any transaction.
    func commitPlainly(_ offsets: [(partition: Int, offset: Int64)], sequence: UInt64) {
        for entry in offsets {
            show(Pending(position: entry.partition, offset: entry.offset, sequence: sequence))
        }
    }

    private func show(_ entry: Pending) {
        world.note(.offsetsShown, entry.position, Int(entry.offset), Int(entry.sequence))
        onOffset(entry.position, offsets[entry.position], entry.offset, entry.sequence)
        offsets[entry.position] = entry.offset
    }
}
