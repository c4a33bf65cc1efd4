import Foundation

/// How long tasks stood still, by what was done to them.
struct Stalls {
    private struct Pending {
        let kind: String
        let start: Int64
        var tasks: Set<TaskID>
        var isAlone: Bool
    }

    private var pending: [Pending] = []
    /// Milliseconds of faults that met a run without other trouble.
    private(set) var alone: [String: [Double]] = [:]
    /// Milliseconds of faults that came while another was not over.
    private(set) var overlapping: [String: [Double]] = [:]

    /// A fault met these tasks.
    mutating func begin(_ kind: String, at start: Int64, tasks: Set<TaskID>) {
        guard !tasks.isEmpty else { return }
        let isAlone = pending.isEmpty
        for index in pending.indices { pending[index].isAlone = false }
        pending.append(Pending(kind: kind, start: start, tasks: tasks, isAlone: isAlone))
    }

    /// A commit with predictions was done.
    mutating func end(_ task: TaskID, at time: Int64) {
        for index in pending.indices
        where time > pending[index].start && pending[index].tasks.remove(task) != nil {
            let milliseconds = Double(time - pending[index].start) * 1e-6
            let kind = pending[index].kind
            if pending[index].isAlone {
                alone[kind, default: []].append(milliseconds)
            } else {
                overlapping[kind, default: []].append(milliseconds)
            }
        }
        pending.removeAll { $0.tasks.isEmpty }
    }

    /// The quantile of sorted values.
    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }
}
