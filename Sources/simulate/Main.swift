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
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst() {
            guard let value = arguments.popFirst() else { usage("\(name) needs a value") }
            switch name {
            case "--seeds": seeds = number(value, name)
            case "--first": first = number(value, name)
            case "--seed": single = number(value, name)
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
        exit(runMany(first: first, count: seeds, bug: bug) == 0 ? 0 : 1)
    }

    /// Returns the number of seeds that failed.
    private static func runMany(first: UInt64, count: UInt64, bug: PlantedBug?) -> Int {
        let began = ContinuousClock.now
        var failed = 0
        var stopped = 0
        var totals = (events: 0, commits: 0, restores: 0, kills: 0)
        for seed in first..<(first + count) {
            let verdict = Simulation.run(seed: seed, bug: bug)
            totals.events += verdict.events
            totals.commits += verdict.commits
            totals.restores += verdict.restores
            totals.kills += verdict.kills
            if verdict.isStopped { stopped += 1 }
            guard verdict.violation != nil else { continue }
            failed += 1
            if failed <= 20 { print(verdict.description) }
        }
        print(
            "\(count) seeds from \(first): \(failed) failed, \(stopped) stopped for lost input; "
                + "\(totals.kills) kills, \(totals.restores) restores, \(totals.commits) commits, "
                + "\(totals.events) events in \(ContinuousClock.now - began)")
        return failed
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
                usage: tools/simulate [--seeds N] [--first S] [--bug NAME] | --seed S [--bug NAME]

                """.utf8))
        exit(2)
    }
}
