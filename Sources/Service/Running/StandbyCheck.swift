import Engine
import KafkaIO
import State
import Synchronization

/// Whether a process that stands by could take over, as far as the journal's last entry tells.
///
/// Whoever stands by restores nothing, so a file that makes another model would be refused when it
/// is needed, and not before. The thread that looks for new partitions asks, once for each time that
/// the process is left without a task.
final class StandbyCheck: Sendable {
    private let pipeline: Pipeline
    private let tail: JournalTail
    private let log: ProcessLog
    private let isWanted = Atomic<Bool>(false)
    private let refusals = ToldOnce()

    init(_ pipeline: Pipeline, tail: JournalTail, log: ProcessLog) {
        self.pipeline = pipeline
        self.tail = tail
        self.log = log
    }

    /// The process stands by; never waits.
    func request() { isWanted.store(true, ordering: .relaxed) }

    /// Asks the brokers, if that was requested; may wait for some seconds.
    func look() {
        guard isWanted.exchange(false, ordering: .relaxed) else { return }
        let journal = TopicPartition(topic: pipeline.output.journalTopic, partition: 0)
        // What cannot be read is told by whoever restores it.
        guard let last = try? tail.lastEntry(of: journal) else { return }
        let stored = ChangeReport.Stored(
            version: last.version, fingerprint: last.fingerprint,
            numericsVersion: last.numericsVersion, settings: nil)
        guard case .refused(let why) = ChangeReport(pipeline, stored: stored).verdict else {
            return
        }
        guard refusals.isNews(why) else { return }
        log.say(.warning, "this process stands by, but could not take over: \(why)")
    }
}
