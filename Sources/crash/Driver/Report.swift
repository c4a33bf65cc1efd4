import Foundation
import TestSupport

/// What a run found, as tables and as a line of JSON.
struct Report {
    private let settings: CrashSettings
    private let phases: [Phase]

    init(settings: CrashSettings, phases: [Phase]) {
        self.settings = settings
        self.phases = phases
    }

    func write() throws {
        printFaults()
        printPoints()
        printStalls()
        printComparisons()
        for phase in phases {
            for finding in phase.fleet.findings { print("FOUND (\(phase.name)): \(finding)\n") }
            for check in phase.verifications {
                for problem in check.problems {
                    print("FOUND (\(check.name)): \(problem)")
                }
                for example in check.comparison.examples { print("  \(example)") }
            }
        }
        print(phases.allSatisfy(\.isClean) ? "\nNothing lost, doubled or changed." : "\nFAILED")
        let line = json()
        print(line)
        fflush(nil)
        guard let path = settings.jsonPath else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { throw ToolFailure.running("cannot write \(path)") }
        defer { close(descriptor) }
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    }

    // MARK: Sums over the phases

    private func sum(_ part: (Phase) -> [String: Int]) -> [String: Int] {
        phases.map(part).reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
    }

    private func joined(_ part: (Phase) -> [String: [Double]]) -> [String: [Double]] {
        phases.map(part).reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
    }

    private var deaths: [String: Int] { sum { $0.fleet.deaths } }
    private var kills: Int {
        let counts = sum { $0.counts }
        let fromOutside = counts.filter { $0.key.hasPrefix("kill, ") }.values.reduce(0, +)
        return fromOutside + deaths.values.reduce(0, +)
    }

    private var libraries: String {
        phases.reduce(into: Set<String>()) { $0.formUnion($1.fleet.libraries) }.sorted()
            .joined(separator: ", ")
    }

    private func total(_ part: (Fleet) -> Int) -> Int {
        phases.reduce(0) { $0 + part($1.fleet) }
    }

    // MARK: Tables

    private func printFaults() {
        print("\n| fault | times |\n|---|---:|")
        for (name, count) in sum({ $0.counts }).sorted(by: { $0.key < $1.key }) {
            print("| \(name) | \(count) |")
        }
        print("\nkill -9 in all: \(kills); librdkafka \(libraries)")
        print(
            "restores: \(total(\.restores)), \(total(\.restoresFromSnapshots)) of them from a "
                + "snapshot, \(total(\.recordsReplayed)) records replayed; "
                + "snapshots written: \(total(\.snapshots))")
    }

    private func printPoints() {
        let missed = sum { $0.missed }
        print("\n| died at | times | not reached |\n|---|---:|---:|")
        for point in settings.points {
            print(
                "| \(point.rawValue) | \(deaths[point.rawValue] ?? 0) "
                    + "| \(missed[point.rawValue] ?? 0) |")
        }
        let repeated = phases.reduce(0) { $0 + $1.fleet.deathsInRepeatedRestore }
        print("| a restore after a death in a restore | \(repeated) | |")
    }

    private func printStalls() {
        print("\nFrom the fault to the next commit with predictions, for each task that it met:")
        print("\n| fault | tasks | p50 ms | p90 ms | p99 ms | max ms |")
        print("|---|---:|---:|---:|---:|---:|")
        for (title, values) in [
            ("", joined { $0.fleet.stalls.alone }),
            (", overlapping", joined { $0.fleet.stalls.overlapping }),
        ] {
            for (kind, list) in values.sorted(by: { $0.key < $1.key }) {
                let sorted = list.sorted()
                let cells = [0.5, 0.9, 0.99, 1].map {
                    "\(Int(Stalls.quantile(sorted, $0).rounded()))"
                }
                print(
                    "| \(kind)\(title) | \(list.count) | " + cells.joined(separator: " | ") + " |")
            }
        }
    }

    private func printComparisons() {
        print(
            "\n| pipeline | predictions | lost | doubled | changed | allowed copies | others "
                + "| reports | wrong | commits |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for check in phases.flatMap(\.verifications) {
            let found = check.comparison
            print(
                "| \(check.name) | \(found.expected) | \(found.lost) | \(found.doubled) "
                    + "| \(found.changed + found.unknown + found.disordered) "
                    + "| \(found.copies) | \(found.strays) "
                    + "| \(found.reportsExpected) | \(found.reportsWrong) "
                    + "| \(check.journalEntries) |")
        }
        print("")
    }

    // MARK: JSON

    private func json() -> String {
        let checks = phases.flatMap(\.verifications).map(\.comparison)
        func total(_ part: (Comparison) -> Int) -> Int { checks.reduce(0) { $0 + part($1) } }
        let stalls = joined { $0.fleet.stalls.alone }.mapValues { list -> [String: Int] in
            let sorted = list.sorted()
            return [
                "count": list.count, "p50_ms": Int(Stalls.quantile(sorted, 0.5)),
                "p90_ms": Int(Stalls.quantile(sorted, 0.9)),
                "p99_ms": Int(Stalls.quantile(sorted, 0.99)), "max_ms": Int(sorted.last ?? 0),
            ]
        }
        let content: [String: Any] = [
            "seed": settings.seed, "kills": kills, "faults": sum { $0.counts }, "points": deaths,
            "restores": self.total(\.restores),
            "restores_from_snapshots": self.total(\.restoresFromSnapshots),
            "records_replayed": self.total(\.recordsReplayed),
            "snapshots": self.total(\.snapshots),
            "seconds": Int(phases.reduce(0) { $0 + $1.seconds }),
            "predictions": total { $0.expected }, "lost": total { $0.lost },
            "doubled": total { $0.doubled },
            "changed": total { $0.changed + $0.unknown + $0.disordered },
            "copies": total { $0.copies }, "strays": total { $0.strays },
            "reports": total { $0.reportsExpected }, "reports_wrong": total { $0.reportsWrong },
            "findings": phases.reduce(0) { $0 + $1.fleet.findings.count },
            "problems": phases.flatMap(\.verifications).reduce(0) { $0 + $1.problems.count },
            "stalls": stalls, "librdkafka": libraries,
            "passed": phases.allSatisfy(\.isClean),
        ]
        let data = try? JSONSerialization.data(withJSONObject: content, options: [.sortedKeys])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
