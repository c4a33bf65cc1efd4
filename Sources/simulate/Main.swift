import Foundation
import Simulation
import TestSupport

/// Runs simulations by seed: many of them, or one again with everything that happened in it.
@main
enum Main {
    private static let help = """
        simulate [--seeds 1000] [--first 1] [--bug NAME|all]
            runs the engine on a simulated cluster once for each seed; prints the seeds that fail
        simulate --seed S [--bug NAME]
            one again, with everything that happened in it

            --bug NAME    with a planted mistake, to see it found
            --bug all     the share of the seeds that find each planted mistake

        Exit code: 0 no seed failed (--bug all: every mistake was found); 1 otherwise; 2 bad usage.
        """

    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.contains(where: { ["help", "--help", "-h"].contains($0) }) {
            print(help)
            return
        }
        var arguments = Arguments(words)
        do {
            exit(try run(&arguments) ? 0 : 1)
        } catch {
            FileHandle.standardError.write(Data("simulate: \(error)\n".utf8))
            exit(2)
        }
    }

    /// Whether everything was as it must be.
    private static func run(_ arguments: inout Arguments) throws -> Bool {
        let count = UInt64(try arguments.number("seeds", default: 1000))
        let first = UInt64(try arguments.number("first", default: 1))
        let single = try arguments.number("seed", default: -1)
        let name = try arguments.option("bug")
        try arguments.finish()
        let bug = name.flatMap { PlantedBug(rawValue: $0) }
        if let name, name != "all", bug == nil {
            let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
            throw ToolFailure.usage(
                "--bug: there is no planted mistake \(name); there are: \(names)")
        }
        if single >= 0 {
            let verdict = Simulation.run(seed: UInt64(single), bug: bug, keepsTrace: true)
            for line in verdict.trace { print(line) }
            print(verdict.description)
            print("trace hash \(String(verdict.traceHash, radix: 16))")
            return verdict.violation == nil
        }
        if name == "all" { return tellShares(first: first, count: count) }
        return runMany(first: first, count: count, bug: bug) == 0
    }

    /// Returns the number of seeds that failed.
    private static func runMany(first: UInt64, count: UInt64, bug: PlantedBug?) -> Int {
        let began = ContinuousClock.now
        var told = began
        var failed = 0
        var totals = Totals()
        for seed in first..<(first + count) {
            let verdict = Simulation.run(seed: seed, bug: bug)
            totals.add(verdict)
            if verdict.violation != nil {
                failed += 1
                if failed <= 20 { print(verdict.description) }
                // What was found is told even if the process is killed.
                fflush(nil)
            }
            let now = ContinuousClock.now
            if now - told >= .seconds(10) {
                told = now
                tellProgress(done: seed - first + 1, of: count, failed: failed, in: now - began)
            }
        }
        let time = ContinuousClock.now - began
        print("\(count) seeds from \(first): \(failed) failed; \(totals.text) in \(time)")
        return failed
    }

    private static func tellProgress(
        done: UInt64, of count: UInt64, failed: Int, in time: Duration
    ) {
        let left = time / Int(done) * Int(count - done)
        FileHandle.standardError.write(
            Data(
                "\(done) of \(count) seeds, \(failed) failed, \(left.components.seconds) s left\n"
                    .utf8))
    }

    /// What happened in all simulations together.
    private struct Totals {
        private var kills = 0
        private var restores = 0
        private var snapshotRestores = 0
        private var fallbacks = 0
        private var resumed = 0
        private var snapshots = 0
        private var commits = 0
        private var stopped = 0

        mutating func add(_ verdict: Verdict) {
            kills += verdict.kills
            restores += verdict.restores
            snapshotRestores += verdict.snapshotRestores
            fallbacks += verdict.fallbacks
            resumed += verdict.resumed
            snapshots += verdict.snapshots
            commits += verdict.commits
            if verdict.isStopped { stopped += 1 }
        }

        var text: String {
            "\(kills) kills, \(restores) restores (\(snapshotRestores) from snapshots, "
                + "\(fallbacks) with something skipped), \(resumed) tasks kept across rebalances, "
                + "\(snapshots) snapshots, \(commits) commits; \(stopped) stopped for loss"
        }
    }

    /// Prints for each planted mistake in how many of the seeds it is found; false if one is not.
    private static func tellShares(first: UInt64, count: UInt64) -> Bool {
        var areAllFound = true
        for bug in PlantedBug.allCases {
            var found = 0
            var firstFound: UInt64?
            for seed in first..<(first + count)
            where Simulation.run(seed: seed, bug: bug).violation != nil {
                found += 1
                firstFound = firstFound ?? seed
            }
            let tenths = (1000 * found + Int(count) / 2) / Int(count)
            print(
                "\(bug): \(found) of \(count) (\(tenths / 10).\(tenths % 10) %), first "
                    + (firstFound.map { "\($0)" } ?? "none"))
            fflush(nil)
            if firstFound == nil { areAllFound = false }
        }
        return areAllFound
    }
}
