import Foundation
import Simulation

/// Runs simulations by seed: many of them, or one again with everything that happened in it.
@main
enum Main {
    static func main() {
        var seeds: UInt64 = 1000
        var first: UInt64 = 1
        var single: UInt64?
        var bug: PlantedBug?
        var isEveryBug = false
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst() {
            guard let value = arguments.popFirst() else { usage("\(name) needs a value") }
            switch name {
            case "--seeds": seeds = number(value, name)
            case "--first": first = number(value, name)
            case "--seed": single = number(value, name)
            case "--bug" where value == "all": isEveryBug = true
            case "--bug":
                guard let known = PlantedBug(rawValue: value) else {
                    let names = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
                    usage("no planted bug \(value); there are: \(names)")
                }
                bug = known
            default: usage("unknown option \(name)")
            }
        }
        if let single {
            let verdict = Simulation.run(seed: single, bug: bug, keepsTrace: true)
            for line in verdict.trace { print(line) }
            print(verdict.description)
            print("trace hash \(String(verdict.traceHash, radix: 16))")
            exit(verdict.violation == nil ? 0 : 1)
        }
        if isEveryBug { exit(tellShares(first: first, count: seeds) ? 0 : 1) }
        exit(runMany(first: first, count: seeds, bug: bug) == 0 ? 0 : 1)
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
            if firstFound == nil { areAllFound = false }
        }
        return areAllFound
    }

    private static func number(_ text: String, _ name: String) -> UInt64 {
        guard let value = UInt64(text) else { usage("\(name): \(text) is no number") }
        return value
    }

    private static func usage(_ problem: String) -> Never {
        FileHandle.standardError.write(
            Data(
                """
                simulate: \(problem)
                usage: tools/simulate [--seeds N] [--first S] [--bug NAME|all] | --seed S [--bug NAME]

                """.utf8))
        exit(2)
    }
}
