import Core
import KafkaIO
import State
import Synchronization

/// Follows how many partitions the input has while the pipeline runs.
///
/// Partitions may be added to a topic at any time. Where the pipeline can take them in, the outputs
/// are grown first and the layout follows; where it cannot, that is said once and the tasks go on
/// with the partitions that they have. A thread of its own asks every ten seconds, because asking
/// blocks while no broker answers; a task that starts asks for itself.
final class InputWatch: Sendable {
    private let topics: PipelineTopics
    private let admin: KafkaAdmin
    private let log: ProcessLog
    private let interval: Int64
    private let ending = ThreadEnd()
    private let current: Mutex<TopicLayout>
    /// Held while asking and growing, so that two threads do not do it at once.
    private let refusedCount = Mutex(0)
    private let failures = ToldOnce()

    /// - Parameter interval: milliseconds between two looks.
    init(
        topics: PipelineTopics, layout: TopicLayout, admin: KafkaAdmin, log: ProcessLog,
        interval: Int64
    ) {
        self.topics = topics
        self.admin = admin
        self.log = log
        self.interval = interval
        current = Mutex(layout)
    }

    /// The layout as last seen; never waits.
    var layout: TopicLayout { current.withLock { $0 } }

    /// Asks the brokers and follows what they say; may wait for some seconds.
    func refresh() throws(KafkaError) -> TopicLayout {
        let answer = refusedCount.withLock { refusedCount in
            Result { () throws(KafkaError) in try follow(&refusedCount) }
        }
        return try answer.get()
    }

    /// - Parameter refusedCount: the number of partitions that was last said to be too large.
    private func follow(_ refusedCount: inout Int) throws(KafkaError) -> TopicLayout {
        let known = layout
        let found = try admin.partitionCount(of: known.inputTopic, milliseconds: 3000)
        // A topic that is gone is told by whoever reads it; a count never shrinks.
        guard let found, found > known.inputPartitions else { return known }
        guard topics.canGrow(known, to: found) else {
            if refusedCount != found {
                refusedCount = found
                log.say(
                    .warning,
                    "topic \(known.inputTopic) has \(found) partitions now, but the number of "
                        + "models is fixed: the pipeline goes on with the first "
                        + "\(known.inputPartitions), and will not start again as it is; "
                        + topics.remedy(known, for: found))
            }
            return known
        }
        try topics.growOutputs(to: found)
        let grown = TopicLayout(
            inputTopic: known.inputTopic, inputPartitions: found, taskCount: known.taskCount)
        current.withLock { $0 = grown }
        log.say(
            .info, "input grown",
            [("topic", known.inputTopic), ("partitions", "\(found)")])
        return grown
    }

    /// The thread's body: looks again and again until stopped, and has others look then, too.
    func run(alongside look: () -> Void) {
        while !ending.isStopping {
            ending.wakeup.wait(milliseconds: interval)
            guard !ending.isStopping else { break }
            do throws(KafkaError) {
                _ = try refresh()
                failures.wentWell()
            } catch {
                tell(error)
            }
            look()
        }
        ending.reached()
    }

    /// Has the thread look now; it may be busy with a question that takes some seconds.
    func hurry() { ending.wakeup.signal() }

    /// An outage is told by the clients; anything else is told once.
    private func tell(_ error: KafkaError) {
        guard error.kind != .unreachable, failures.isNews(error.description) else { return }
        let isRefused = error.kind == .unauthenticated
        log.say(
            .warning,
            isRefused
                ? "Kafka refuses a new connection: \(error); trying again until it does not"
                : "new partitions cannot be taken in: \(error)")
    }

    /// Ends the thread after its current question; false if that takes longer.
    func end(milliseconds: Int64) -> Bool {
        ending.request(milliseconds: milliseconds)
    }
}
