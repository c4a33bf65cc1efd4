import KafkaIO
import State
import Synchronization

/// Looks whether the newest snapshots of this process's tasks still stand in the state topic.
///
/// Who deletes or empties that topic takes away what a restart needs. As long as the models live in
/// this process, they are stored anew; a process that ended without would have lost them. The
/// thread that looks for new partitions does it, because asking blocks while no broker answers.
final class SnapshotWatch: Sendable {
    private let topics: PipelineTopics
    private let admin: KafkaAdmin
    private let topic: String
    private let taskCount: Int
    private let log: ProcessLog
    private let gauges = Mutex<[Int: TaskGauge]>([:])
    private let lost = Mutex<[Int]>([])
    private let saidLost = Mutex<Set<Int>>([])
    private let failures = ToldOnce()
    /// Looks that began, and of those that were answered the last.
    private let looks = Mutex<(begun: Int, answered: Int)>((0, 0))

    init(topics: PipelineTopics, topic: String, taskCount: Int, admin: KafkaAdmin, log: ProcessLog)
    {
        self.topics = topics
        self.topic = topic
        self.taskCount = taskCount
        self.admin = admin
        self.log = log
    }

    /// The live tasks of this process; never waits.
    func follow(_ live: [Int: TaskGauge]) { gauges.withLock { $0 = live } }

    /// The tasks whose snapshots were found to be gone since the last call; never waits.
    func takeLost() -> [Int] {
        lost.withLock { lost in
            defer { lost.removeAll() }
            return lost
        }
    }

    /// The number of looks that have begun so far.
    var begunLooks: Int { looks.withLock { $0.begun } }

    /// Whether a look that began after so many others was answered.
    func isAnswered(after count: Int) -> Bool { looks.withLock { $0.answered > count } }

    /// Whether the snapshot of a task was gone at the last look.
    func isLost(_ task: Int) -> Bool { saidLost.withLock { $0.contains(task) } }

    /// Asks the brokers; may wait for some seconds.
    func look() {
        let number = looks.withLock { looks in
            looks.begun += 1
            return looks.begun
        }
        let watched = gauges.withLock { $0 }
        do throws(KafkaError) {
            if !watched.isEmpty { follow(try missing(watched), of: watched) }
            failures.wentWell()
            looks.withLock { $0.answered = number }
        } catch {
            tell(error)
        }
    }

    /// The tasks whose live snapshot does not stand where its journal says, in ascending order.
    private func missing(_ watched: [Int: TaskGauge]) throws(KafkaError) -> [Int] {
        // A broker that starts may not know the topic yet: what tells is what stands in it.
        if try admin.partitionCount(of: topic, milliseconds: 3000) == nil {
            try topics.ensureState(tasks: taskCount)
        }
        var missing: [Int] = []
        for (task, gauge) in watched.sorted(by: { $0.key < $1.key }) {
            guard let live = gauge.live else { continue }
            let place = TopicPartition(topic: topic, partition: Int32(task))
            let ends = try admin.watermarks(of: place, milliseconds: 3000)
            guard ends.low > live.firstChunkOffset || ends.high <= live.indexOffset else {
                continue
            }
            // While the brokers were asked, the next one may have taken its place.
            if gauge.live == live { missing.append(task) }
        }
        return missing
    }

    private func follow(_ missing: [Int], of watched: [Int: TaskGauge]) {
        lost.withLock { $0 = missing }
        let (new, stored) = saidLost.withLock { said in
            let now = Set(missing)
            defer { said = now }
            return (
                missing.filter { !said.contains($0) },
                said.subtracting(now).filter { watched[$0] != nil }.sorted()
            )
        }
        for task in new {
            log.say(
                .warning,
                "the snapshot is gone, because topic \(topic) was deleted or emptied; the model is "
                    + "stored anew: let the process run until then", [("task", "\(task)")])
        }
        for task in stored {
            log.say(.info, "the model is stored again", [("task", "\(task)")])
        }
    }

    /// Outages and refused connections are told by others; anything else is told once.
    private func tell(_ error: KafkaError) {
        guard error.kind != .unreachable, error.kind != .unauthenticated,
            failures.isNews(error.description)
        else { return }
        log.say(
            .warning,
            "it is not known whether the snapshots are still there: \(error); let the process "
                + "run until then")
    }
}
