import CPlatform
import Engine
import Foundation
import KafkaIO
import Service
import Synchronization
import TestSupport

/// `crash worker`: runs pipelines as the product does, until it is told to stop or to die.
enum WorkerCommand {
    /// How it ended, for the driver.
    static let failedCode: Int32 = 1
    static let fencedCode: Int32 = 3
    static let lateCode: Int32 = 4

    static func run(_ arguments: inout Arguments) throws {
        tw_configure_allocator()
        let instance = try arguments.option("instance") ?? "crash-0"
        let pace = try arguments.number("pace", default: 0)
        let verifies = arguments.flag("verify")
        let keepsMembership = arguments.flag("keep-membership")
        let orders = try arguments.option("arm")
        var pipelines: [Pipeline] = []
        while let path = arguments.next() {
            pipelines.append(try PipelineReader.read(path: path, catalogue: .standard).pipeline)
        }
        try arguments.finish()

        var signals = sigset_t()
        guard tw_block_termination_signals(&signals) == 0 else {
            throw ToolFailure.running("signals cannot be held back")
        }
        let descriptor = tw_signalfd(&signals)
        let events = EventWriter()
        let trap = CrashTrap(events: events)
        if let orders { trap.arm(CrashTrap.Order(Substring(orders))) }
        let instruments = pipelines.map { _ in
            WorkerInstrument(
                trap: trap, events: events,
                nanosecondsPerRecord: pace > 0 ? 1_000_000_000 / Int64(pace) : 0,
                verifies: verifies)
        }
        events.write("started \(KafkaLibrary.version)")
        obey(trap)
        let printed = ProcessLog.standardError()
        let outcomes = Mutex<[PipelineOutcome]>([])
        let first = pipelines.map(\.name).min()
        let processes = zip(pipelines, instruments).map { pipeline, instrument in
            var options = ProcessOptions()
            options.instanceID = "\(pipeline.name).\(instance)"
            options.decidesReplacement = pipeline.name == first
            options.keepsMembership = keepsMembership
            options.laneCount = 1
            options.snapshotRecordsMax = 1500
            options.instrument = instrument
            let name = pipeline.name
            return PipelineProcess(
                pipeline: pipeline, options: options,
                log: ProcessLog { severity, line in
                    printed.say(severity, "[\(name)] \(line)")
                    instrument.follow(line, of: name)
                })
        }
        for process in processes {
            Thread.detachNewThread {
                let outcome = process.run()
                outcomes.withLock { $0.append(outcome) }
                if outcome != .stopped {
                    printed.say(.error, "[\(process.pipeline.name)] ended: \(outcome)")
                    for other in processes { other.stop() }
                }
            }
        }
        while outcomes.withLock({ $0.count }) < processes.count {
            guard tw_wait_readable(descriptor, 20) == 1, tw_signalfd_next(descriptor) >= 0 else {
                continue
            }
            for instrument in instruments { instrument.noteStopping() }
            for process in processes { process.stop() }
        }
        let ended = outcomes.withLock { $0 }
        let code = ended.map(code(of:)).max() ?? 0
        events.write("ended \(code)")
        _exit(code)
    }

    private static func code(of outcome: PipelineOutcome) -> Int32 {
        switch outcome {
        case .stopped: 0
        case .failed: failedCode
        case .instanceFenced: fencedCode
        case .stoppedLate: lateCode
        }
    }

    /// Takes orders from standard input: `arm POINT:COUNT:DELAY` and `disarm`; ends with its end,
    /// so that no worker survives its driver.
    private static func obey(_ trap: CrashTrap) {
        Thread.detachNewThread {
            while let line = readLine() {
                let words = line.split(separator: " ")
                if words.first == "arm", words.count == 2 {
                    trap.arm(CrashTrap.Order(words[1]))
                } else {
                    trap.arm(nil)
                }
            }
            kill(getpid(), SIGKILL)
        }
    }
}
