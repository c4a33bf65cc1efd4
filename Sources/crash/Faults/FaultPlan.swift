import Core

/// One thing that is done to a run.
enum Fault: Equatable, Sendable {
    /// kill -9 at a random moment, and a restart at once or after the session is over.
    case kill(restartsAtOnce: Bool)
    /// kill -9 of itself at a named point.
    case point
    /// SIGSTOP past the session timeout, and back.
    case pause
    case plannedStop
    case sameInstance
    case broker
    case coordinator
    case network
    case addProcess
    case removeProcess

    /// How tables call it.
    var name: String {
        switch self {
        case .kill(true): "kill, restart at once"
        case .kill(false): "kill, restart later"
        case .point: "kill at a point"
        case .pause: "pause past the session"
        case .plannedStop: "planned stop"
        case .sameInstance: "same instance id"
        case .broker: "broker killed"
        case .coordinator: "coordinator killed"
        case .network: "network"
        case .addProcess: "process added"
        case .removeProcess: "process removed"
        }
    }
}

/// The faults of a phase in their order, from a seed.
enum FaultPlan {
    /// - Parameter others: how many of each fault that is no kill.
    static func make(
        kills: Int, others: Int, groups: Set<FaultGroup>, hasPoints: Bool, nodes: Int,
        random: inout SplitMix64
    ) -> [Fault] {
        var faults: [Fault] = []
        if groups.contains(.kill) {
            // A fifth at random moments, the others at the points with the fewest hits so far.
            let atPoints = hasPoints ? kills * 4 / 5 : 0
            faults += [Fault](repeating: .point, count: atPoints)
            for index in atPoints..<kills {
                faults.append(.kill(restartsAtOnce: index % 5 != 0))
            }
        }
        var each: [Fault] = []
        if groups.contains(.stop) { each += [.pause, .plannedStop, .sameInstance] }
        if groups.contains(.broker) { each += [.broker] + (nodes > 1 ? [.coordinator] : []) }
        if groups.contains(.network) { each += [.network] }
        for fault in each { faults += [Fault](repeating: fault, count: others) }
        if groups.contains(.rebalance) {
            faults += [Fault](repeating: .addProcess, count: others)
            faults += [Fault](repeating: .removeProcess, count: others)
        }
        return shuffled(faults, &random)
    }

    private static func shuffled<Element>(
        _ elements: [Element], _ random: inout SplitMix64
    ) -> [Element] {
        var mixed = elements
        for index in mixed.indices.dropFirst().reversed() {
            mixed.swapAt(index, random.next(below: index + 1))
        }
        return mixed
    }
}
